// The portal as different people use it: by keyboard, in the dark, at 400 % zoom, without scripts, on paper, on a slow line; and what
// Back, reload and double click do. Needs a running `idcheck demo`: IDCHECK_TEST_DEMO_JSON.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { audit, demo, fillIn, launch, look, picture, shots, signByKeyboard, steps, tabTo } from "./common.mjs";

const [first, second] = demo.cards.filter((c) => c.kind === "company" && c.state === "valid");
// The ten main pages that need no card.
const PAGES = ["/", "/conduct", "/apply", "/apply/form", "/apply/form?kind=apply", "/apply/form?kind=suspend", "/progress", "/register",
  "/docs", "/design"];
const FIRST_VISIT = 60 * 1024;

let browser;
before(async () => { browser = await launch(); });
after(() => browser?.close());

const inContext = async (options, walk) => {
  const context = await browser.newContext({ locale: "zh-TW", ...options });
  try {
    return await walk(await context.newPage());
  } finally {
    await context.close();
  }
};

for (const locale of ["zh-TW", "en"]) {
  test(`every page in the dark and at 400 % zoom (${locale})`, async () => {
    // WCAG 1.4.10: a window of 1280 × 1024 at 400 % is one of 320 × 256.
    await inContext({ locale, colorScheme: "dark", viewport: { width: 320, height: 256 } }, async (page) => {
      for (const path of PAGES) {
        await page.goto(demo.baseUrl + path);
        await audit(page, `${path} in the dark`);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        assert.ok(overflow <= 0, `${path} scrolls sideways by ${overflow}px`);
      }
      await page.screenshot({ path: `${shots}design-dark-320-${locale}.png`, fullPage: true });
    });
  });
}

test("on a wide screen no line is longer than can be read", async () => {
  await inContext({ viewport: { width: 1920, height: 1080 } }, async (page) => {
    for (const path of PAGES) {
      await page.goto(demo.baseUrl + path);
      await audit(page, `${path} at 1920`);
      const widest = await page.evaluate(() => Math.max(...[...document.querySelectorAll("main p")].map((p) => p.clientWidth)));
      assert.ok(widest <= 1300, `${path}: a paragraph of ${widest}px`);
    }
  });
});

test("the main pages look as they did, in light, dark and print", async () => {
  await inContext({}, async (page) => {
    for (const path of ["/", "/apply", "/apply/form", "/apply/form?kind=apply", "/progress", "/register", "/docs", "/design", "/privacy"]) {
      await page.goto(demo.baseUrl + path);
      await picture(page, path);
    }
  });
});

test("the parts of the pages", async () => {
  await inContext({}, async (page) => {
    await page.goto(`${demo.baseUrl}/design`);
    await look(page, "design");
  });
});

test("nothing moves for who asked for less motion", async () => {
  await inContext({ reducedMotion: "reduce" }, async (page) => {
    for (const path of PAGES) {
      await page.goto(demo.baseUrl + path);
      const moving = await page.evaluate(() => document.getAnimations().length);
      assert.equal(moving, 0, path);
    }
  });
});

test("a first visit is small and nothing jumps", async () => {
  await inContext({}, async (page) => {
    const line = await page.context().newCDPSession(page);
    await line.send("Network.enable");
    let transferred = 0;
    line.on("Network.loadingFinished", ({ encodedDataLength }) => { transferred += encodedDataLength; });
    await page.addInitScript(() => {
      window.shifted = 0;
      new PerformanceObserver((list) => list.getEntries().forEach((entry) => { window.shifted += entry.value; }))
        .observe({ type: "layout-shift", buffered: true });
    });
    const hosts = new Set();
    page.on("request", (request) => hosts.add(new URL(request.url()).origin));
    await page.goto(demo.baseUrl, { waitUntil: "networkidle" });
    assert.ok(transferred > 0 && transferred < FIRST_VISIT, `${transferred} bytes`);
    assert.equal(await page.evaluate(() => window.shifted), 0);
    assert.deepEqual([...hosts], [new URL(demo.baseUrl).origin], "nothing from elsewhere");
  });
});

test("without scripts everything works but the card, and that is told", async () => {
  await inContext({ javaScriptEnabled: false }, async (page) => {
    await page.goto(`${demo.baseUrl}/apply/form?kind=apply`);
    await page.click("#go-on");
    assert.match(await page.title(), /^錯誤：/);
    await page.goto(demo.baseUrl);
    await fillIn(page, first);
    // A change link leads back to its field, and nothing is lost.
    await page.click("dl .changed a >> nth=0");
    assert.ok(new URL(page.url()).hash.length > 1);
    assert.equal(await page.inputValue('[name="/companyName"]'), first.companyName);
    await page.click("#go-on");
    await page.waitForURL("**/check");
    // The language is changed without losing what was not sent.
    await page.click("dl .changed a >> nth=3");
    await page.fill('[name="/contact/name"]', "陳大文");
    await page.click('[name="go"][value="lang-en"]');
    assert.equal(await page.getAttribute("html", "lang"), "en");
    assert.equal(await page.inputValue('[name="/contact/name"]'), "陳大文");
    await page.click("#go-on");
    await page.check('[name="consent"]');
    await page.click("#go-on");
    assert.ok(await page.isVisible("noscript"));
  });
});

test("apply and progress with the keyboard alone", async () => {
  await inContext({}, async (page) => {
    await page.goto(demo.baseUrl);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main", "the first stop leads to the content");
    await tabTo(page, 'main a[href="/apply"]');
    await Promise.all([page.waitForURL("**/apply"), page.keyboard.press("Enter")]);
    await tabTo(page, "main a.button");
    await Promise.all([page.waitForURL("**/apply/form*"), page.keyboard.press("Enter")]);
    await tabTo(page, "main form button:not(.for)");
    await Promise.all([page.waitForURL("**/apply/form?kind=apply"), page.keyboard.press("Enter")]);
    for (const typed of Object.values(steps(second))) {
      for (const [name, value] of Object.entries(typed)) {
        await tabTo(page, `[name="${name}"]`);
        await page.keyboard.type(value);
      }
      // Enter goes on from any field; from one with several lines the button does.
      await tabTo(page, "#go-on");
      const here = page.url();
      await Promise.all([page.waitForURL((url) => url.href !== here), page.keyboard.press("Enter")]);
    }
    await tabTo(page, '[name="consent"]');
    await page.keyboard.press("Space");
    await tabTo(page, "#go-on");
    await Promise.all([page.waitForURL("**/sign/*"), page.keyboard.press("Enter")]);
    await signByKeyboard(page, second);
    assert.match(new URL(page.url()).pathname, /^\/applications\//);

    await tabTo(page, 'main a[href="/progress"]');
    await Promise.all([page.waitForURL("**/progress"), page.keyboard.press("Enter")]);
    await tabTo(page, '[name="ubn"]');
    await page.keyboard.type(second.unifiedBusinessNumber);
    await Promise.all([page.waitForURL("**/sign/*"), page.keyboard.press("Enter")]);
    await signByKeyboard(page, second);
    assert.equal(new URL(page.url()).pathname, "/organisation");
    assert.match(await page.textContent("main"), /共 1 件/);
  });
});

test("Back, reload and a double click make no second case; the receipt is printed with its number on each sheet", async () => {
  await inContext({}, async (page) => {
    await fillIn(page, first);
    await page.dblclick("#go-on");
    const sign = async () => {
      await page.click("#cards-button");
      await page.waitForSelector("#pin", { state: "visible" });
      if (await page.isVisible("#slot")) await page.selectOption("#slot", first.slot);
      await page.fill("#pin", first.pin);
    };
    await sign();
    await Promise.all([page.waitForURL("**/applications/**"), page.dblclick("#sign-button")]);
    const receipt = page.url();
    const number = decodeURIComponent(new URL(receipt).pathname.split("/").at(-1));
    assert.match(await page.textContent("main"), /已寄出受理通知[^]*it@example\.com/);

    const file = `${shots}accepted.pdf`;
    await page.pdf({ path: file, preferCSSPageSize: true });
    const sheets = execFileSync("pdftotext", ["-layout", file, "-"]).toString().split("\f").filter((sheet) => sheet.trim());
    assert.equal(sheets.length, 1, "one sheet");
    sheets.forEach((sheet, n) => {
      const foot = sheet.trim().split("\n").at(-1);
      assert.ok(foot.includes(number) && /\d{3}\/\d{2}\/\d{2} \d{2}:\d{2}:\d{2}/.test(foot), foot);
      assert.match(foot, new RegExp(`${n + 1} ?/ ?${sheets.length}$`));
    });
    assert.ok(!sheets.join("").includes(first.pin));

    await page.reload();
    assert.equal(page.url(), receipt);
    // Back is the page that signed: it says that this was done.
    await page.goBack();
    assert.match(new URL(page.url()).pathname, /^\/sign\//);
    assert.match(await page.textContent("h1"), /已/);
    await page.goto(receipt);
    assert.match(await page.textContent("main"), new RegExp(number));

    await page.goto(`${demo.baseUrl}/progress`);
    await page.fill('[name="ubn"]', first.unifiedBusinessNumber);
    await page.keyboard.press("Enter");
    await sign();
    await Promise.all([page.waitForURL("**/organisation"), page.click("#sign-button")]);
    assert.match(await page.textContent("main"), /共 1 件/);
  });
});

test("a private key is stopped in the browser: it is not sent, and does not stay in the field", async () => {
  await inContext({}, async (page) => {
    const sent = [];
    page.on("request", (request) => sent.push(request.postData() ?? ""));
    await page.goto(`${demo.baseUrl}/acts/registerKey?ubn=${first.unifiedBusinessNumber}`);
    await page.fill('[name="/label"]', "主機一");
    const words = [
      "-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----\nSECRET",
      '{"kty":"RSA","n":"x","d":"SECRET"}', "<RSAKeyValue><D>SECRET</D></RSAKeyValue>",
    ];
    for (const text of words) {
      await page.fill('[name="/publicKeyPem"]', text);
      await page.waitForFunction(() => document.querySelector("[data-key] [role=status]").textContent !== "");
      assert.match(await page.textContent("[data-key] [role=status]"), /私鑰|私密金鑰/);
      assert.equal(await page.inputValue('[name="/publicKeyPem"]'), "");
      assert.equal(await page.evaluate(() => document.activeElement.name), "/publicKeyPem");
      await page.evaluate(() => { document.querySelector("[data-key] [role=status]").textContent = ""; });
    }
    // What is in the form is kept after some seconds, and it was not in it.
    await page.fill('[name="/label"]', "主機二");
    await page.waitForFunction(() => document.querySelector("[data-kept]").textContent !== "", undefined, { timeout: 15000 });
    assert.ok(sent.join("").includes(encodeURIComponent("主機二")));
    assert.ok(!sent.join("").includes("SECRET"));
    // Reloaded, it is there: it has become a draft.
    await page.reload();
    assert.match(new URL(page.url()).pathname, /^\/drafts\//);
    assert.equal(await page.inputValue('[name="/label"]'), "主機二");
  });
});
