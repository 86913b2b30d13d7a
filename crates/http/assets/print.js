// Print buttons, the focus on an error summary, and what is folded away on paper.
"use strict";
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
document.querySelector(".summary")?.focus();
// What is folded away is printed too, and folded away again afterwards.
let opened = [];
window.addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  opened.forEach((one) => { one.open = true; });
});
window.addEventListener("afterprint", () => { opened.forEach((one) => { one.open = false; }); });
