// Walks apply → approve → progress → reveal → key in a real browser against a running `idcheck demo`.
// IDCHECK_TEST_DEMO_JSON names its demo.json. Screenshots go to target/screenshots; every page is checked with axe.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { demo, fillIn, launch, look as lookAt, lookInBoth, picture, shots, signByKeyboard, tabTo, totp } from "./common.mjs";

const card = demo.cards.find((c) => c.kind === "company" && c.state === "valid");
const officer = demo.officers.find((o) => o.role === "reviewer");

let browser;
let page;
let caseNumber;
let issKey;
const posted = [];

// What a page shows only while its script runs is looked at in one language.
const AS_IT_IS = new Set(["form-errors", "register-key", "organisation-try"]);
const look = (name) => (AS_IT_IS.has(name) || name.startsWith("form-") ? lookAt : lookInBoth)(page, name);

const open = async (path) => {
  const response = await page.goto(demo.baseUrl + path);
  assert.equal(response.status(), 200, path);
};

const sign = async (slot, pin) => {
  // Where one is stands in words and marks: insert the card, read it, PIN.
  const at = () => page.locator("#card-steps li").evaluateAll((all) => all.findIndex((step) => step.ariaCurrent === "step"));
  assert.equal(await at(), 0);
  assert.match(await page.textContent("#time-left"), /1[0-5] 分/);
  await page.click("#cards-button");
  await page.waitForSelector("#pin", { state: "visible" });
  assert.equal(await at(), 2);
  if (await page.isVisible("#slot")) await page.selectOption("#slot", slot);
  await page.fill("#pin", pin);
  // The answer is another document, be its address the same or not.
  await page.evaluate(() => { window.waits = true; });
  await page.click("#sign-button");
  await page.waitForFunction(() => !window.waits && document.readyState === "complete");
};

before(async () => {
  browser = await launch();
  page = await (await browser.newContext({ locale: "zh-TW" })).newPage();
  page.on("request", (request) => posted.push(request.postData() ?? ""));
});
after(async () => browser?.close());

test("read the notices", async () => {
  await open("/");
  await look("home");
  await open("/conduct");
  await look("conduct");
  await open("/apply");
  assert.equal(await page.locator("ol.articles li").count(), 11);
  await look("notices");
  await page.click("a.button");
  await look("kind");
  await page.click("main button");
});

test("an empty form tells every error, at the top and at its field", async () => {
  await page.click("#go-on");
  assert.match(await page.title(), /^錯誤：/);
  assert.equal(await page.locator(".summary li").count(), 2);
  assert.equal(await page.evaluate(() => document.activeElement.className), "summary");
  await look("form-errors");
});

test("apply", async () => {
  const other = { "/contact/name": "<script>alert(1)</script>", "/contact/landline": "(02)12345678#12" };
  await fillIn(page, card, other, (step) => look(`form-${step}`));
  await look("check");
  await page.check('[name="consent"]');
  assert.match(await page.textContent("main"), /<script>alert\(1\)<\/script>/);
  await page.click("#go-on");
  await look("sign");
  await picture(page, "sign");
  await sign(card.slot, card.pin);
  assert.match(new URL(page.url()).pathname, /^\/applications\//);
  caseNumber = decodeURIComponent(new URL(page.url()).pathname.split("/").at(-1));
  await look("accepted");
  await picture(page, "accepted");
});

test("an officer approves", async () => {
  await open("/officer/sign-in");
  await look("officer-sign-in");
  await page.fill("#username", officer.username);
  await page.fill("#password", officer.password);
  await page.fill("#totp", totp(officer.totpSecret));
  await page.click("main form button:not([type=button])");
  await look("officer-queue");
  await page.click(`text=${caseNumber}`);
  await look("officer-case");
  await page.click('form[action$="/claim"] button');
  await page.check("#step-approve");
  await page.click("#decide button:not(.chip):not(.for)");
  await page.waitForLoadState();
  assert.match(await page.textContent("main"), /核准/);
});

test("progress, again without the card while the session lasts, reveal the Iss Key", async () => {
  await open("/progress");
  await look("progress");
  await page.fill('[name="ubn"]', card.unifiedBusinessNumber);
  await page.click("#go-on");
  await sign(card.slot, card.pin);
  assert.equal(new URL(page.url()).pathname, "/organisation");
  assert.match(await page.textContent("main"), /A[WX]\d{3}/);
  assert.match(await page.textContent("main"), /接下來 · 登錄正式金鑰/);
  await look("organisation");
  await picture(page, "organisation");
  // Reloading and going back ask for no signature.
  await page.reload();
  await page.goto(`${demo.baseUrl}/docs`);
  await page.goBack();
  assert.match(await page.textContent("main"), /A[WX]\d{3}/);
  await page.click('a[href^="/acts/revealIssKey"]');
  await page.click("#go-on");
  await sign(card.slot, card.pin);
  issKey = await page.textContent("#iss-key");
  assert.match(issKey, /^[A-Za-z0-9]{32}$/);
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.click("[data-secret-tools] button");
  await page.waitForSelector("text=已複製。");
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), issKey);
  await look("iss-key");
});

test("to the Iss Key with the keyboard alone", async () => {
  await open("/organisation");
  await tabTo(page, 'main a[href^="/acts/revealIssKey"]');
  await Promise.all([page.waitForURL("**/drafts/**"), page.keyboard.press("Enter")]);
  await tabTo(page, "#go-on");
  await Promise.all([page.waitForURL("**/sign/*"), page.keyboard.press("Enter")]);
  await signByKeyboard(page, card);
  assert.equal(await page.textContent("#iss-key"), issKey);
  // The page of a result can be reloaded and gone back to.
  await page.reload();
  assert.equal(await page.textContent("#iss-key"), issKey);
  await page.goto(demo.baseUrl);
  await page.goBack();
  assert.equal(await page.textContent("#iss-key"), issKey);
});

test("the Iss Key is hidden again after a minute", async () => {
  await page.clock.install();
  await page.goto(`${demo.baseUrl}/progress`);
  await page.fill('[name="ubn"]', card.unifiedBusinessNumber);
  await page.click("#go-on");
  await sign(card.slot, card.pin);
  await page.click('a[href^="/acts/revealIssKey"]');
  await page.click("#go-on");
  await sign(card.slot, card.pin);
  await page.clock.runFor(59_000);
  assert.equal(await page.textContent("#iss-key"), issKey);
  await page.clock.runFor(1_500);
  assert.ok(!(await page.content()).includes(issKey));
  assert.match(await page.textContent("[data-secret-tools]"), /已隱藏。/);
});

test("make a key in the browser; its private half is saved and never sent", async () => {
  page = await page.context().newPage();
  page.on("request", (request) => posted.push(request.postData() ?? ""));
  await open(`/acts/registerKey?ubn=${card.unifiedBusinessNumber}`);
  await page.fill('[name="/label"]', "瀏覽器");
  await page.check('[name="/environment"][value="sandbox"]');
  await look("register-key");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("[data-make]")]);
  assert.equal(download.suggestedFilename(), "idcheck-legacy-private-key.pem");
  const privateKey = readFileSync(await download.path(), "utf8");
  await page.waitForSelector("text=已產生金鑰");
  const typed = await page.inputValue('[name="/publicKeyPem"]');
  assert.equal(createPublicKey(privateKey).export({ type: "spki", format: "pem" }).trim(), typed.trim());
  // Who chooses the private file by mistake is told, and nothing is taken.
  await page.setInputFiles("#key-file", { name: "key.pem", mimeType: "text/plain", buffer: Buffer.from(privateKey) });
  await page.waitForSelector("text=這是私密金鑰，請勿上傳");
  assert.equal(await page.inputValue('[name="/publicKeyPem"]'), typed);
  await page.click("#go-on");
  await sign(card.slot, card.pin);
  assert.match(await page.textContent("main"), /SBX00/);
  const secret = privateKey.replaceAll(/-----.*-----|\s/g, "").slice(60, 120);
  assert.ok(!posted.some((body) => decodeURIComponent(body).replaceAll(/[\s+]/g, "").includes(secret)));
});

test("register a key", async () => {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await open(`/acts/registerKey?ubn=${card.unifiedBusinessNumber}`);
  await page.fill('[name="/label"]', "主機");
  await page.fill('[name="/publicKeyPem"]', publicKey.export({ type: "spki", format: "pem" }));
  await page.click("#go-on");
  await sign(card.slot, card.pin);
  assert.match(await page.textContent("main"), /金鑰指紋/);
  await look("key-registered");
});

test("the operations document, as a page and as a file, without a secret", async () => {
  await page.click('a[href="/organisation"]');
  await look("organisation-with-keys");
  for (const view of ["cases", "keys", "contact", "usage"]) {
    await page.click(`.tabs a[href="/organisation/${view}"]`);
    await look(`organisation-${view}`);
  }
  await page.click('.tabs a[href="/organisation/cases"]');
  await page.click(`a[href="/organisation/cases/${caseNumber}"]`);
  await look("organisation-case");
  await page.click('a[href^="/organisation/operations-document"]');
  const told = await page.textContent("main");
  assert.match(told, /介接作業說明[^]*A[WX]\d{3}[^]*主機 \(legacy\)/);
  assert.ok(!told.includes(issKey) && !told.includes("PRIVATE KEY"));
  await look("operations");
  const [download] = await Promise.all([page.waitForEvent("download"), page.click('a[href$="format=pdf"]')]);
  assert.equal(download.suggestedFilename(), `operations-${card.unifiedBusinessNumber}.pdf`);
  await download.saveAs(`${shots}operations.pdf`);
  // As a program that is not ours reads it.
  const pdf = execFileSync("pdftotext", ["-layout", await download.path(), "-"]).toString();
  assert.match(pdf, /介接作業說明[^]*A[WX]\d{3}[^]*127\.0\.0\.1[^]*openssl dgst[^]*checkIdCardApply[^]*RS7007/);
  // Tagged, and every font in it.
  const about = execFileSync("pdfinfo", ["-struct", await download.path()]).toString();
  assert.match(about, /H1[^]*Table[^]*TH[^]*TD[^]*LBody[^]*Code/);
  assert.match(execFileSync("pdfinfo", [await download.path()]).toString(), /Tagged: +yes/);
  const fonts = execFileSync("pdffonts", [await download.path()]).toString().trim().split("\n").slice(2);
  assert.ok(fonts.length > 1 && fonts.every((font) => /yes yes yes/.test(font)), fonts.join("\n"));
  // No line of a program is broken or spelled differently: what is copied out of the file runs as what is downloaded, which does.
  const inOneLine = pdf.split("\n").map((line) => line.replaceAll(/\s/g, ""));
  const programs = await page.locator("a[download]").evaluateAll((links) => links.map((link) => link.href));
  assert.equal(programs.length, 7);
  for (const program of programs) {
    const text = await (await page.request.get(program)).text();
    const missing = text.split("\n").map((line) => line.replaceAll(/\s/g, "")).filter((line) => !inOneLine.includes(line) && line !== "");
    assert.deepEqual(missing, [], program);
  }
  // Printed from the page: every program, though it is folded away, with lines that wrap, and the mark on each sheet.
  const printed = `${shots}operations-page.pdf`;
  await page.goto(`${demo.baseUrl}/organisation/operations-document`);
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  await page.pdf({ path: printed, preferCSSPageSize: true });
  const sheets = execFileSync("pdftotext", ["-layout", printed, "-"]).toString().split("\f").filter((sheet) => sheet.trim());
  assert.match(sheets.join(""), /openssl dgst[^]*jwt\.encode[^]*RS256/);
  sheets.forEach((sheet) => assert.ok(sheet.trim().split("\n").at(-1).includes(card.unifiedBusinessNumber), sheet));
  const footers = pdf.split("\f").filter((sheet) => sheet.trim()).map((sheet) => sheet.trim().split("\n").at(-1));
  assert.ok(footers.length > 3);
  footers.forEach((footer, n) => assert.ok(footer.includes(`${card.unifiedBusinessNumber}`) && footer.endsWith(`${n + 1}/${footers.length}`), footer));
  assert.ok(!pdf.includes(issKey) && !pdf.includes("PRIVATE KEY"));
});

test("a question is tried in the sandbox with a key that stays in the browser", async () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await open(`/acts/registerKey?ubn=${card.unifiedBusinessNumber}`);
  await page.fill('[name="/label"]', "試查");
  await page.check('[name="/environment"][value="sandbox"]');
  await page.fill('[name="/publicKeyPem"]', publicKey.export({ type: "spki", format: "pem" }));
  await page.click("#go-on");
  await sign(card.slot, card.pin);
  const secret = await page.textContent("#iss-key");
  await open("/organisation/try");
  await page.selectOption("#try-number", "A190000071");
  await page.fill("#try-iss", secret);
  const file = (text) => ({ name: "private-key.pem", mimeType: "text/plain", buffer: Buffer.from(text) });
  await page.setInputFiles("#try-key", file("no key"));
  await page.click("#try button");
  await page.waitForSelector("text=無法讀取這個檔案");
  await page.setInputFiles("#try-key", file(privateKey.export({ type: "pkcs8", format: "pem" })));
  // The key is in force within a second; then the number that plays "reported lost" says so.
  for (let tries = 0; tries < 20; tries += 1) {
    await page.click("#try button");
    await page.waitForFunction(() => document.getElementById("try-status").textContent === "");
    if (/^200/.test(await page.textContent("#try-reply"))) break;
    await page.waitForTimeout(200);
  }
  assert.match(await page.textContent("#try-reply"), /^200\n[^]*"checkIdCardApply": "7"/);
  assert.match(await page.textContent("#try-claims"), /"personId\\": \\"A190000071|A190000071/);
  assert.match(await page.textContent("#try-request"), /Authorization: Bearer eyJ/);
  await look("organisation-try");
});

// Every act of one's own page: as it opens, with its errors, with everything shown, at the signature and done.
const act = async (name, { from, link, wrong = {}, typed = {}, done }) => {
  await open(from);
  await page.click(`main ${link}`);
  await page.waitForURL("**/drafts/**");
  await look(`${name}-opened`);
  const fill = async (values) => {
    for (const [field, value] of Object.entries(values)) await page.fill(`[name="${field}"] >> nth=0`, value);
  };
  if (Object.keys(wrong).length > 0) {
    await fill(wrong);
    await page.click("#go-on");
    assert.ok((await page.locator(".summary li").count()) > 0, name);
    await look(`form-${name}-errors`);
  }
  await fill(typed);
  // A form of several steps is gone through with what is known already.
  for (let steps = 0; steps < 5 && !/\/(sign\/|check$)/.test(new URL(page.url()).pathname); steps += 1) await page.click("#go-on");
  if (page.url().endsWith("/check")) {
    await look(`${name}-check`);
    for (const box of await page.locator("main form input[type=checkbox]").all()) await box.check();
    await page.click("#go-on");
  }
  assert.match(new URL(page.url()).pathname, /^\/sign\//, await page.textContent("main"));
  await look(`${name}-sign`);
  if (!done) return;
  await sign(card.slot, card.pin);
  assert.match(await page.textContent("main"), done);
  await look(`${name}-done`);
};

test("every other act of one's own page", async () => {
  await act("change-contact", {
    from: "/organisation/contact", link: 'a[href^="/acts/changeContact"]', wrong: { "/contact/email": "it.example" },
    typed: { "/contact/email": "second@example.com" }, done: /已通知原來與新的電子信箱/,
  });
  await act("change-address", {
    from: "/organisation/contact", link: 'a[href^="/apply/form?kind=changeAddress"]', wrong: { hosts: "300.1.1.1" },
    typed: { hosts: "127.0.0.2", "/reason": "搬遷機房" }, done: /\d{8}-\d+|案件編號/,
  });
  await open("/organisation/cases");
  await page.click('main tbody a[href^="/organisation/cases/"] >> nth=0');
  const openCase = new URL(page.url()).pathname;
  await act("withdraw", { from: openCase, link: 'a[href^="/acts/withdraw"]', done: /撤回/ });
  await act("rotate", { from: "/organisation/keys", link: 'a[href^="/acts/rotateIssKey"]', done: /Iss Key/ });
  await act("revoke-key", { from: "/organisation/keys", link: 'a[href^="/acts/revokeKey"] >> nth=0', done: /金鑰/ });
  await act("suspend", { from: "/organisation/contact", link: 'a[href^="/apply/form?kind=suspend"]', typed: { "/reason": "改以人工查驗" } });
});

test("a company's system is told of events", async () => {
  const statuses = [410];
  const came = [];
  const receiver = createServer((request, response) => {
    came.push(request.headers["webhook-id"]);
    request.resume().on("end", () => response.writeHead(statuses.shift() ?? 204).end());
  });
  await new Promise((resolve) => { receiver.listen(0, "127.0.0.1", resolve); });
  const url = `http://127.0.0.1:${receiver.address().port}/hooks`;
  await act("set-webhook", {
    from: "/organisation/contact", link: 'a[href^="/acts/setWebhook"]', wrong: { "/url": "http://hooks.example.com/" },
    typed: { "/url": url }, done: /whsec_/,
  });
  const until = async (words) => {
    for (const end = Date.now() + 20_000; ; await page.waitForTimeout(300)) {
      await open("/organisation/contact");
      if (words.test(await page.textContent("#webhook"))) return;
      assert.ok(Date.now() < end, await page.textContent("#webhook"));
    }
  };
  await until(/webhook\.set[^]*未送達[^]*410/);
  await look("organisation-webhook");
  await page.click('#webhook form button');
  await until(/webhook\.set[^]*已送達/);
  assert.equal(came.length, 2);
  assert.equal(came[0], came[1], "sent again it is the same event");
  await act("remove-webhook", { from: "/organisation/contact", link: 'a[href^="/acts/removeWebhook"]', done: /移除/ });
  await new Promise((resolve) => { receiver.close(resolve); });
});

test("last uses are told", async () => {
  await open("/organisation/keys");
  const used = page.locator("tbody tr", { hasText: "試查" }).locator('[data-label="上次使用"]');
  // Kept within half a minute of the question that was tried.
  for (const until = Date.now() + 40_000; !/\d{2}:\d{2}/.test(await used.textContent()); await page.reload()) {
    assert.ok(Date.now() < until, await used.textContent());
    await page.waitForTimeout(1000);
  }
});

test("ending the session ends what the page shows", async () => {
  await open("/organisation");
  await page.click('form[action="/organisation/leave"] button');
  assert.equal(new URL(page.url()).pathname, "/progress");
  await page.goto(`${demo.baseUrl}/organisation`);
  assert.equal(new URL(page.url()).pathname, "/progress");
});

test("the PIN never reached our server", () => {
  const ours = posted.filter((body) => body.includes("csrf="));
  assert.ok(ours.length > 0);
  for (const body of ours) assert.ok(![...new URLSearchParams(body).values()].includes(card.pin));
});
