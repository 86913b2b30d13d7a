// What takes two people, in a real browser against `idcheck demo --two-officers`: an approval, and a revocation after a sweep.
// IDCHECK_TEST_DEMO_JSON names its demo.json, IDCHECK_TEST_PROGRAM the program. Every page is checked with axe in both languages.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { demo, fillIn, launch, look, lookInBoth, totp } from "./common.mjs";

const card = demo.cards.find((c) => c.kind === "company" && c.state === "valid");

let browser;
let caseNumber;
const pages = {};

const press = async (page, selector) => {
  const [response] = await Promise.all([page.waitForNavigation(), page.click(selector)]);
  assert.ok(response.status() < 400, `${selector}: ${response.status()} ${await page.textContent("main")}`);
};
const text = (page) => page.textContent("main");
const DECIDE = "#decide button:not(.chip):not(.for)";

// The officer's own browser; each signs in once.
const as = async (username) => {
  if (pages[username]) return pages[username];
  const page = await (await browser.newContext({ locale: "zh-TW" })).newPage();
  const who = demo.officers.find((o) => o.username === username);
  await page.goto(`${demo.baseUrl}/officer/sign-in`);
  await page.fill("#username", who.username);
  await page.fill("#password", who.password);
  await page.fill("#totp", totp(who.totpSecret));
  await press(page, "main form button");
  pages[username] = page;
  return page;
};

const sign = async (page) => {
  await page.click("#cards-button");
  await page.waitForSelector("#pin", { state: "visible" });
  if (await page.isVisible("#slot")) await page.selectOption("#slot", card.slot);
  await page.fill("#pin", card.pin);
  const here = page.url();
  await Promise.all([page.waitForURL((url) => url.href !== here), page.click("#sign-button")]);
};

before(async () => { browser = await launch(); });
after(async () => browser?.close());

test("an application comes in", async () => {
  const page = await (await browser.newContext({ locale: "zh-TW" })).newPage();
  await fillIn(page, card);
  await page.click("#go-on");
  await sign(page);
  caseNumber = decodeURIComponent(new URL(page.url()).pathname.split("/").at(-1));
});

test("the first officer proposes, and can't approve", async () => {
  const page = await as("reviewer1");
  await press(page, `text=${caseNumber}`);
  await press(page, 'form[action$="/claim"] button');
  assert.equal(await page.locator("#step-approve").count(), 0, "nothing is offered that would be refused");
  await page.check("#step-propose-approval");
  await page.fill("#text", "請先於測試環境完成測試。");
  await press(page, '#decide [value="preview"]');
  assert.match(await page.textContent("#preview"), /it@example.com[^]*請先於測試環境完成測試。/, "the mail of the approval");
  await look(page, "two-proposing");
  await press(page, DECIDE);
  assert.match(await text(page), /待覆核/);
  assert.deepEqual(await page.locator("#decide [type=radio]").evaluateAll((all) => all.map((one) => one.value)), ["return-to-review"]);
  await lookInBoth(page, "two-proposed");
  await page.goto(`${demo.baseUrl}/officer`);
  assert.ok(!(await text(page)).includes(caseNumber), "it waits for somebody else");
});

test("the second officer returns it, and approves what is proposed again", async () => {
  const page = await as("reviewer2");
  assert.match(await text(page), new RegExp(`${caseNumber}[^]*待覆核`));
  await press(page, `text=${caseNumber}`);
  assert.equal(await page.inputValue("#text"), "請先於測試環境完成測試。", "the note that was proposed");
  await lookInBoth(page, "two-second");
  await page.check("#step-return-to-review");
  await page.fill("#text", "請確認法條。");
  await press(page, DECIDE);
  assert.match(await text(page), /審核中[^]*退回審核 · reviewer2[^]*請確認法條。/);
  const first = await as("reviewer1");
  await first.goto(page.url());
  await first.check("#step-propose-approval");
  await press(first, DECIDE);
  await page.reload();
  await page.check("#step-approve");
  await press(page, DECIDE);
  assert.match(await text(page), /提請覆核 · reviewer1[^]*核准 · reviewer2/);
});

test("the guide is at hand", async () => {
  const page = await as("reviewer2");
  await press(page, 'a[href="/officer/guide"]');
  assert.match(await text(page), /審核作業手冊[^]*未寄達的郵件/);
  await lookInBoth(page, "officer-guide");
});

test("a sweep is begun by one supervisor, and confirmed by another", async () => {
  const data = dirname(process.env.IDCHECK_TEST_DEMO_JSON);
  const register = join(data, "register.csv");
  const header = "營業地址,統一編號,總機構統一編號,營業人名稱,資本額,設立日期,組織別名稱,使用統一發票";
  const other = demo.cards.find((c) => c.kind === "company" && c.unifiedBusinessNumber !== card.unifiedBusinessNumber);
  const row = `臺北市,${other.unifiedBusinessNumber},,${other.companyName},1000000,0990101,股份有限公司,Y`;
  writeFileSync(register, [header, "23-NOV-26,,,,,,,", row].join("\n"));
  const environment = { IDCHECK_DATABASE_URL: `sqlite://${join(data, "idcheck.db")}`, IDCHECK_KEY_FILE: join(data, "key") };
  execFileSync(process.env.IDCHECK_TEST_PROGRAM, ["company", "import", register], { env: { ...process.env, ...environment } });
  const one = await as("supervisor1");
  await one.goto(`${demo.baseUrl}/officer/sweeps`);
  await press(one, 'form[action="/officer/sweeps"] button');
  const sweep = one.url();
  for (const until = Date.now() + 30_000; (await one.locator('form[action$="/keep"]').count()) === 0; await one.reload()) {
    assert.ok(Date.now() < until, "the register was not asked");
    await new Promise((done) => setTimeout(done, 500));
  }
  assert.equal(await one.locator('form[action*="/confirm"]').count(), 0, "who began it can't confirm");
  const two = await as("supervisor2");
  await two.goto(`${demo.baseUrl}/officer`);
  assert.match(await text(two), /年度清查[^]*1 家機構待處理/);
  await press(two, `main a[href="${new URL(sweep).pathname}"]`);
  await lookInBoth(two, "two-sweep");
  await press(two, 'form[action*="/confirm"] button >> nth=0');
  assert.match(await text(two), /supervisor2/);
  await two.goto(`${demo.baseUrl}/officer/organisations/${card.unifiedBusinessNumber}`);
  assert.match(await text(two), /註銷/);
  await lookInBoth(two, "two-revoked");
});
