// The demo as a newcomer finds it: the tour, each officer by one press, and something to see on every page at first sight.
// Against a running `idcheck demo` that was not started with --empty.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { demo, launch, lookInBoth, picture } from "./common.mjs";

let browser;
let page;
const text = () => page.textContent("main");
const open = async (path) => {
  const response = await page.goto(demo.baseUrl + path);
  assert.equal(response.status(), 200, path);
};

// Signs in from the tour; a code is good once, so that another one may have to be waited for.
const as = async (username) => {
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await open("/demo");
    await Promise.all([page.waitForNavigation(), page.click(`tr:has-text("${username}") button`)]);
    if (!page.url().endsWith("/officer/sign-in")) return;
    await page.waitForTimeout(31_000);
  }
  assert.fail(`${username} can't sign in`);
};

before(async () => {
  browser = await launch();
  page = await (await browser.newContext({ locale: "zh-TW" })).newPage();
});
after(() => browser.close());

test("the tour leads to cards, officers and mails", async () => {
  await open("/");
  await page.click('main a[href="/demo"]');
  await page.waitForURL("**/demo");
  await lookInBoth(page, "demo");
  assert.match(await text(), /99900003[^]*有效[^]*自然人/);
  await page.click('main a[href^="/demo/mails/"] >> nth=0');
  await page.waitForURL("**/demo/mails/*");
  await lookInBoth(page, "demo-mail");
  assert.match(await text(), /it\d+@example\.com[^]*示範/);
});

test("an officer's pages are alive", async () => {
  await as("supervisor2");
  await lookInBoth(page, "life-worklist");
  await picture(page, "worklist");
  const lines = await page.locator("main tbody tr").count();
  const told = await page.textContent('nav a[href="/officer"] .count');
  assert.ok(lines >= 8, `${lines} lines`);
  assert.equal(Number(told), lines, "the number in the navigation is that of the lines");
  const notices = await page.textContent('nav a[href="/officer/notices"] .count');
  await open("/officer/notices");
  assert.equal(await page.locator("main tbody tr").count(), Number(notices));
  await lookInBoth(page, "life-notices");
  assert.match(await text(), /以相鄰的身分證統一編號試探/);
  for (const [path, wanted] of [
    ["/officer/applications", /(?=[^]*示範人壽保險)(?=[^]*示範資產管理)/], ["/officer/waiting", /示範旅行社[^]*示範支付科技[^]*示範快遞/],
    ["/officer/sweeps", /示範|115\//], ["/officer/usage", /示範電子支付/], ["/officer/organisations/99910028", /示範融資租賃/],
  ]) {
    await open(path);
    assert.match(await text(), wanted, path);
    await lookInBoth(page, `life${path.replaceAll("/", "-")}`);
  }
  // From one case to the next and back.
  await open("/officer");
  await page.click('main tbody a:has-text("API申請") >> nth=0');
  await page.waitForURL("**/officer/applications/*");
  const first = page.url();
  await Promise.all([page.waitForNavigation(), page.keyboard.press("j")]);
  assert.notEqual(page.url(), first, "the next case");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("k")]);
  assert.equal(page.url(), first, "and back");
});

test("an auditor follows what happened", async () => {
  await as("auditor1");
  assert.ok(await page.locator("main tbody tr").count() > 20);
  await open("/officer/audit?about=99910054");
  assert.match(await text(), /確認註銷[^]*提出註銷/);
});
