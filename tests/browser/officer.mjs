// An officer's day in a real browser against a running `idcheck demo`: sign in with the second factor, ask, receive the answer
// that the applicant signs with the card, preview and approve, send a notice, revoke with a second person, sweep.
// IDCHECK_TEST_DEMO_JSON names its demo.json, IDCHECK_TEST_PROGRAM the program. Every page is checked with axe at two widths.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { demo, fillIn, launch, look as lookAt, lookInBoth, totp } from "./common.mjs";

const cards = demo.cards.filter((c) => c.kind === "company" && c.state === "valid");
const card = cards[0];
const officer = (username) => demo.officers.find((o) => o.username === username);

let browser;
let console_; // the officer's browser
let second; // the second person's
let applicant; // the company's
let caseNumber;

const open = async (page, path) => {
  const response = await page.goto(demo.baseUrl + path);
  assert.equal(response.status(), 200, path);
};
const press = async (page, selector) => {
  const [response] = await Promise.all([page.waitForNavigation(), page.click(selector)]);
  assert.ok(response.status() < 400, `${selector}: ${response.status()} ${await page.textContent("main")}`);
};
const text = (page) => page.textContent("main");
const look = (name) => lookAt(console_, name);

const signIn = async (page, username) => {
  const who = officer(username);
  await open(page, "/officer/sign-in");
  await page.fill("#username", who.username);
  await page.fill("#password", who.password);
  await page.fill("#totp", totp(who.totpSecret));
  await press(page, "main form button");
  assert.match(await text(page), /待辦/);
};

const sign = async (page) => {
  await page.click("#cards-button");
  await page.waitForSelector("#pin", { state: "visible" });
  if (await page.isVisible("#slot")) await page.selectOption("#slot", card.slot);
  await page.fill("#pin", card.pin);
  // The answer is another document, be its address the same or not.
  await page.evaluate(() => { window.waits = true; });
  await page.click("#sign-button");
  await page.waitForFunction(() => !window.waits && document.readyState === "complete");
};

const progress = async () => {
  await open(applicant, "/progress");
  await applicant.fill('[name="ubn"]', card.unifiedBusinessNumber);
  await applicant.click("#go-on");
  await sign(applicant);
};

before(async () => {
  browser = await launch();
  const page = async () => (await browser.newContext({ locale: "zh-TW" })).newPage();
  [console_, second, applicant] = [await page(), await page(), await page()];
});
after(async () => browser?.close());

test("an application comes in", async () => {
  await fillIn(applicant, card);
  await applicant.click("#go-on");
  await sign(applicant);
  caseNumber = decodeURIComponent(new URL(applicant.url()).pathname.split("/").at(-1));
});

test("sign in with the second factor; the queue by filter and by keyboard", async () => {
  await signIn(console_, "reviewer1");
  assert.match(await console_.textContent("tbody"), new RegExp(`${caseNumber}[^]*無人承辦`), "it waits");
  await lookInBoth(console_, "officer-worklist");
  await press(console_, 'header nav a[href="/officer/applications"]');
  await console_.selectOption("#assignee", "none");
  await console_.fill("#q", caseNumber);
  await press(console_, ".filters button");
  const address = new URL(console_.url());
  assert.deepEqual([address.searchParams.get("q"), address.searchParams.get("assignee")], [caseNumber, "none"]);
  assert.equal(await console_.locator("tbody tr").count(), 1);
  assert.match(await console_.textContent("tbody"), /尚餘 5 個工作日[\s\S]*無人承辦/);
  await look("officer-queue-filtered");
  await console_.locator("main").focus();
  await console_.keyboard.press("?");
  assert.ok(await console_.isVisible("#keys"));
  await look("officer-keys");
  await console_.keyboard.press("Escape");
  // Turned off, a key does nothing; turned on again, it goes to the case.
  await console_.click("[data-keys]");
  await console_.uncheck("#keys-on");
  await console_.click("#keys button");
  await console_.keyboard.press("j");
  assert.notEqual(await console_.evaluate(() => document.activeElement.textContent), caseNumber);
  await console_.click("[data-keys]");
  await console_.check("#keys-on");
  await console_.click("#keys button");
  await console_.locator("main").focus();
  await console_.keyboard.press("j");
  assert.equal(await console_.evaluate(() => document.activeElement.textContent), caseNumber);
  await Promise.all([console_.waitForNavigation(), console_.keyboard.press("Enter")]);
  assert.match(await console_.title(), new RegExp(caseNumber));
});

test("claim, and ask with a template", async () => {
  await press(console_, 'form[action$="/claim"] button');
  await console_.check("#step-clarification");
  await console_.fill("#text", "先前所寫");
  await press(console_, '[data-for="clarification"] button >> nth=0');
  const question = await console_.inputValue("#text");
  assert.ok(question.startsWith("先前所寫\n") && question.length > 15, "a template comes below what was typed");
  await look("officer-case-template");
  await console_.fill("#text", `${question}\n請附說明。`);
  // The other language, a reload and a session that ended lose nothing of it.
  await Promise.all([console_.waitForNavigation(), console_.click('header a[hreflang="en"]')]);
  assert.match(await console_.textContent("#decide"), /What you typed before/);
  assert.ok(await console_.isChecked("#step-clarification"));
  const asked = console_.url().split("?")[0];
  await console_.goto(`${asked}?lang=zh-Hant-TW`);
  const session = (await console_.context().cookies()).filter((cookie) => cookie.name === "idcheck-officer");
  await console_.context().clearCookies({ name: "idcheck-officer" });
  await console_.reload();
  assert.match(console_.url(), /\/officer\/sign-in$/);
  await console_.context().addCookies(session);
  await console_.goto(asked);
  assert.equal(await console_.inputValue("#text"), `${question}\n請附說明。`);
  await press(console_, "#decide button:not(.chip):not(.for)");
  assert.match(await text(console_), /待補件/);
  const home = console_.url();
  await open(console_, `/officer/applications?q=${caseNumber}`);
  assert.match(await console_.textContent("tbody"), /待補件[\s\S]*reviewer1/);
  await console_.goto(home);
});

test("the applicant answers with the card", async () => {
  await progress();
  await applicant.click('a[href^="/acts/answerClarification"]');
  assert.match(await text(applicant), /請附說明。/, "what is answered is beside the answer");
  await applicant.fill('[name="/answer"]', "依金融機構防制洗錢辦法第三條。");
  // What is no document is told at its place, with nothing lost; then two that are.
  const file = (name, content) => ({ name, mimeType: "application/octet-stream", buffer: Buffer.from(content) });
  await applicant.setInputFiles('input[type="file"]', [file("程式.pdf", "MZ")]);
  await Promise.all([applicant.waitForNavigation(), applicant.click('[value="attach"]')]);
  assert.match(await applicant.textContent(".summary"), /程式\.pdf：[^]*PDF、PNG 或 JPEG/);
  await lookInBoth(applicant, "answer-file-refused");
  assert.match(await applicant.inputValue('[name="/answer"]'), /第三條/);
  await applicant.setInputFiles('input[type="file"]', [file("授權書.pdf", `%PDF-1.7 ${"x".repeat(300_000)}`)]);
  await press(applicant, '[value="attach"]');
  await applicant.setInputFiles('input[type="file"]', [file("照片.jpeg", Buffer.from([0xff, 0xd8, 0xff, 0xe0]))]);
  await press(applicant, '[value="attach"]');
  await lookInBoth(applicant, "answer-files");
  await press(applicant, '.files li:has-text("照片.jpeg") button');
  assert.doesNotMatch(await text(applicant), /照片\.jpeg/);
  await applicant.click("#go-on");
  assert.match(await text(applicant), /授權書\.pdf/, "what is signed is named");
  await sign(applicant);
});

test("the answer is there; the mail is seen before the approval", async () => {
  await console_.reload();
  assert.match(await text(console_), /依金融機構防制洗錢辦法第三條。/);
  await lookInBoth(console_, "officer-case-answered");
  const saved = console_.waitForEvent("download");
  await console_.click('.files a:has-text("授權書.pdf")');
  assert.equal((await saved).suggestedFilename(), "授權書.pdf", "a file is saved and not shown");
  // With the keyboard: `a` chooses the approval and goes to its text.
  await console_.locator("main").focus();
  await console_.keyboard.press("a");
  await console_.keyboard.type("經審核同意。");
  await press(console_, '#decide [value="preview"]');
  assert.match(await console_.textContent("#preview"), /it@example.com[\s\S]*經審核同意。/);
  assert.equal(await console_.inputValue("#text"), "經審核同意。", "what was typed stays beside the preview");
  await look("officer-preview");
  await press(console_, "#decide button:not(.chip):not(.for)");
  assert.match(await text(console_), /核准/);
});

// Asks about two persons' cards with wrong data, again and again, until there is something to notice.
const guess = async () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await open(applicant, `/acts/registerKey?ubn=${card.unifiedBusinessNumber}`);
  await applicant.fill('[name="/label"]', "主機");
  await applicant.fill('[name="/publicKeyPem"]', publicKey.export({ type: "spki", format: "pem" }));
  await applicant.click("#go-on");
  await sign(applicant);
  await progress();
  const account = /A[WX]\d{3}/.exec(await text(applicant))[0];
  await applicant.click('a[href^="/acts/revealIssKey"]');
  await applicant.click("#go-on");
  await sign(applicant);
  const iss = await applicant.textContent("#iss-key");
  const persons = demo.persons.filter((p) => p.status === "normal").slice(0, 30);
  for (const person of [...persons, ...persons]) {
    const now = Math.floor(Date.now() / 1000);
    const applyYyymmdd = person.applyYyymmdd === "0950102" ? "0950103" : "0950102";
    const { personId, applyCode, issueSiteId } = person;
    const claims = {
      orgId: card.unifiedBusinessNumber, apId: account, userId: "teller1", iss, sub: "綠色便民專案", aud: "2026/11/23 10:00:00",
      jobId: "V2C201", opType: "RW", iat: now - 60, exp: now + 120, jti: randomUUID(),
      conditionMap: JSON.stringify({ personId, applyCode, applyYyymmdd, issueSiteId }),
    };
    const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const head = `${encode({ alg: "RS256", typ: "JWT" })}.${encode(claims)}`;
    const token = `${head}.${createSign("RSA-SHA256").update(head).sign(privateKey, "base64url")}`;
    const answer = await fetch(`${demo.baseUrl}/integration/rwv2c2`, {
      headers: { Authorization: `Bearer ${token}`, "sris-consumerAdminId": "00000000", "content-type": "application/json" },
    });
    const told = await answer.text();
    assert.equal(answer.status, 200, told);
  }
};

test("a sweep: begun, another name found, left as it is with a reason", async () => {
  const data = dirname(process.env.IDCHECK_TEST_DEMO_JSON);
  const register = join(data, "register.csv");
  const header = "營業地址,統一編號,總機構統一編號,營業人名稱,資本額,設立日期,組織別名稱,使用統一發票";
  const row = `臺北市,${card.unifiedBusinessNumber},,改名後股份有限公司,1000000,0990101,股份有限公司,Y`;
  writeFileSync(register, [header, "23-NOV-26,,,,,,,", row].join("\n"));
  const environment = { IDCHECK_DATABASE_URL: `sqlite://${join(data, "idcheck.db")}`, IDCHECK_KEY_FILE: join(data, "key") };
  execFileSync(process.env.IDCHECK_TEST_PROGRAM, ["company", "import", register], { env: { ...process.env, ...environment } });
  await open(console_, "/officer/sweeps");
  await look("officer-sweeps");
  await press(console_, 'form[action="/officer/sweeps"] button');
  const until = Date.now() + 30_000;
  while (!/改名後股份有限公司/.test(await text(console_))) {
    assert.ok(Date.now() < until, "the register was not asked");
    await new Promise((done) => setTimeout(done, 500));
    await console_.reload();
  }
  await look("officer-sweep");
  await console_.fill(`#keep-${card.unifiedBusinessNumber}`, "已來函說明更名，將另案變更。");
  await press(console_, 'form[action$="/keep"] button');
  assert.match(await text(console_), /維持/);
});

test("abnormal use is found; a notice is sent", async () => {
  await guess();
  const until = Date.now() + 60_000;
  await open(console_, "/officer/notices");
  while (!/查驗結果不符比率過高/.test(await text(console_))) {
    assert.ok(Date.now() < until, "nothing was found within a minute");
    await new Promise((done) => setTimeout(done, 1000));
    await console_.reload();
  }
  await look("officer-notices");
  await press(console_, `main a[href*="${card.unifiedBusinessNumber}"] >> nth=0`);
  await look("officer-organisation");
  await console_.locator('form[action$="/send-notice"] textarea').first().fill("請說明大量不符之原因。");
  await press(console_, 'form[action$="/send-notice"] button >> nth=0');
  assert.match(await text(console_), /已通知，待說明/);
});

// What only a company that something was found about is asked for: as it opens, with its errors and with everything shown.
const asked = async (act, wrong, typed) => {
  await applicant.click(`main a[href^="/acts/${act}"] >> nth=0`);
  await applicant.waitForURL("**/drafts/**");
  await lookInBoth(applicant, `${act}-opened`);
  await applicant.fill(Object.keys(wrong)[0], Object.values(wrong)[0]);
  await applicant.click("#go-on");
  assert.ok((await applicant.locator(".summary li").count()) > 0);
  await lookAt(applicant, `${act}-errors`);
  for (const [field, value] of Object.entries(typed)) await applicant.fill(field, value);
  await applicant.click("#go-on");
  await lookInBoth(applicant, `${act}-sign`);
  await sign(applicant);
  await lookInBoth(applicant, `${act}-done`);
};

test("the company explains what was found", async () => {
  await progress();
  await lookInBoth(applicant, "organisation-noticed");
  await asked("explain", { '[name="/explanation"]': "" }, { '[name="/explanation"]': "測試程式使用了過期的名單，已停用。" });
});

test("use is drawn for officers and for the company", async () => {
  await open(console_, `/officer/usage?ubn=${card.unifiedBusinessNumber}`);
  assert.ok((await console_.locator("svg.chart rect").count()) > 0);
  for (const table of await console_.locator("details > summary").all()) await table.click();
  await look("officer-usage");
  await open(console_, "/officer/usage");
  await look("officer-usage-all");
  await progress();
  await applicant.click('.tabs a[href="/organisation/usage"]');
  assert.ok((await applicant.locator("#usage ~ figure svg rect").count()) > 0);
  await lookAt(applicant, "organisation-usage");
});

test("revoked by two persons", async () => {
  const home = `/officer/organisations/${card.unifiedBusinessNumber}`;
  await open(console_, home);
  await console_.click('details:has(form[action$="/revoke"]) > summary');
  await console_.selectOption('form[action$="/revoke"] select', "abuse");
  await console_.fill('form[action$="/revoke"] textarea', "大量試探，未說明。");
  await press(console_, 'form[action$="/revoke"] button');
  assert.match(await text(console_), /待第二人確認/);
  assert.equal(await console_.locator('form[action$="/confirm"]').count(), 0, "who asked can't confirm");
  await signIn(second, "supervisor1");
  await open(second, "/officer/waiting");
  await lookAt(second, "officer-waiting");
  await open(second, home);
  await press(second, 'form[action$="/confirm"] button');
  assert.match(await text(second), /已確認註銷/);
  await lookAt(second, "officer-organisation-revoked");
  await progress();
  assert.match(await text(applicant), /註銷/);
  await lookInBoth(applicant, "organisation-revoked");
  await asked("submitImprovementPlan", { '[name="/plan"]': "" }, { '[name="/plan"]': "名單每日核對，並限制每人每日查驗次數。" });
});

test("an auditor follows a case and one of its entries", async () => {
  const auditor = await (await browser.newContext({ locale: "zh-TW" })).newPage();
  const who = officer("auditor1");
  await open(auditor, "/officer/sign-in");
  await auditor.fill("#username", who.username);
  await auditor.fill("#password", who.password);
  await auditor.fill("#totp", totp(who.totpSecret));
  await press(auditor, "main form button");
  assert.equal(new URL(auditor.url()).pathname, "/officer/audit", "who audits begins here");
  await auditor.fill("#about", caseNumber);
  await press(auditor, ".filters button");
  assert.match(await text(auditor), new RegExp(`reviewer1[^]*核准案件[^]*案件 ${caseNumber}`));
  await lookInBoth(auditor, "officer-audit");
  // A company's number finds what was done to its cases, notices and keys as well, and what it did itself.
  await auditor.fill("#about", card.unifiedBusinessNumber);
  await press(auditor, ".filters button");
  assert.match(await text(auditor), /確認註銷[^]*通知機構說明[^]*核准案件[^]*API申請/);
  await auditor.selectOption("#what", "application.approve");
  await press(auditor, ".filters button");
  assert.equal(await auditor.locator("tbody tr").count(), 1);
  await press(auditor, "tbody th a");
  assert.match(await text(auditor), /application\.approve/);
  await lookInBoth(auditor, "officer-audit-entry");
  await press(auditor, `main a:text-is("${caseNumber}")`);
  assert.match(await auditor.title(), new RegExp(caseNumber));
  assert.equal(await auditor.locator("#decide").count(), 0, "nothing is offered that would be refused");
  await lookAt(auditor, "officer-case-auditor");
  await press(auditor, 'main a[href^="/officer/audit?about="]');
  assert.match(await text(auditor), /核准案件/);
});

test("an admin keeps the templates", async () => {
  const admin = await (await browser.newContext({ locale: "en" })).newPage();
  const who = officer("admin1");
  await open(admin, "/officer/sign-in");
  await admin.fill("#username", who.username);
  await admin.fill("#password", who.password);
  await admin.fill("#totp", totp(who.totpSecret));
  await admin.click("main form button");
  await open(admin, "/officer/templates");
  for (const details of await admin.locator("details > summary").all()) await details.click();
  await lookAt(admin, "officer-templates");
  await admin.fill("#new-title", "Other");
  await admin.fill("#new-text", "{company}: other");
  await press(admin, 'form[action="/officer/templates"] button');
  assert.match(await text(admin), /\{company\}: other/);
});
