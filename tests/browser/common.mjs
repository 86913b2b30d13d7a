// What the browser suites share: the running demo, Chromium, and the look at a page (axe, no sideways scrolling, pictures).
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
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
