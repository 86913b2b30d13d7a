// The pages for programmers: every one in both languages, and where a problem's type leads; the public register. Needs a running
// `idcheck demo`: IDCHECK_TEST_DEMO_JSON.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { demo, launch, look } from "./common.mjs";

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

// The reference is as long as the API; axe reads it once.
const PAGES = { "zh-TW": ["", "/errors", "/sandbox", "/compatibility"], en: ["", "/errors", "/reference"] };

for (const [locale, names] of Object.entries(PAGES)) {
  for (const name of names) {
    test(`/docs${name} (${locale})`, async () => {
      const context = await browser.newContext({ locale });
      const page = await context.newPage();
      await page.goto(`${demo.baseUrl}/docs${name}`);
      assert.equal(await page.locator("nav [aria-current=page]").count(), 1);
      await look(page, `docs${name.replace("/", "-")}-${locale}`);
      await context.close();
    });
  }
}

test("/register", async () => {
  const context = await browser.newContext({ locale: "zh-TW" });
  const page = await context.newPage();
  await page.goto(`${demo.baseUrl}/register`);
  await look(page, "register");
  await page.fill("#q", "00000001");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/register?q=00000001");
  assert.equal(await page.locator("main table").count(), 0);
  await look(page, "register-none");
  await context.close();
});

test("a problem's type leads to its row", async () => {
  const context = await browser.newContext({ locale: "en" });
  const page = await context.newPage();
  const refused = await page.request.post(`${demo.baseUrl}/api/v1/challenges`, { data: { act: "apply" } });
  const { type } = await refused.json();
  await page.goto(`${demo.baseUrl}${type}`);
  assert.equal(new URL(page.url()).pathname, "/docs/errors");
  assert.ok(await page.locator(`tr${new URL(page.url()).hash}`).isVisible());
  await context.close();
});
