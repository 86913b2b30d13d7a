// A secret on the page: copied on request, with word of it, and hidden again after a minute.
"use strict";
const secret = document.querySelector("[data-secret]");
const tools = document.querySelector("[data-secret-tools]");
const status = tools.querySelector("[role=status]");
const copy = tools.querySelector("button");
const text = secret.textContent;
tools.hidden = false;
copy.addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(text);
    status.textContent = status.dataset.copied;
  } catch {
    // Without the permission it can still be marked and copied by hand.
    getSelection().selectAllChildren(secret);
    status.textContent = status.dataset.marked;
  }
});
setTimeout(() => {
  secret.textContent = "••••••••";
  copy.hidden = true;
  status.textContent = status.dataset.hidden;
}, Number(secret.dataset.secret) * 1000);
