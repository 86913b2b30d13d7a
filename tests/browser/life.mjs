// The demo as a newcomer finds it: the tour, each officer by one press, and something to see on every page at first sight.
// Against a running `idcheck demo` that was not started with --empty.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { demo, launch, look, lookInBoth, picture, tabTo, totp } from "./common.mjs";

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
  // What a company attached to its explanation is there to be saved.
  await open("/officer/notices");
  await page.click('main a:has-text("示範證券") >> nth=0');
  await page.waitForURL("**/officer/organisations/*");
  const saved = page.waitForEvent("download");
  await page.click('.files a:has-text("教育訓練紀錄.pdf")');
  assert.equal((await saved).suggestedFilename(), "教育訓練紀錄.pdf");
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

// What follows is done with the keyboard alone.
const enter = async () => {
  const [response] = await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  assert.ok(response.status() < 400, `${response.status()} ${await text()}`);
};
const press = async (selector) => {
  await tabTo(page, selector);
  await enter();
};
const write = async (selector, words) => {
  await tabTo(page, selector);
  await page.keyboard.type(words);
};
// Goes down the list with j to the line that tells of it, and opens it.
const goTo = async (words) => {
  for (let lines = 0; lines < 40; lines += 1) {
    await page.keyboard.press("j");
    const line = await page.evaluate(() => document.activeElement?.closest("tr")?.textContent ?? "");
    if (line.includes(words)) return enter();
  }
  return assert.fail(`no line tells of ${words}`);
};
const signIn = async (username) => {
  const who = demo.officers.find((officer) => officer.username === username);
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await open("/officer/sign-in");
    await write("#username", who.username);
    await write("#password", who.password);
    await write("#totp", totp(who.totpSecret));
    await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
    if (!page.url().endsWith("/officer/sign-in")) return;
    // A code is good once.
    await page.waitForTimeout(31_000);
  }
  assert.fail(`${username} can't sign in`);
};
const signOut = () => press('form[action="/officer/sign-out"] button:not([formaction])');

test("a reviewer's day with the keyboard", async () => {
  await page.context().clearCookies();
  await signIn("reviewer1");
  await goTo("示範保險代理人");
  await page.keyboard.press("c");
  await enter();
  await page.keyboard.press("m");
  await page.keyboard.type("請補充主管機關核准文號。");
  await press('button[value="preview"]');
  assert.match(await text(), /預覽[^]*請補充主管機關核准文號/);
  await look(page, "life-preview");
  await press("#decide p button:not([name])");
  assert.match(await text(), /待補件|補件/);
  await page.keyboard.press("q");
  await page.waitForURL("**/officer");
  await goTo("示範數位銀行");
  await page.keyboard.press("c");
  await enter();
  await page.keyboard.press("a");
  await page.keyboard.type("同意");
  await press("#decide p button:not([name])");
  assert.match(await text(), /核准/);
  await lookInBoth(page, "life-approved");
  await press('nav a[href="/officer/notices"]');
  await goTo("以相鄰的身分證統一編號試探");
  const form = 'form[action$="/send-notice"]';
  const own = await page.locator(form).count();
  assert.ok(own >= 1, "a notice can be sent");
  const id = new URL(page.url()).hash.replace("#notice-", "");
  await write(`#send-notice${id}-text`, "請說明以相鄰編號查驗之原因。");
  await press(`form:has(#send-notice${id}-text) button`);
  assert.match(await text(), /已通知，待說明/);
  await lookInBoth(page, "life-notice-sent");
  await signOut();
});

test("the second person's day with the keyboard", async () => {
  await signIn("supervisor1");
  await goTo("示範旅行社");
  await press('form[action$="/confirm"] button');
  assert.match(await text(), /已註銷/);
  await lookInBoth(page, "life-revoked");
  await page.keyboard.press("q");
  await page.waitForURL("**/officer");
  await goTo("示範支付科技");
  await press('form[action$="/approve-plan"] button');
  await signOut();
  // The sweep was begun by supervisor1: another supervisor confirms what it found.
  await signIn("supervisor2");
  await goTo("年度清查");
  await write('form[action$="/keep"] textarea', "已更名，查核無誤");
  await press('form[action$="/keep"] button');
  await press('form[action$="/confirm"] button');
  assert.match(await text(), /示範快遞[^]*註銷/);
  await lookInBoth(page, "life-swept");
  await signOut();
});

test("an auditor's day with the keyboard", async () => {
  await signIn("auditor1");
  await write("#about", "99910065");
  await enter();
  assert.match(await text(), /確認註銷[^]*提出註銷/);
  await goTo("確認註銷");
  assert.match(await text(), /revocation\.confirm/);
  await lookInBoth(page, "life-entry");
  await signOut();
});
