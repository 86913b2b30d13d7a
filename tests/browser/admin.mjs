// An admin's day in a real browser against a running `idcheck demo`, by the keyboard alone: an officer is invited, sets up a sign-in,
// gets another role, is signed out and closed; the templates; one's own sessions. Every page is checked with axe at two widths.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { demo, launch, look, lookInBoth, tabTo, totp } from "./common.mjs";

const PASSWORD = "correct horse battery";
const who = demo.officers.find((officer) => officer.username === "admin1");

let browser;
let admin;
let newcomer;
let code;

const text = (page) => page.textContent("main");
const pathOf = (page) => new URL(page.url()).pathname;

// Types into the fields, each reached by Tab, and sends the form with Enter.
const type = async (page, fields) => {
  for (const [selector, value] of Object.entries(fields)) {
    await tabTo(page, selector);
    await page.keyboard.press("Control+a");
    await page.keyboard.type(value);
  }
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
};

// Reaches a button or link by Tab and presses it.
const press = async (page, selector) => {
  await tabTo(page, selector);
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
};

const choose = async (page, selector, value) => {
  await tabTo(page, selector);
  const values = await page.locator(`${selector} option`).evaluateAll((all) => all.map((option) => option.value));
  const now = await page.locator(selector).inputValue();
  const steps = values.indexOf(value) - values.indexOf(now);
  for (let step = 0; step < Math.abs(steps); step += 1) await page.keyboard.press(steps > 0 ? "ArrowDown" : "ArrowUp");
  assert.equal(await page.locator(selector).inputValue(), value);
};

const takeUp = async (page, typed) => {
  await page.goto(`${demo.baseUrl}/officer/sign-in`);
  await press(page, 'main a[href="/officer/invitation"]');
  await type(page, { "#username": "chen.2", "#code": typed });
};

before(async () => {
  browser = await launch();
  admin = await (await browser.newContext({ locale: "zh-TW" })).newPage();
  newcomer = await (await browser.newContext({ locale: "zh-TW" })).newPage();
});
after(() => browser.close());

test("an admin begins at the accounts and invites an officer", async () => {
  await admin.goto(`${demo.baseUrl}/officer/sign-in`);
  await type(admin, { "#username": who.username, "#password": who.password, "#totp": totp(who.totpSecret) });
  assert.equal(pathOf(admin), "/officer/accounts");
  await lookInBoth(admin, "admin-accounts");
  // What a role may not do is not offered.
  const places = await admin.locator("nav a").evaluateAll((all) => all.map((link) => new URL(link.href).pathname));
  for (const place of places.filter((path) => path.startsWith("/officer"))) {
    const response = await admin.request.get(demo.baseUrl + place);
    assert.equal(response.status(), 200, place);
  }
  await type(admin, { "#username": "Chen 2" });
  assert.match(await text(admin), /帳號為 3 至 32 個/);
  await look(admin, "admin-accounts-refused");
  await choose(admin, "#role", "auditor");
  await type(admin, { "#username": "chen.2" });
  code = (await admin.textContent("dd.mono")).trim();
  assert.match(code, /^([A-Z2-9]{5}-){3}[A-Z2-9]{5}$/);
  await look(admin, "admin-invited");
  await press(admin, "main a.button");
  assert.match(await text(admin), /已邀請/);
});

test("the officer sets up a sign-in", async () => {
  await takeUp(newcomer, "AAAAA-AAAAA-AAAAA-AAAAA");
  assert.match(await text(newcomer), /無法使用此代碼|代碼錯誤/);
  await lookInBoth(newcomer, "admin-invitation-refused");
  await takeUp(newcomer, code.toLowerCase().replaceAll("-", " "));
  await look(newcomer, "admin-invitation");
  assert.ok(await newcomer.locator("svg.qr path").count(), "a picture for the authenticator");
  const secret = (await newcomer.textContent(".factor dd.mono")).replaceAll(" ", "");
  await type(newcomer, { "#totp": "000000", "#password": PASSWORD });
  assert.match(await text(newcomer), /這不是驗證器目前顯示的數字/);
  await look(newcomer, "admin-invitation-wrong");
  await type(newcomer, { "#totp": totp(secret), "#password": PASSWORD });
  assert.equal(pathOf(newcomer), "/officer/audit", "an auditor begins here");
  await press(newcomer, '.tools a[href="/officer/account"]');
  await lookInBoth(newcomer, "officer-own-account");
  assert.match(await text(newcomer), /Chrom[^]*本裝置/);
});

test("an admin changes a role, ends a session, resets and closes", async () => {
  await admin.goto(`${demo.baseUrl}/officer/accounts`);
  await press(admin, 'main a[href="/officer/accounts/chen.2"]');
  await lookInBoth(admin, "admin-account");
  await choose(admin, "#role", "reviewer");
  await press(admin, 'form[action$="/role"] button');
  await newcomer.goto(`${demo.baseUrl}/officer`);
  assert.match(await text(newcomer), /待辦/, "a reviewer from the next page on");
  await press(admin, 'form[action$="/end-session"] button');
  assert.match(await text(admin), /目前沒有登入中的裝置/);
  await newcomer.goto(`${demo.baseUrl}/officer`);
  assert.equal(pathOf(newcomer), "/officer/sign-in");
  await press(admin, 'form[action$="/reset"] button');
  assert.notEqual((await admin.textContent("dd.mono")).trim(), code);
  await press(admin, "main a.button");
  await press(admin, 'form[action$="/close"] button');
  assert.match(await text(admin), /已關閉/);
  await look(admin, "admin-account-closed");
  // Nobody locks themselves out.
  await admin.goto(`${demo.baseUrl}/officer/accounts/admin1`);
  assert.equal(await admin.locator('form[action$="/close"]').count(), 0);
  await look(admin, "admin-account-own");
});

test("an admin keeps the templates", async () => {
  await press(admin, 'nav a[href="/officer/templates"]');
  await lookInBoth(admin, "admin-templates");
  for (const [selector, value] of [["#new-title", "其他"], ["#new-text", "{company}：其他"]]) {
    await tabTo(admin, selector);
    await admin.keyboard.type(value);
  }
  await press(admin, 'form[action="/officer/templates"] button');
  assert.match(await text(admin), /\{company\}：其他/);
  await press(admin, 'form[action="/officer/sign-out"] button');
  assert.equal(pathOf(admin), "/officer/sign-in");
});
