// Signs a challenge with the card, through the popup of the local component. The PIN goes from its input to that
// popup and nowhere else: the input has no name, and it is emptied as soon as it was read.
"use strict";
(() => {
  const config = JSON.parse(document.getElementById("sign-config").textContent);
  const form = document.getElementById("sign-form");
  const pin = document.getElementById("pin");
  const slot = document.getElementById("slot");
  const slotField = document.getElementById("slot-field");
  const button = document.getElementById("sign-button");
  const status = document.getElementById("sign-status");
  const failure = document.getElementById("sign-error");
  const OPEN_WAIT_MS = 3500;
  const WORK_WAIT_MS = 90000;

  // A code as the component means it: it may arrive negative or sign-extended to 64 bits.
  const normalise = (code) => {
    const number = Number(code);
    return Number.isFinite(number) ? Number(BigInt.asUintN(32, BigInt(Math.trunc(number)))) : 0;
  };

  const CODES = new Map([
    [0x76000031, "untrusted"], [0x7600000f, "untrusted"], [0x76100003, "noReader"], [0x76000006, "noCard"],
    [0xa0, "wrongPin"], [0x80000002, "twoLeft"], [0x80000001, "oneLeft"], [0xa4, "locked"],
    [0x76000999, "cancelled"], [0x76500001, "notYetValid"], [0x76500002, "expired"], [0x7600000e, "tooOld"],
    [0x7600000d, "timeout"],
  ]);

  const reason = (answer) => {
    for (const code of [answer.last_error, answer.ret_code]) {
      const known = CODES.get(normalise(code));
      if (known) return config.messages[known];
    }
    return `${config.messages.other} (0x${normalise(answer.ret_code).toString(16)})`;
  };

  const show = (message) => {
    pin.value = "";
    button.disabled = false;
    status.textContent = "";
    failure.textContent = message;
    failure.hidden = false;
    pin.setAttribute("aria-invalid", "true");
    pin.focus();
  };

  // One operation of the component: opens the popup (inside the click), hands over the request, gives the answer.
  const operate = (request) => new Promise((resolve, reject) => {
    const popup = window.open(`${config.origin}/popupForm`, "_blank", "height=200,width=200,left=100,top=20");
    if (!popup) {
      reject(new Error(config.messages.blocked));
      return;
    }
    let timer;
    const finish = (settle, value) => {
      clearTimeout(timer);
      window.removeEventListener("message", listen);
      settle(value);
    };
    const expire = (message) => {
      popup.close();
      finish(reject, new Error(message));
    };
    const listen = (event) => {
      if (event.origin !== config.origin || event.source !== popup) return;
      let message;
      try {
        message = JSON.parse(event.data);
      } catch {
        return;
      }
      if (message.func === "getTbs") {
        clearTimeout(timer);
        timer = setTimeout(expire, WORK_WAIT_MS, config.messages.timeout);
        popup.postMessage(JSON.stringify(request), config.origin);
      } else if (message.func === "sign" || message.func === "pkcs11info") {
        finish(resolve, message);
      }
    };
    window.addEventListener("message", listen);
    timer = setTimeout(expire, OPEN_WAIT_MS, config.messages.absent);
  });

  const withCard = (entry) => entry.token && typeof entry.token === "object";

  // Which card signs: the only one, or the one chosen. `null` when the person must choose first.
  const chooseCard = async () => {
    const answer = await operate({ func: "GetUserCert" });
    if (normalise(answer.ret_code) !== 0) throw new Error(reason(answer));
    const slots = answer.slots || [];
    if (slots.length === 0) throw new Error(config.messages.noReader);
    const cards = slots.filter(withCard);
    if (cards.length === 0) throw new Error(config.messages.noCard);
    slot.replaceChildren(...cards.map((entry) => {
      const option = document.createElement("option");
      const certificate = (entry.token.certs || []).find((c) => c.usage === "digitalSignature") || {};
      option.value = entry.slotDescription;
      option.textContent = [entry.slotDescription, certificate.subjectDN].filter(Boolean).join(" · ");
      return option;
    }));
    slotField.hidden = cards.length < 2;
    status.textContent = cards.length < 2 ? config.messages.oneCard : config.messages.severalCards;
  };

  document.getElementById("cards-button").addEventListener("click", async () => {
    failure.hidden = true;
    try {
      await chooseCard();
      (slotField.hidden ? pin : slot).focus();
    } catch (error) {
      show(error.message);
    }
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    failure.hidden = true;
    if (pin.value === "") {
      show(config.messages.pinMissing);
      return;
    }
    if (/Android|iPhone|iPad|Mobile/.test(navigator.userAgent)) {
      show(config.messages.mobile);
      return;
    }
    const request = {
      func: "MakeSignature", signatureType: "PKCS7", tbs: config.tbs, tbsEncoding: "NONE", hashAlgorithm: "SHA256",
      withCardSN: "true", pin: pin.value, nonce: "",
    };
    if (slot.value) request.slotDescription = slot.value;
    pin.value = "";
    button.disabled = true;
    status.textContent = config.messages.working;
    try {
      const operation = operate(request);
      const answer = await operation;
      request.pin = "";
      if (normalise(answer.ret_code) !== 0 || !answer.signature) {
        show(reason(answer));
        return;
      }
      form.elements.signature.value = answer.signature;
      form.submit();
    } catch (error) {
      request.pin = "";
      show(error.message);
    }
  });
})();
