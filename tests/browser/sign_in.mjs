// Officers sign in through an identity provider: a real one (oidc-provider, certified by the OpenID Foundation), our program
// with `oidc` configured, Chromium between them. IDCHECK_TEST_DEMO_JSON names a running demo, whose trust folder is used.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import Provider from "oidc-provider";
import { launch, look } from "./common.mjs";
import { Program, freePort } from "./program.mjs";

const secret = randomBytes(24).toString("base64url");

let base; // our address
let issuer; // the provider's
let provider; // its server
let program; // ours
let browser;
let officer; // a browser context

const idcheck = (args, input) => program.run(args, input);

const startProvider = (port) => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const openid = new Provider(issuer, {
    clients: [{
      client_id: "idcheck",
      client_secret: secret,
      redirect_uris: [`${base}/officer/sign-in/callback`],
      response_types: ["code"],
      grant_types: ["authorization_code"],
    }],
    cookies: { keys: [randomBytes(16).toString("hex")] },
    findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", kid: "one" }] },
    pkce: { required: () => true },
  });
  provider = createServer(openid.callback());
  return new Promise((resolve) => provider.listen(port, "127.0.0.1", resolve));
};

before(async () => {
  program = new Program("127.0.0.1", await freePort());
  base = program.base;
  const providerPort = await freePort();
  issuer = `http://127.0.0.1:${providerPort}`;
  await startProvider(providerPort);
  writeFileSync(join(program.folder, "secret"), `${secret}\n`, { mode: 0o600 });
  Object.assign(program.environment, {
    IDCHECK_OIDC__ISSUER: issuer,
    IDCHECK_OIDC__CLIENT_ID: "idcheck",
    IDCHECK_OIDC__CLIENT_SECRET_FILE: join(program.folder, "secret"),
  });
  idcheck(["migrate", "up"]);
  idcheck(["officer", "add", "lin", "--role", "reviewer", "--subject", "civil-servant-7"]);
  await program.serve();
  browser = await launch();
  officer = await stranger();
});

// A browser that knows nothing yet.
const stranger = async (locale = "zh-TW") => (await browser.newContext({ locale })).newPage();

after(async () => {
  await browser?.close();
  provider?.closeAllConnections();
  provider?.close();
  program?.end();
});

const main = (page) => page.textContent("main");

// From our sign-in page through the provider's pages and back. Gives the address that the provider sent the browser to.
const signIn = async (page, subject) => {
  let callback;
  const notice = (request) => {
    if (request.url().startsWith(`${base}/officer/sign-in/callback`)) callback = request.url();
  };
  page.on("request", notice);
  await page.goto(`${base}/officer/sign-in`);
  await page.click("a.button");
  await page.waitForURL((url) => url.href.startsWith(issuer));
  await page.fill("input[name=login]", subject);
  await page.fill("input[name=password]", "anything");
  await page.click("button[type=submit]");
  await page.waitForURL((url) => url.href.startsWith(base) || url.pathname.startsWith("/interaction/"));
  // The provider asks once whether it may tell us who this is.
  if (page.url().startsWith(issuer)) await page.click("button[type=submit]");
  await page.waitForURL((url) => url.href.startsWith(base));
  page.off("request", notice);
  return callback;
};

test("the sign-in page leads to the provider and asks for no password", async () => {
  await officer.goto(`${base}/officer/sign-in`);
  assert.equal(await officer.locator("input[type=password]").count(), 0);
  await look(officer, "officer-sign-in-provider");
});

let callback;
test("whom the provider vouches for is signed in", async () => {
  callback = await signIn(officer, "civil-servant-7");
  await officer.waitForURL(`${base}/officer`);
  assert.match(await main(officer), /待辦/);
  const cookies = await officer.context().cookies(base);
  const session = cookies.find((cookie) => cookie.name === "idcheck-officer");
  assert.deepEqual([session.sameSite, session.httpOnly], ["Strict", true]);
  assert.ok(!cookies.some((cookie) => cookie.name === "idcheck-sign-in"), "the attempt is over");
});

test("the answer counts once, and only in the browser that began", async () => {
  const again = await officer.goto(callback);
  assert.equal(again.status(), 401);
  assert.match(await main(officer), /身分提供者的回覆不屬於此瀏覽器開始的登入/);
  assert.match(await officer.title(), /^錯誤：/);
  const page = await stranger("en");
  const refused = await page.goto(callback);
  assert.equal(refused.status(), 401);
  assert.match(await main(page), /does not belong to a sign-in that this browser began/);
  // Not with an attempt of its own either.
  await page.goto(`${base}/officer/sign-in`);
  await page.click("a.button");
  await page.waitForURL((url) => url.href.startsWith(issuer));
  assert.equal((await page.goto(callback)).status(), 401);
  await page.close();
});

test("who cancels at the provider comes back to words", async () => {
  const page = await stranger();
  await page.goto(`${base}/officer/sign-in`);
  await page.click("a.button");
  await page.waitForURL((url) => url.href.startsWith(issuer));
  await page.click("a[href$='/abort']");
  await page.waitForURL((url) => url.href.startsWith(base));
  assert.match(await main(page), /請回登入頁重新開始/);
  await look(page, "officer-sign-in-cancelled");
  await page.close();
});

test("whom the provider knows and we don't is told so", async () => {
  const page = await stranger();
  await signIn(page, "somebody-else");
  assert.match(await main(page), /沒有您的承辦人員帳號/);
  await page.goto(`${base}/officer`);
  assert.equal(new URL(page.url()).pathname, "/officer/sign-in");
  await page.close();
});

test("password and code of a local account do not count beside the provider", async () => {
  const added = idcheck(["officer", "add", "wang", "--role", "admin"], "a long enough password\n");
  assert.match(added, /second factor/);
  const response = await fetch(`${base}/api/v1/officer/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "wang", password: "a long enough password", totp: "123456" }),
  });
  assert.equal(response.status, 403);
  assert.equal((await response.json()).type.split("/").at(-1), "sign-in-not-offered");
});

test("signing out everywhere ends the session on the other computer too", async () => {
  const second = await stranger();
  await signIn(second, "civil-servant-7");
  await second.waitForURL(`${base}/officer`);
  await officer.goto(`${base}/officer`);
  assert.match(await main(officer), /待辦/);
  await officer.click("button[formaction]");
  await officer.waitForURL(`${base}/officer/sign-in`);
  await second.goto(`${base}/officer`);
  assert.equal(new URL(second.url()).pathname, "/officer/sign-in");
  await second.close();
});

test("a closed account is out at once and does not come back", async () => {
  const page = await stranger();
  await signIn(page, "civil-servant-7");
  await page.waitForURL(`${base}/officer`);
  idcheck(["officer", "close", "lin"]);
  await page.goto(`${base}/officer`);
  assert.equal(new URL(page.url()).pathname, "/officer/sign-in");
  await page.click("a.button");
  await page.waitForURL((url) => url.pathname === "/officer/sign-in/callback" || url.pathname.startsWith("/interaction/"));
  if (page.url().startsWith(issuer)) await page.click("button[type=submit]");
  await page.waitForURL((url) => url.href.startsWith(base));
  assert.match(await main(page), /沒有您的承辦人員帳號/);
  assert.match(idcheck(["officer", "list"]), /lin +reviewer +provider closed/);
  await page.close();
});

test("the doctor asks the provider, and a provider that is down is told in words", async () => {
  // Beside this process, which is the provider.
  const doctor = () => new Promise((resolve) => {
    execFile(process.env.IDCHECK_TEST_PROGRAM, ["doctor"], { env: program.environment }, (_error, stdout) => resolve(stdout));
  });
  assert.match(await doctor(), /ok +officers +the identity provider answers, with 1 keys/);
  provider.closeAllConnections();
  await new Promise((resolve) => { provider.close(resolve); });
  assert.match(await doctor(), /fail officers +the identity provider/);
  // What the service learnt of it an hour ago still counts; the code can't be exchanged.
  const page = await stranger();
  const { headers } = await page.request.get(`${base}/officer/sign-in/provider`, { maxRedirects: 0 })
    .then((response) => ({ headers: response.headers() }));
  const state = new URL(headers.location).searchParams.get("state");
  const response = await page.goto(`${base}/officer/sign-in/callback?code=x&state=${state}&iss=${encodeURIComponent(issuer)}`);
  assert.equal(response.status(), 503);
  assert.match(await main(page), /請稍後再試/);
  await page.close();
});

test("no code, token or secret stands in the log", () => {
  const code = new URL(callback).searchParams.get("code");
  for (const word of [code, secret, "civil-servant-7"]) assert.ok(!program.log.includes(word), word);
});
