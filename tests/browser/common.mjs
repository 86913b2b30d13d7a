// What the browser suites share: the running demo, Chromium, and the look at a page (axe, no sideways scrolling, pictures).
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import Axe from "@axe-core/playwright";
import { chromium } from "playwright-core";

export { Axe };
export const demo = JSON.parse(readFileSync(process.env.IDCHECK_TEST_DEMO_JSON, "utf8"));
export const shots = fileURLToPath(new URL("../../target/screenshots/", import.meta.url));
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
export const AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"];

export const launch = (...flags) => {
  mkdirSync(shots, { recursive: true });
  return chromium.launch({ executablePath: "/usr/bin/chromium", args: [...FLAGS, ...flags] });
};

// What axe can't decide by itself, and what a person decided; anything else that it can't decide is a fault until someone has looked.
const JUDGED = JSON.parse(readFileSync(new URL("incomplete.json", import.meta.url), "utf8"));
const judged = ({ id }, { html }) => JUDGED.some((one) => one.rule === id && new RegExp(one.html).test(html));

// What axe finds wrong with a page, and what it leaves to a person.
export const audit = async (page, name) => {
  const { violations, incomplete } = await new Axe({ page }).withTags(AXE_TAGS).analyze();
  const told = (found) => found.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ")}`);
  assert.deepEqual(told(violations), [], `axe on ${name}`);
  const open = incomplete.map((v) => ({ ...v, nodes: v.nodes.filter((node) => !judged(v, node)) })).filter((v) => v.nodes.length > 0);
  assert.deepEqual(told(open), [], `left open by axe on ${name}: look, and judge it in incomplete.json`);
};

// Looks at the page narrow and wide.
export const look = async (page, name) => {
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(overflow <= 0, `${name} scrolls sideways by ${overflow}px at ${width}px`);
    await page.screenshot({ path: `${shots}${name}-${width}.png`, fullPage: true });
    await audit(page, name);
  }
};

// The same in English, by the address of the page; the language is what it was afterwards.
export const lookInBoth = async (page, name) => {
  await look(page, name);
  const here = page.url();
  const inLanguage = (lang) => {
    const address = new URL(here);
    address.searchParams.set("lang", lang);
    return page.goto(address.href);
  };
  await inLanguage("en");
  assert.equal(await page.getAttribute("html", "lang"), "en", name);
  await look(page, `${name}-en`);
  await inLanguage("zh-Hant-TW");
  if (page.url() !== here) await page.goto(here);
};

// What is typed into the steps of an application, page by page; some of it may be another one's.
export const steps = (card, other = {}) => {
  const typed = {
    "/companyName": card.companyName, ubn: card.unifiedBusinessNumber, "/contact/name": "王小明", "/contact/landline": "(02)12345678",
    "/contact/email": "it@example.com", hosts: "127.0.0.1", "/purpose/authority": "金融監督管理委員會",
    "/purpose/rule": "電子支付機構身分確認機制辦法", "/purpose/description": "開戶查驗", ...other,
  };
  const of = (...names) => Object.fromEntries(names.map((name) => [name, typed[name]]));
  return {
    company: of("/companyName", "ubn"), contact: of("/contact/name", "/contact/landline", "/contact/email"), hosts: of("hosts"),
    purpose: of("/purpose/authority", "/purpose/rule", "/purpose/description"),
  };
};

// Fills in an application until everything is shown; `each` sees every page of it.
export const fillIn = async (page, card, other = {}, each = async () => {}) => {
  await page.goto(`${demo.baseUrl}/apply/form?kind=apply`);
  for (const [step, typed] of Object.entries(steps(card, other))) {
    for (const [name, value] of Object.entries(typed)) await page.fill(`[name="${name}"] >> nth=0`, value);
    await each(step);
    await page.click("#go-on");
  }
  await page.waitForURL("**/drafts/*/check");
  await page.check('[name="consent"]');
};

// Moves the focus on with the Tab key until it stands on the element.
export const tabTo = async (page, selector) => {
  const there = () => page.evaluate((s) => document.activeElement?.matches(s), selector);
  for (let presses = 0; presses < 60; presses += 1) {
    if (await there()) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`${selector} can't be reached with the keyboard`);
};

export const signByKeyboard = async (page, card) => {
  await tabTo(page, "#cards-button");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#pin", { state: "visible" });
  if (await page.isVisible("#slot")) {
    await tabTo(page, "#slot");
    const names = await page.locator("#slot option").evaluateAll((all) => all.map((option) => option.value));
    const at = await page.locator("#slot").evaluate((slot) => slot.selectedIndex);
    const steps = names.indexOf(card.slot) - at;
    for (let step = 0; step < Math.abs(steps); step += 1) await page.keyboard.press(steps > 0 ? "ArrowDown" : "ArrowUp");
  }
  await tabTo(page, "#pin");
  await page.keyboard.type(card.pin);
  const here = new URL(page.url()).pathname;
  await Promise.all([page.waitForURL((url) => url.pathname !== here), page.keyboard.press("Enter")]);
};

// A picture in 24 columns of grey, 0 to 15: enough to tell that a page fell apart, too little to tell one font's edges from another's.
const COLUMNS = 24;
const greys = async (page, png) => {
  const blank = await page.context().newPage();
  try {
    return await blank.evaluate(async ([data, columns]) => {
      const image = new Image();
      image.src = `data:image/png;base64,${data}`;
      await image.decode();
      const rows = Math.max(1, Math.round((columns * image.height) / image.width));
      const canvas = new OffscreenCanvas(columns, rows);
      const pen = canvas.getContext("2d");
      pen.imageSmoothingQuality = "high";
      // Halved again and again: at once most of the picture would be passed over.
      let from = await createImageBitmap(image);
      while (from.width > columns * 2) {
        from = await createImageBitmap(from, {
          resizeWidth: Math.ceil(from.width / 2), resizeHeight: Math.max(rows, Math.ceil(from.height / 2)), resizeQuality: "high",
        });
      }
      pen.drawImage(from, 0, 0, columns, rows);
      const { data: pixels } = pen.getImageData(0, 0, columns, rows);
      const grey = (at) => Math.round((0.3 * pixels[at] + 0.59 * pixels[at + 1] + 0.11 * pixels[at + 2]) / 17);
      return Array.from({ length: rows }, (_, row) =>
        Array.from({ length: columns }, (__, column) => grey(4 * (row * columns + column)).toString(16)).join(""));
    }, [png.toString("base64"), COLUMNS]);
  } finally {
    await blank.close();
  }
};

const PICTURES = fileURLToPath(new URL("pictures.json", import.meta.url));
// Of all cells together, in fifteenths; and of the page's length. A card that moved by its height is more.
const FAR = 0.8;
const LONGER = 0.12;

// Holds a page in light, dark and print against its pictures in pictures.json; IDCHECK_TEST_WRITE_PICTURES=1 writes them.
export const picture = async (page, name) => {
  const size = page.viewportSize();
  await page.setViewportSize({ width: 1280, height: 900 });
  for (const [kind, media] of [
    ["light", { colorScheme: "light" }], ["dark", { colorScheme: "dark" }], ["print", { media: "print", colorScheme: "light" }],
  ]) {
    await page.emulateMedia(media);
    const seen = await greys(page, await page.screenshot({ fullPage: true }));
    const all = JSON.parse(readFileSync(PICTURES, "utf8"));
    const key = `${name}, ${kind}`;
    if (process.env.IDCHECK_TEST_WRITE_PICTURES) {
      const kept = Object.entries({ ...all, [key]: seen }).sort(([one], [other]) => (one < other ? -1 : 1));
      writeFileSync(PICTURES, `${JSON.stringify(Object.fromEntries(kept), null, 1)}\n`);
      continue;
    }
    const known = all[key];
    assert.ok(known, `no picture of ${key}: look at it, then write it with IDCHECK_TEST_WRITE_PICTURES=1`);
    assert.ok(Math.abs(seen.length / known.length - 1) <= LONGER, `${key} is ${seen.length} rows long and was ${known.length}`);
    const cells = (rows) => [...rows.join("")].map((cell) => Number.parseInt(cell, 16));
    const [now, before] = [cells(seen), cells(known)];
    const shared = Math.min(now.length, before.length);
    const apart = now.slice(0, shared).reduce((sum, cell, at) => sum + Math.abs(cell - before[at]), 0) / shared;
    assert.ok(apart <= FAR, `${key} looks different: ${apart.toFixed(2)} of 15`);
  }
  await page.emulateMedia({ media: null, colorScheme: null });
  if (size) await page.setViewportSize(size);
};

// RFC 6238, SHA-1, 30 s, six digits.
export const totp = (secret) => {
  const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
  const mac = createHmac("sha1", key).update(step).digest();
  const at = mac.at(-1) & 15;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
};
