// An officer adds a passkey and signs in with it: our program at `localhost`, which browsers take for safe, and Chromium's own virtual
// authenticator. IDCHECK_TEST_DEMO_JSON names a running demo, whose trust folder is used.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, look, lookInBoth, tabTo, totp } from "./common.mjs";
import { Program, freePort } from "./program.mjs";

const PASSWORD = "a long password of lin";

let program;
let base;
let browser;
let page;
let devtools;
let authenticator;
let secret;

// A browser whose device knows a finger, or does not want it.
const device = async () => {
  page = await (await browser.newContext({ locale: "zh-TW" })).newPage();
  devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true };
  ({ authenticatorId: authenticator } = await devtools.send("WebAuthn.addVirtualAuthenticator", { options }));
};
const verifies = (isUserVerified) => devtools.send("WebAuthn.setUserVerified", { authenticatorId: authenticator, isUserVerified });

before(async () => {
  program = new Program("localhost", await freePort());
  base = program.base;
  program.run(["migrate", "up"]);
  const added = program.run(["officer", "add", "lin", "--role", "reviewer"], `${PASSWORD}\n`);
  secret = /secret=([A-Z2-7]+)/.exec(added)?.[1] ?? /\b[A-Z2-7]{32}\b/.exec(added)?.[0];
  assert.ok(secret, added);
  await program.serve();
  browser = await launch();
  await device();
});

after(async () => {
  await browser?.close();
  program?.end();
});

const text = () => page.textContent("main");
const signedIn = () => page.waitForURL(`${base}/officer`);
// A code is good once: the next one has to be waited for.
let spent;
const code = async () => {
  while (totp(secret) === spent) await page.waitForTimeout(500);
  spent = totp(secret);
  return spent;
};

test("with password and code a passkey is added", async () => {
  await page.goto(`${base}/officer/sign-in`);
  await lookInBoth(page, "sign-in-with-passkey");
  await page.fill("#username", "lin");
  await page.fill("#password", PASSWORD);
  await page.fill("#totp", await code());
  await page.click('form[action="/officer/sign-in"] button');
  await signedIn();
  await page.goto(`${base}/officer/account`);
  await lookInBoth(page, "own-account-passkeys");
  // Nobody adds one with the session alone, and nothing that was typed is lost.
  await page.fill("#passkey-name", "辦公室電腦");
  await page.fill("#passkey-totp", "000000");
  await Promise.all([page.waitForNavigation(), page.click("#passkey button")]);
  assert.match(await page.textContent(".summary"), /不是驗證器目前顯示的數字/);
  assert.equal(await page.inputValue("#passkey-name"), "辦公室電腦");
  await look(page, "own-account-passkey-refused");
  // What the device made then is not known here: it makes another.
  await devtools.send("WebAuthn.clearCredentials", { authenticatorId: authenticator });
  await page.fill("#passkey-totp", await code());
  await Promise.all([page.waitForNavigation(), page.click("#passkey button")]);
  assert.match(await text(), /辦公室電腦[^]*未曾使用/);
  await lookInBoth(page, "own-account-with-passkey");
});

test("the same device makes no second one", async () => {
  await page.fill("#passkey-name", "再一把");
  await page.click("#passkey button");
  await page.waitForSelector("text=這個裝置已有您的通行金鑰");
});

const signOut = async () => {
  await page.goto(`${base}/officer`);
  await Promise.all([page.waitForNavigation(), page.click('form[action="/officer/sign-out"] button')]);
};

test("the officer signs in with the passkey and the keyboard only", async () => {
  await signOut();
  await tabTo(page, "#passkey button");
  await page.keyboard.press("Enter");
  await signedIn();
  await page.goto(`${base}/officer/account`);
  assert.doesNotMatch(await page.textContent("#passkeys ~ div table"), /未曾使用/);
});

test("whom the device does not verify is not let in, and is told", async () => {
  await signOut();
  await verifies(false);
  await page.click("#passkey button");
  await page.waitForSelector("text=已取消或逾時");
  await verifies(true);
  // What was signed once is good once.
  let posted;
  page.on("request", (request) => { if (request.url().endsWith("/officer/sign-in/passkey")) posted = request.postData(); });
  await page.click("#passkey button");
  await signedIn();
  await signOut();
  const again = await page.request.post(`${base}/officer/sign-in/passkey`, {
    data: posted, headers: { "content-type": "application/x-www-form-urlencoded" },
  });
  assert.equal(again.status(), 401);
  assert.match(await again.text(), /通行金鑰未被接受/);
});

test("one that was removed, and one of an account with a new sign-in, is none", async () => {
  await page.goto(`${base}/officer/sign-in`);
  await page.click("#passkey button");
  await signedIn();
  program.run(["officer", "reset", "lin"], "another long password\n");
  await page.goto(`${base}/officer/sign-in`);
  await Promise.all([page.waitForNavigation(), page.click("#passkey button")]);
  assert.match(await text(), /通行金鑰未被接受/);
  await look(page, "passkey-refused");
});

test("where the address is no name none is offered", async () => {
  const other = base.replace("localhost", "127.0.0.1");
  await page.goto(`${other}/officer/sign-in`);
  await page.click("#passkey button");
  await page.waitForSelector("text=無法使用通行金鑰");
});
