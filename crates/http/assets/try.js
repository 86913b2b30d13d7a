// Asks one question in the sandbox as a company's program does: makes the token, signs it with a key that stays in this browser, and
// shows what was sent and what came back.
"use strict";
(() => {
  const form = document.getElementById("try");
  const status = document.getElementById("try-status");
  const part = (id) => document.getElementById(`try-${id}`);
  const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const encoded = (value) => base64url(new TextEncoder().encode(JSON.stringify(value)));

  // PKCS#8, which is what `openssl genpkey` and this site's own tool write.
  const privateKey = async (file) => {
    const text = await file.text();
    const body = /-----BEGIN PRIVATE KEY-----([^-]+)-----END PRIVATE KEY-----/.exec(text)?.[1].replaceAll(/\s/g, "");
    const bytes = Uint8Array.from(atob(body ?? "!"), (c) => c.charCodeAt(0));
    return crypto.subtle.importKey("pkcs8", bytes, { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, false, ["sign"]);
  };

  const claimsOf = (now) => ({
    orgId: form.dataset.ubn, apId: form.dataset.account, userId: "tryout", iss: part("iss").value.trim(), sub: "綠色便民專案",
    aud: new Date(now * 1000 + 8 * 3600000).toISOString().slice(0, 19).replace("T", " ").replaceAll("-", "/"),
    jobId: "V2C201", opType: "RW", iat: now - 180, exp: now + 180, jti: crypto.randomUUID(),
    conditionMap: JSON.stringify({
      personId: part("number").value, applyCode: "1", applyYyymmdd: "1080617", issueSiteId: "63000",
    }),
  });

  const pretty = (text) => {
    try {
      return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      return text;
    }
  };

  const ask = async (key) => {
    const claims = claimsOf(Math.floor(Date.now() / 1000));
    const header = { alg: "RS256", typ: "JWT" };
    const signed = `${encoded(header)}.${encoded(claims)}`;
    const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", key, new TextEncoder().encode(signed));
    const token = `${signed}.${base64url(new Uint8Array(signature))}`;
    const headers = { Authorization: `Bearer ${token}`, "sris-consumerAdminId": "00000000", "Content-Type": "application/json" };
    part("request").textContent = [`GET ${form.dataset.url}`, ...Object.entries(headers).map((pair) => pair.join(": "))].join("\n");
    part("claims").textContent = [header, claims].map((value) => JSON.stringify(value, null, 2)).join("\n");
    const answer = await fetch(form.dataset.url, { headers, credentials: "omit", cache: "no-store" });
    part("reply").textContent = `${answer.status}\n${pretty(await answer.text())}`;
    part("shown").hidden = false;
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    status.textContent = form.dataset.waiting;
    let key;
    try {
      key = await privateKey(part("key").files[0]);
    } catch {
      status.textContent = form.dataset.wrongKey;
      part("key").focus();
      return;
    }
    try {
      await ask(key);
      status.textContent = "";
      part("reply").focus();
    } catch {
      status.textContent = form.dataset.lost;
    }
  });
})();
