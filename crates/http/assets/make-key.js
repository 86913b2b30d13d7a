// Makes a key pair in the browser, or reads a public key from a file. The private half is saved by the browser and goes nowhere
// else; the form takes the public half only.
"use strict";
const tools = document.querySelector("[data-key]");
const field = document.querySelector('[name="/publicKeyPem"]');
const profile = () => field.form.elements["/profile"].value;
const status = tools.querySelector("[role=status]");
const pem = (name, bytes) => {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes))).match(/.{1,64}/g).join("\n");
  return `-----BEGIN ${name}-----\n${text}\n-----END ${name}-----\n`;
};
const save = (name, text) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/x-pem-file" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};
const say = (words) => { status.textContent = status.dataset[words]; };
const make = async () => {
  const { subtle } = globalThis.crypto;
  const kind = { name: "RSASSA-PKCS1-v1_5", modulusLength: 3072, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" };
  const pair = await subtle.generateKey(kind, true, ["sign", "verify"]);
  save(`idcheck-${profile()}-private-key.pem`, pem("PRIVATE KEY", await subtle.exportKey("pkcs8", pair.privateKey)));
  field.value = pem("PUBLIC KEY", await subtle.exportKey("spki", pair.publicKey));
  say("made");
};
// As the server looks for it; what is found here never gets there.
const isPrivate = (text) => /PRIVATE KEY-----|PuTTY-User-Key-File|<D>|^\s*\{[^]*"d"\s*:/.test(text);
const stop = (event) => {
  if (!isPrivate(field.value)) return;
  event.preventDefault();
  field.value = "";
  tools.hidden = false;
  say("private");
  field.focus();
};
// As soon as it is there: what is in the form is kept while one goes on.
field.addEventListener("input", stop);
field.form.addEventListener("submit", stop);
// WebCrypto is there on secure pages only; without it the field takes what is pasted.
if (globalThis.crypto?.subtle) {
  tools.hidden = false;
  const file = tools.querySelector("input");
  tools.querySelector("[data-make]").addEventListener("click", () => make().catch(() => say("failed")));
  tools.querySelector("[data-read]").addEventListener("click", () => file.click());
  file.addEventListener("change", async ({ target }) => {
    const text = await target.files[0]?.text() ?? "";
    target.value = "";
    if (isPrivate(text)) return say("private");
    field.value = text;
    status.textContent = "";
    field.focus();
  });
}
