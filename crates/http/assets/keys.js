// Keyboard shortcuts of the console. They work while nothing is being typed, can be turned off (WCAG 2.1.4), and each only
// does what a link, a field or a button of the page does.
"use strict";
const sheet = document.querySelector("#keys");
const opener = document.querySelector("[data-keys]");
const chosen = sheet.querySelector("#keys-on");
const STORED = "idcheck-keys";
const off = () => localStorage.getItem(STORED) === "off";
chosen.checked = !off();
chosen.addEventListener("change", () => localStorage.setItem(STORED, chosen.checked ? "on" : "off"));
opener.hidden = false;
opener.addEventListener("click", () => sheet.showModal());
sheet.querySelector("button").addEventListener("click", () => sheet.close());

const rows = [...document.querySelectorAll("[data-row] a, a[data-row]")];
const step = (by) => {
  if (rows.length === 0) {
    go(by > 0 ? "[data-next]" : "[data-before]");
    return;
  }
  const at = rows.indexOf(document.activeElement);
  rows[Math.min(Math.max(at + by, 0), rows.length - 1)].focus();
};
const go = (selector) => document.querySelector(selector)?.click();
const focus = (selector) => document.querySelector(selector)?.focus();
// A decision is chosen, and its text is next; the button that decides is never pressed.
const choose = (selector) => {
  const chosen = document.querySelector(selector);
  if (!chosen) return;
  chosen.checked = true;
  focus("#text");
};
const KEYS = {
  "?": () => sheet.showModal(),
  "j": () => step(1),
  "k": () => step(-1),
  "/": () => focus("#q"),
  "n": () => go("[data-next]"),
  "q": () => go('header nav a[href="/officer"]'),
  "c": () => focus('form[action$="/claim"] button'),
  "a": () => choose("#step-approve, #step-propose-approval"),
  "r": () => choose("#step-reject"),
  "m": () => choose("#step-clarification"),
};
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, dialog");
  if (typing || event.ctrlKey || event.altKey || event.metaKey || off()) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
