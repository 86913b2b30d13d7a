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
  const trust = document.getElementById("sign-trust");
  const pinPart = document.getElementById("pin-part");
  const pinError = document.getElementById("pin-error");
  const lastTry = document.getElementById("last-try");
  const sure = document.getElementById("sure");
  const title = document.title;
  const found = document.getElementById("found-card");
  const insert = document.getElementById("insert-part");
  const reader = document.getElementById("cards-button");
  const places = [...document.querySelectorAll("#card-steps li")];
  const OPEN_WAIT_MS = 3500;
  const WORK_WAIT_MS = 90000;
  // A popup that closes itself has posted its answer before; this long it may be under way.
  const CLOSED_GRACE_MS = 500;
  // Older versions know neither the choice of a reader nor the nonce; where the line is drawn is our decision.
  const OLDEST_VERSION = [1, 3];
  const TRIES = 3;
  // Wrong PINs by reader, for components that do not tell the tries left.
  const wrongPins = new Map();

  // A code of 64 bits is more than a number holds: it stays the text it came as.
  const exact = (name, value, context) =>
    typeof value === "number" && !Number.isSafeInteger(value) && context?.source ? context.source : value;

  // A code as the component means it: it may arrive negative or sign-extended to 64 bits.
  // Read as text: a number of 64 bits has lost its last ones.
  const normalise = (code) => {
    const text = String(code).trim();
    if (/^[+-]?\d+$/.test(text)) return Number(BigInt.asUintN(32, BigInt(text.replace("+", ""))));
    const number = Number(text);
    return Number.isFinite(number) ? Number(BigInt.asUintN(32, BigInt(Math.trunc(number)))) : 0;
  };

  const CODES = new Map([
    [0x76000031, "untrusted"], [0x7600000f, "untrusted"], [0x76100003, "noReader"], [0x76000006, "noCard"],
    [0x7610000c, "cardGone"], [0xa0, "wrongPin"], [0x80000002, "twoLeft"], [0x80000001, "oneLeft"], [0xa2, "pinLength"],
    [0xa4, "locked"], [0x76000998, "pinMissing"], [0x76000999, "cancelled"], [0x76500001, "notYetValid"],
    [0x76500002, "expired"], [0x7600000e, "tooOld"], [0x7600000d, "timeout"],
  ]);
  const NOT_TO_SIGN_WITH = ["locked", "noCard", "noReader", "cardGone", "tooOld", "personal", "government", "noCertificate",
    "otherCompany", "noneFits"];
  const AT_THE_PIN = new Set(["wrongPin", "twoLeft", "oneLeft", "pinLength", "pinMissing", "sureMissing"]);

  // Which message an answer asks for, and the code to tell where there is none.
  const reason = (answer) => {
    for (const code of [answer.last_error, answer.ret_code]) {
      const known = CODES.get(normalise(code));
      if (known) return { name: known };
    }
    return { name: "other", code: `0x${normalise(answer.ret_code).toString(16)}` };
  };

  class Failure extends Error {
    constructor({ name, code, card }) {
      super(name);
      this.known = name;
      this.code = code;
      this.card = card;
    }
  }

  // The company that signs, as the challenge names it.
  const wanted = config.tbs.split(".")[3];
  const say = (name, places = {}) => Object.entries({ wanted, ...places })
    .reduce((text, [place, value]) => text.replace(`{${place}}`, () => value), config.messages[name]);

  // The component says how many tries are left, or the page counts; before the last one the person is asked.
  const countWrongPin = (name) => {
    const count = { twoLeft: 1, oneLeft: 2 }[name] ?? (wrongPins.get(slot.value) ?? 0) + 1;
    wrongPins.set(slot.value, count);
    return count === TRIES - 1 ? "oneLeft" : name;
  };

  // Which of the three steps one is at: to insert the card, to read it, to enter the PIN.
  const at = (place) => places.forEach((step, index) => {
    step.className = index < place ? "done" : "";
    if (index === place) step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
  });

  const clear = () => {
    document.title = title;
    failure.hidden = trust.hidden = pinError.hidden = true;
    pin.removeAttribute("aria-invalid");
  };

  const show = (error) => {
    let name = error.known ?? "other";
    if (["wrongPin", "twoLeft", "oneLeft"].includes(name)) name = countWrongPin(name);
    const words = say(name, { card: error.card }) + (error.code ? ` (${error.code})` : "");
    pin.value = "";
    button.disabled = false;
    status.textContent = "";
    if (pinPart.hidden) at(0);
    document.title = `${config.errorPrefix}${title.replace(config.errorPrefix, "")}`;
    trust.hidden = name !== "untrusted";
    const atPin = AT_THE_PIN.has(name);
    const text = document.createElement(atPin ? "a" : "span");
    if (atPin) text.href = "#pin";
    text.textContent = words;
    document.getElementById("sign-error-text").replaceChildren(text);
    pinError.textContent = atPin ? words : "";
    pinError.hidden = !atPin;
    if (atPin) pin.setAttribute("aria-invalid", "true");
    if (NOT_TO_SIGN_WITH.includes(name)) {
      pinPart.hidden = slotField.hidden = found.hidden = true;
      insert.hidden = false;
      at(0);
    }
    lastTry.hidden = wrongPins.get(slot.value) !== TRIES - 1;
    sure.checked = false;
    failure.hidden = false;
    failure.focus();
  };

  const recent = (version) => {
    const [major, minor] = String(version ?? "").split(".").map(Number);
    return major > OLDEST_VERSION[0] || (major === OLDEST_VERSION[0] && minor >= OLDEST_VERSION[1]);
  };

  // One operation of the component: opens the popup (inside the click), hands over the request, gives the answer.
  const operate = (request) => new Promise((resolve, reject) => {
    const popup = window.open(`${config.origin}/popupForm`, "_blank", "height=200,width=200,left=100,top=20");
    if (!popup) {
      reject(new Failure({ name: "blocked" }));
      return;
    }
    let timer;
    const finish = (settle, value) => {
      clearTimeout(timer);
      clearInterval(watch);
      window.removeEventListener("message", listen);
      settle(value);
    };
    const expire = (name) => {
      popup.close();
      finish(reject, new Failure({ name }));
    };
    const watch = setInterval(() => {
      if (!popup.closed) return;
      clearInterval(watch);
      clearTimeout(timer);
      timer = setTimeout(expire, CLOSED_GRACE_MS, "closed");
    }, 200);
    const listen = (event) => {
      if (event.origin !== config.origin || event.source !== popup) return;
      let message;
      try {
        message = JSON.parse(event.data, exact);
      } catch {
        return;
      }
      if (message.func === "getTbs") {
        clearTimeout(timer);
        timer = setTimeout(expire, WORK_WAIT_MS, "timeout");
        popup.postMessage(JSON.stringify(request), config.origin);
      } else if (message.func === "sign" || message.func === "pkcs11info") {
        finish(resolve, message);
      }
    };
    window.addEventListener("message", listen);
    timer = setTimeout(expire, OPEN_WAIT_MS, "absent");
  });

  const withCard = (entry) => entry.token && typeof entry.token === "object";

  // A part of a distinguished name, as components write it: `C=TW, O=甲\\, 乙, serialNumber=…`, or with slashes.
  const part = (name, key) => new RegExp(`(?:^|[,/+])\\s*${key}=(.*?)\\s*(?=[,/+]\\s*[A-Za-z0-9.]+=|$)`, "i")
    .exec(name ?? "")?.[1].replace(/\\(.)/g, "$1");

  // The company's number in the certificate's extension: attribute 2.16.886.1.100.2.101, a set with one UTF8String.
  const NUMBER = "\x06\x07\x60\x86\x76\x01\x64\x02\x65\x31\x0a\x0c\x08";
  const numberInside = (certificate) => {
    let der = "";
    try {
      der = atob(certificate ?? "");
    } catch {
      return undefined;
    }
    const at = der.indexOf(NUMBER);
    return at < 0 ? undefined : der.slice(at + NUMBER.length, at + NUMBER.length + 8);
  };

  // What a card is, as far as its certificate for signatures tells: enough to spare a PIN. A card is turned away for what it
  // says, not for what is missing or spelled in a way that is not known here: the server judges.
  const judged = ({ slotDescription, token }) => {
    const certificate = (token.certs ?? []).find((one) => one.usage === "digitalSignature");
    if (!certificate) return { fault: "noCertificate" };
    const { subjectDN, issuerDN, certb64 } = certificate;
    const [company, unit, authority] = [part(subjectDN, "O"), part(subjectDN, "OU"), part(issuerDN, "OU") ?? ""];
    const number = numberInside(certb64) ?? part(subjectDN, "(?:serialNumber|2\\.5\\.4\\.5)");
    const card = { slot: slotDescription, company, number, serial: token.serialNumber ?? "" };
    if (authority === "內政部憑證管理中心" || (part(subjectDN, "CN") && !company)) return { ...card, fault: "personal" };
    if (authority === "政府憑證管理中心" || (unit && certb64 && !number)) return { ...card, fault: "government" };
    return number && number !== wanted ? { ...card, fault: "otherCompany" } : card;
  };

  const called = (card, name = "card") =>
    (card.company ? say(name, { company: card.company, number: card.number ?? "", serial: card.serial }) : card.slot);

  // Which cards there are. The PIN is asked for only when a component that can sign and a card were found.
  const chooseCard = async () => {
    const answer = await operate({ func: "GetUserCert" });
    if (!recent(answer.serverVersion)) throw new Failure({ name: "tooOld" });
    if (normalise(answer.ret_code) !== 0) throw new Failure(reason(answer));
    const slots = answer.slots || [];
    if (slots.length === 0) throw new Failure({ name: "noReader" });
    const seen = slots.filter(withCard).map(judged);
    if (seen.length === 0) throw new Failure({ name: "noCard" });
    const cards = seen.filter((card) => !card.fault);
    if (cards.length === 0) {
      const [{ fault, ...card }] = seen;
      throw new Failure(seen.length > 1 ? { name: "noneFits" } : { name: fault, card: called(card) });
    }
    const name = cards.length > 1 ? "cardWithSerial" : "card";
    slot.replaceChildren(...cards.map((card) => new Option(called(card, name), card.slot)));
    slotField.hidden = cards.length < 2;
    pinPart.hidden = false;
    insert.hidden = true;
    reader.className = "second";
    reader.textContent = reader.dataset.again;
    found.textContent = cards.length < 2 ? called(cards[0]) : config.messages.severalCards;
    found.hidden = false;
    at(2);
    lastTry.hidden = wrongPins.get(slot.value) !== TRIES - 1;
    status.textContent = cards.length < 2 ? say("oneCard", { card: called(cards[0]) }) : config.messages.severalCards;
  };

  const readCards = async (event) => {
    const reading = event.currentTarget;
    if (reading.disabled) return;
    reading.disabled = true;
    clear();
    at(1);
    status.textContent = config.messages.reading;
    try {
      await chooseCard();
      (slotField.hidden ? pin : slot).focus();
    } catch (error) {
      show(error);
    } finally {
      reading.disabled = false;
    }
  };

  const sign = async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    clear();
    if (pin.value === "") return show({ known: "pinMissing" });
    if (!lastTry.hidden && !sure.checked) return show({ known: "sureMissing" });
    const request = {
      func: "MakeSignature", signatureType: "PKCS7", tbs: config.tbs, tbsEncoding: "NONE", hashAlgorithm: "SHA256",
      withCardSN: "true", pin: pin.value, nonce: "", slotDescription: slot.value,
    };
    pin.value = "";
    button.disabled = true;
    status.textContent = config.messages.working;
    try {
      const answer = await operate(request);
      if (normalise(answer.ret_code) !== 0 || !answer.signature) throw new Failure(reason(answer));
      form.elements.signature.value = answer.signature;
      form.submit();
    } catch (error) {
      show(error);
    } finally {
      request.pin = "";
    }
  };

  // How long there is, by the minute; in time before it ends it is said aloud, once.
  const left = document.getElementById("time-left");
  const ends = Date.parse(left.dataset.ends);
  const ENDING_MS = 120000;
  const tell = () => {
    const ms = ends - Date.now();
    const text = ms < ENDING_MS ? config.ending : config.minutes.replace("{minutes}", Math.floor(ms / 60000));
    if (left.textContent !== text) left.textContent = text;
  };
  // A clock that is wrong tells nothing.
  if (ends - Date.now() > 0 && ends - Date.now() < 86400000) {
    left.removeAttribute("role");
    tell();
    setInterval(() => {
      if (ends - Date.now() < ENDING_MS) left.setAttribute("role", "status");
      tell();
    }, 10000);
  }

  reader.addEventListener("click", readCards);
  form.addEventListener("submit", sign);
  slot.addEventListener("change", () => {
    lastTry.hidden = wrongPins.get(slot.value) !== TRIES - 1;
  });
  document.getElementById("trust-link").href =
    `${config.origin}/addDomain?domain=${encodeURIComponent(window.location.hostname)}`;
  // An iPad says it is a Mac, which has no touch screen.
  const tablet = /Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1;
  if (tablet || /Android|iPhone|iPad|Mobile/.test(navigator.userAgent)) show({ known: "mobile" });
})();
