// Measures what a visitor waits for and does: the first visit to the portal on a slow computer, and the way from the first page to an
// accepted application. `cargo xtask bench pages` runs it; it prints one JSON object a line, for each figure of each round. Needs a
// running `idcheck demo`: IDCHECK_TEST_DEMO_JSON.
import { demo, launch, steps } from "./common.mjs";

const ROUNDS = Number(process.env.IDCHECK_TEST_BENCH_ROUNDS ?? 3);
const SLOW_DOWN = 4;
const tell = (name, value, unit) => console.log(JSON.stringify({ name, value, unit }));
const browser = await launch();

const firstVisit = async () => {
  const context = await browser.newContext({ locale: "zh-TW" });
  const page = await context.newPage();
  const line = await context.newCDPSession(page);
  await line.send("Network.enable");
  await line.send("Emulation.setCPUThrottlingRate", { rate: SLOW_DOWN });
  let bytes = 0;
  line.on("Network.loadingFinished", ({ encodedDataLength }) => { bytes += encodedDataLength; });
  await page.addInitScript(() => {
    window.shifted = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => { window.shifted += entry.value; }))
      .observe({ type: "layout-shift", buffered: true });
  });
  await page.goto(demo.baseUrl, { waitUntil: "networkidle" });
  const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime);
  tell("first visit: transferred", bytes / 1024, "KiB");
  tell(`first visit, processor ${SLOW_DOWN} times slower: first paint`, paint, "ms");
  tell("first visit: layout shift", await page.evaluate(() => window.shifted), "");
  await context.close();
};

// From the first page to the accepted application as someone goes it: every click and every field.
const toAccepted = async (card) => {
  const context = await browser.newContext({ locale: "zh-TW" });
  const page = await context.newPage();
  const count = { clicks: 0, fields: 0, pages: 0 };
  page.on("load", () => { count.pages += 1; });
  const click = (selector) => { count.clicks += 1; return page.click(selector); };
  const fill = (selector, value) => { count.fields += 1; return page.fill(selector, value); };
  const began = performance.now();
  await page.goto(demo.baseUrl);
  await click('main a[href="/apply"]');
  await click("main a.button");
  await click("main form button");
  for (const typed of Object.values(steps(card))) {
    for (const [name, value] of Object.entries(typed)) await fill(`[name="${name}"] >> nth=0`, value);
    await click("#go-on");
  }
  await click('[name="consent"]');
  await click("#go-on");
  await click("#cards-button");
  await page.waitForSelector("#pin", { state: "visible" });
  if (await page.isVisible("#slot")) await page.selectOption("#slot", card.slot);
  await fill("#pin", card.pin);
  await click("#sign-button");
  await page.waitForURL("**/applications/**");
  tell("from the first page to accepted: by a script", performance.now() - began, "ms");
  for (const [what, value] of Object.entries(count)) tell(`from the first page to accepted: ${what}`, value, "");
  await context.close();
};

const cards = demo.cards.filter((card) => card.kind === "company" && card.state === "valid");
for (let round = 0; round < ROUNDS; round += 1) await firstVisit();
await toAccepted(cards[0]);
await browser.close();
