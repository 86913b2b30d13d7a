// The signing page against every fault of card and component that `idcheck-softcard --fault` can provoke, and the search
// for a PIN in everything that our server sees or keeps. Needs a fresh `idcheck demo`: IDCHECK_TEST_DEMO_JSON,
// IDCHECK_TEST_DEMO_LOG (its output) and IDCHECK_TEST_SOFTCARD (the program).
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { demo, fillIn, launch, look } from "./common.mjs";

const CANARY = "Qz7Kx9Wv";
const EMAIL = "canary-of-the-search@example.com";
const dataDir = dirname(process.env.IDCHECK_TEST_DEMO_JSON);
const cards = mkdtempSync(join(tmpdir(), "idcheck-cards-"));
const valid = demo.cards.filter((c) => c.kind === "company" && c.state === "valid");
const card = valid[1];
const componentPort = new URL(demo.softcardUrl).port;
const traffic = [];

let browser;
let context;
let page;
let component; // the program that stands in for the component now
let componentAt; // its port
let relay; // what the browser takes for the component's port

before(async () => {
  // Copies of the demo's cards, the one of these tests with a PIN that stands nowhere else.
  cpSync(join(dataDir, "pki"), cards, { recursive: true });
  for (const name of readdirSync(join(cards, "cards")).filter((n) => n.endsWith(".json"))) {
    const file = join(cards, "cards", name);
    const record = JSON.parse(readFileSync(file, "utf8"));
    if (record.slot === card.slot) writeFileSync(file, JSON.stringify({ ...record, pin: CANARY }));
  }
  relay = net.createServer((from) => {
    const to = net.connect(componentAt, "127.0.0.1");
    for (const [one, other] of [[from, to], [to, from]]) {
      one.on("error", () => other.destroy());
      one.pipe(other);
    }
  }).listen(0, "127.0.0.1");
  await once(relay, "listening");
  browser = await launch(`--host-resolver-rules=MAP localhost:${componentPort} 127.0.0.1:${relay.address().port}`);
  await openContext();
});
after(async () => {
  await browser?.close();
  relay?.close();
  rmSync(cards, { recursive: true });
});
afterEach(async () => {
  if (component) {
    component.kill("SIGKILL");
    await once(component, "exit");
  }
  component = undefined;
  await openContext();
});

const openContext = async (options = {}) => {
  await context?.close();
  context = await browser.newContext({ locale: "zh-TW", ...options });
  context.on("request", (request) => {
    if (request.url().startsWith(demo.baseUrl)) {
      traffic.push(request.url(), JSON.stringify(request.headers()), request.postData() ?? "");
    }
  });
  page = await context.newPage();
};

// Starts the component with these faults and only these readers.
const plugIn = async (faults, slots = [card.slot]) => {
  const free = net.createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  componentAt = free.address().port;
  free.close();
  const options = [...faults.flatMap((fault) => ["--fault", fault]), ...slots.flatMap((slot) => ["--slot", slot])];
  const where = ["--data-dir", cards, "--listen", `127.0.0.1:${componentAt}`];
  component = spawn(process.env.IDCHECK_TEST_SOFTCARD, [...where, ...options], { stdio: ["ignore", "ignore", "pipe"] });
  // Read to its end: a program whose error output is closed fails at its next line.
  await new Promise((resolve, reject) => {
    component.stderr.on("data", (line) => { if (String(line).includes("softcard ready")) resolve(); });
    component.once("exit", () => reject(new Error("the component did not start")));
  });
};

const toSignPage = async (ubn = card.unifiedBusinessNumber) => {
  await page.goto(`${demo.baseUrl}/progress`);
  await page.fill('[name="ubn"]', ubn);
  await page.click("#go-on");
  await page.waitForSelector("#cards-button");
};
const readCards = () => page.click("#cards-button");
const enter = async (pin) => {
  await page.waitForSelector("#pin", { state: "visible" });
  await page.fill("#pin", pin);
  await page.click("#sign-button");
};
const signed = () => page.waitForURL("**/organisation");

// The page tells this, on top and focused, and nothing is lost but the PIN.
const tells = async (words, name) => {
  await page.waitForSelector("#sign-error", { state: "visible" });
  assert.match(await page.textContent("#sign-error-text"), words);
  assert.match(await page.title(), /^錯誤：/);
  assert.equal(await page.evaluate(() => document.activeElement.id), "sign-error");
  assert.equal(await page.inputValue("#pin"), "");
  assert.match(await page.evaluate(() => JSON.parse(document.getElementById("sign-config").textContent).tbs), /^idcheck-1\..*\.progress\./);
  assert.match(await page.getAttribute('a[href$="/selfTest.htm"]', "href"), /^http:\/\/localhost:\d+\/selfTest\.htm$/);
  await look(page, `card-${name}`);
};

for (const [fault, words] of [
  ["absent", /沒有找到跨平台網頁元件/], ["slow", /反應較慢時，請稍候/], ["old-version", /版本過舊/],
  ["no-reader", /接上讀卡機/], ["no-card", /插入公司的工商憑證/],
]) {
  test(`reading the cards: ${fault}`, async () => {
    await plugIn([fault]).catch(assert.fail);
    await toSignPage();
    await readCards();
    await tells(words, fault);
    assert.ok(!(await page.isVisible("#pin")), "no PIN is asked for where no card can take it");
  });
}

for (const [faults, words] of [
  [["not-trusted"], /尚未信任本網站/], [["forbidden-site"], /尚未信任本網站/], [["wrong-pin"], /PIN 碼錯誤，請確認/],
  [["locked"], /卡片已鎖定/], [["cancelled"], /已取消簽章/], [["not-yet-valid"], /尚未生效/], [["expired"], /已過期/],
  [["locked", "negative-codes"], /卡片已鎖定/], [["locked", "wide-codes"], /卡片已鎖定/],
]) {
  test(`signing: ${faults.join(", ")}`, async () => {
    await plugIn(faults);
    await toSignPage();
    await readCards();
    await enter(CANARY);
    await tells(words, faults.join("-"));
  });
}

test("a site that the component does not trust is trusted through its own page, and the same form is signed", async () => {
  await plugIn(["not-trusted"]);
  await toSignPage();
  await readCards();
  await enter(CANARY);
  await page.waitForSelector("#trust-link", { state: "visible" });
  const [trusting] = await Promise.all([context.waitForEvent("page"), page.click("#trust-link")]);
  await trusting.waitForSelector("text=已加入信任網站");
  await trusting.close();
  await enter(CANARY);
  await signed();
});

test("wrong PINs: two left, one left with a warning and a question, locked", async () => {
  await plugIn([]);
  await toSignPage();
  await readCards();
  await enter("000000");
  await tells(/還有 2 次機會/, "two-left");
  assert.ok(!(await page.isVisible("#last-try")));
  await enter("000000");
  await tells(/只剩 1 次機會/, "one-left");
  assert.ok(await page.isVisible("#last-try"));
  await enter("000000");
  await tells(/請先勾選/, "sure-missing");
  await page.check("#sure");
  await enter("000000");
  await tells(/卡片已鎖定/, "locked-by-tries");
  assert.ok(!(await page.isVisible("#pin")));
});

test("where the component tells no number, the page counts the tries", async () => {
  await plugIn(["wrong-pin"]);
  await toSignPage();
  await readCards();
  await enter("000000");
  await page.waitForSelector("#sign-error:not([hidden])");
  await enter("000000");
  await page.waitForSelector("#last-try", { state: "visible" });
  await tells(/只剩 1 次機會/, "counted");
});

test("the tries left come sign-extended to 64 bits", async () => {
  await plugIn(["wide-codes"]);
  await toSignPage();
  await readCards();
  await enter("000000");
  await tells(/還有 2 次機會/, "two-left-wide");
});

test("several cards: the company's is chosen and called by its name", async () => {
  await plugIn(["several-cards"], []);
  await toSignPage();
  await readCards();
  await page.waitForFunction(() => document.activeElement.id === "pin");
  assert.ok(!(await page.isVisible("#slot")), "there is one card of the company only");
  const found = `找到卡片：${card.companyName} · ${card.unifiedBusinessNumber}。`;
  assert.equal(await page.textContent("#sign-status"), found);
  await look(page, "card-found");
  await enter(CANARY);
  await signed();
});

test("two cards of the company are told apart by what is printed on them", async (t) => {
  const [other] = valid.filter((one) => one.slot !== card.slot);
  const files = readdirSync(join(cards, "cards")).filter((name) => name.endsWith(".json")).map((name) => join(cards, "cards", name));
  const fileOf = (slot) => files.find((file) => JSON.parse(readFileSync(file, "utf8")).slot === slot);
  const [own, second] = [card.slot, other.slot].map((slot) => JSON.parse(readFileSync(fileOf(slot), "utf8")));
  const certificateOf = (slot) => fileOf(slot).replace(/json$/, "cer");
  // The second reader holds a copy of the card with another number printed on it.
  for (const file of [fileOf(other.slot), certificateOf(other.slot)]) {
    const before = readFileSync(file);
    t.after(() => writeFileSync(file, before));
  }
  writeFileSync(fileOf(other.slot), JSON.stringify({ ...second, subject: own.subject }));
  cpSync(certificateOf(card.slot), certificateOf(other.slot));
  await plugIn([], [card.slot, other.slot]);
  await toSignPage();
  await readCards();
  await page.waitForSelector("#slot", { state: "visible" });
  assert.equal(await page.evaluate(() => document.activeElement.id), "slot");
  const options = await page.locator("#slot option").allTextContents();
  const called = (one) => `${card.companyName} · ${card.unifiedBusinessNumber} · 卡號 ${one.cardNumber}`;
  assert.deepEqual(options.sort(), [own, second].map(called).sort());
  await look(page, "card-several");
  await page.selectOption("#slot", card.slot);
  await enter(CANARY);
  await signed();
});

// The wrong card costs no PIN.
for (const [name, faults, which, words] of [
  ["personal", [], (one) => one.kind === "personal", /自然人憑證/],
  ["government", [], (one) => one.kind === "government", /政府機關憑證/],
  ["other-company", [], (one) => one.slot === valid[0].slot, /這是「測試甲股份有限公司 · 99900003」的卡片，本次簽章的公司為 99900019/],
  ["no-certificate", ["no-certificates"], (one) => one.slot === card.slot, /沒有可簽章的憑證/],
]) {
  test(`told before the PIN: ${name}`, async () => {
    await plugIn(faults, [demo.cards.find(which).slot]);
    await toSignPage();
    await readCards();
    await tells(words, name);
    assert.ok(!(await page.isVisible("#pin")), "no PIN is asked for");
  });
}

test("a card whose names are spelled in a way that is not known is not turned away", async (t) => {
  const file = readdirSync(join(cards, "cards")).map((name) => join(cards, "cards", name))
    .find((name) => name.endsWith(".json") && JSON.parse(readFileSync(name, "utf8")).slot === card.slot);
  const before = readFileSync(file, "utf8");
  t.after(() => writeFileSync(file, before));
  writeFileSync(file, JSON.stringify({ ...JSON.parse(before), subject: "2.5.4.6=#13025457", issuer: "" }));
  await plugIn([]);
  await toSignPage();
  await readCards();
  await enter(CANARY);
  await signed();
});

test("told before the PIN: none of several", async () => {
  await plugIn([], demo.cards.filter((one) => one.slot !== card.slot).map((one) => one.slot));
  await toSignPage();
  await readCards();
  await tells(/都不能為 99900019 簽章/, "none-fits");
  assert.ok(!(await page.isVisible("#pin")));
});

for (const fault of ["utf16", "no-attributes"]) {
  test(`signed with the keyboard only: ${fault}`, async () => {
    await plugIn([fault]);
    await toSignPage();
    await page.focus("#cards-button");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => document.activeElement.id === "pin");
    await page.keyboard.type(CANARY);
    await page.keyboard.press("Enter");
    await signed();
  });
}

test("the window is blocked", async () => {
  await page.addInitScript(() => { window.open = () => null; });
  await toSignPage();
  await readCards();
  await tells(/封鎖了彈出視窗/, "blocked");
});

test("the window is closed by hand", async () => {
  await plugIn([]);
  await context.route("**/pkcs11info*", () => {}); // it is at work until somebody closes it
  await toSignPage();
  const [popup] = await Promise.all([context.waitForEvent("page"), readCards()]);
  await popup.close();
  await tells(/完成前就關閉/, "closed");
});

test("the component takes the request and never answers", async () => {
  await plugIn([]);
  await context.route("**/sign", () => {});
  await page.clock.install();
  await toSignPage();
  await readCards();
  await page.waitForSelector("#pin", { state: "visible" });
  const [popup] = await Promise.all([context.waitForEvent("page"), enter(CANARY)]);
  await popup.waitForRequest("**/sign").catch(() => {});
  await page.clock.fastForward(91_000);
  await tells(/沒有及時回應/, "timeout");
});

test("a telephone is told that it can't sign", async () => {
  await openContext({ userAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148" });
  await toSignPage();
  await tells(/手機與平板不支援/, "mobile");
});

test("a tablet that says it is a Mac is told too, and a Mac is not", async () => {
  await openContext({ userAgent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari/605.1.15" });
  await toSignPage();
  assert.ok(!(await page.isVisible("#sign-error")));
  await page.addInitScript(() => Object.defineProperty(navigator, "maxTouchPoints", { get: () => 5 }));
  await toSignPage();
  await tells(/手機與平板不支援/, "tablet");
});

for (const [name, kind, state, words] of [
  ["expired", "company", "expired", /憑證已過期/], ["revoked", "company", "revoked", /憑證已廢止/],
]) {
  test(`the server refuses a card: ${name}, and the form stays`, async () => {
    const other = demo.cards.find((c) => c.kind === kind && c.state === state);
    await plugIn([], [other.slot]);
    await toSignPage(other.unifiedBusinessNumber);
    await readCards();
    await enter(other.pin);
    await page.waitForSelector(".summary:not([hidden]):not(#sign-error)");
    assert.match(await page.textContent("main"), words);
    assert.match(await page.title(), /^錯誤：/);
    assert.equal(await page.inputValue("#pin"), "");
    await look(page, `card-refused-${name}`);
    assert.match(await page.evaluate(() => JSON.parse(document.getElementById("sign-config").textContent).tbs), /^idcheck-1\..*\.progress\./, "the same form can be signed again");
  });
}

// Every file under a folder. One that has another name by now is looked for again: mails are written beside and then renamed.
const filesUnder = (folder) => {
  for (let tries = 1; ; tries += 1) {
    try {
      return readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile()).map((entry) => readFileSync(join(entry.parentPath, entry.name)));
    } catch (error) {
      if (error.code !== "ENOENT" || tries === 20) throw error;
    }
  }
};
// Mail bodies are in base64: read as text what looks like it.
const decoded = (text) => text.replace(/(?:[A-Za-z0-9+/]{60,}\r?\n)*[A-Za-z0-9+/]{20,}={0,2}/g,
  (match) => Buffer.from(match, "base64").toString("utf8"));

// The PIN in base64 where it begins `at` bytes into a group of three, without the digits that its neighbours share.
const base64At = (at) => {
  const digits = Buffer.from("\0".repeat(at) + CANARY).toString("base64").replaceAll("=", "");
  const whole = Math.floor(((at + CANARY.length) * 8) / 6);
  return digits.slice(Math.ceil((at * 8) / 6), whole);
};

test("a PIN is nowhere in our traffic, log, mails and database", async () => {
  await plugIn([]);
  await fillIn(page, card, { "/contact/email": EMAIL });
  await page.click("#go-on");
  await readCards();
  await enter(CANARY);
  await page.waitForURL("**/applications/**");
  const mails = () => filesUnder(demo.mailDir).map(String);
  for (let tries = 0; tries < 100 && !mails().some((mail) => mail.includes(EMAIL)); tries += 1) {
    await new Promise((resolve) => { setTimeout(resolve, 100); });
  }
  const log = readFileSync(process.env.IDCHECK_TEST_DEMO_LOG, "utf8");
  const places = {
    traffic: traffic.join("\n"), log, mails: mails().map((mail) => mail + decoded(mail)).join("\n"),
    data: filesUnder(dataDir).map((file) => file.toString("latin1")).join("\n"),
  };
  // What was typed beside the PIN is found, so the search would find the PIN too.
  assert.ok(decodeURIComponent(places.traffic.replaceAll("+", " ").replaceAll(/%(?![0-9A-F]{2})/g, "%25")).includes(EMAIL));
  assert.ok(places.mails.includes(EMAIL));
  assert.ok(places.data.includes(EMAIL));
  assert.ok(places.log.length > 0);
  const spellings = [CANARY, Buffer.from(CANARY).toString("hex"), Buffer.from(CANARY, "utf16le").toString("latin1"),
    ...[0, 1, 2].map(base64At)];
  for (const [place, text] of Object.entries(places)) {
    for (const spelling of spellings) assert.ok(!text.includes(spelling), `the PIN is in ${place}`);
  }
});
