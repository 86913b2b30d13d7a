// Signs in with a passkey, or makes one. The browser asks the user; what it says goes into the form's hidden fields.
"use strict";
(() => {
  const form = document.getElementById("passkey");
  if (!window.PublicKeyCredential) return;
  const config = JSON.parse(document.getElementById("passkey-config").textContent);
  const status = form.querySelector("[role=status]");
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  const put = (name, buffer) => {
    const text = btoa(String.fromCharCode(...new Uint8Array(buffer)));
    form.elements[name].value = text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  };
  const challenge = bytes(config.challenge);
  const make = async () => {
    const made = await navigator.credentials.create({
      publicKey: {
        challenge,
        rp: { id: config.host, name: config.service },
        user: { id: bytes(config.user), name: config.username, displayName: config.username },
        // ES256, EdDSA, RS256.
        pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: "public-key", alg })),
        authenticatorSelection: { residentKey: "required", userVerification: "required" },
        excludeCredentials: config.known.map((id) => ({ type: "public-key", id: bytes(id) })),
        attestation: "none",
      },
    });
    put("publicKey", made.response.getPublicKey());
    put("authenticatorData", made.response.getAuthenticatorData());
    return made;
  };
  const use = async () => {
    const used = await navigator.credentials.get({
      publicKey: { challenge, rpId: config.host, userVerification: "required" },
    });
    put("authenticatorData", used.response.authenticatorData);
    put("signature", used.response.signature);
    return used;
  };
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    status.textContent = "";
    try {
      const credential = await (config.user ? make() : use());
      put("credential", credential.rawId);
      put("clientData", credential.response.clientDataJSON);
      form.submit();
    } catch (error) {
      status.textContent = config.messages[error.name] ?? config.messages.other;
    }
  });
})();
