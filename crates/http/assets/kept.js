// Keeps what an officer types until it is decided: reloading, going back, the other language and a session that ended lose nothing. It is
// kept in this window only, for this officer and the version that was read.
"use strict";
for (const form of document.querySelectorAll("form[data-kept]")) {
  const place = `idcheck-kept ${form.dataset.kept} `;
  const key = place + form.elements.version.value;
  // What was typed about a version that is no more was decided, or has to be read again.
  for (const other of Object.keys(sessionStorage)) {
    if (other.startsWith(place) && other !== key) sessionStorage.removeItem(other);
  }
  const text = form.querySelector("textarea");
  const chosen = () => form.querySelector("input[type=radio]:checked");
  const keep = () => sessionStorage.setItem(key, JSON.stringify({ text: text.value, chosen: chosen()?.id }));
  const kept = JSON.parse(sessionStorage.getItem(key) ?? "null");
  if ("given" in form.dataset) keep();
  else if (kept && kept.text !== text.value) {
    text.value = kept.text;
    const radio = kept.chosen && document.getElementById(kept.chosen);
    if (radio) radio.checked = true;
    const folded = form.closest("details");
    if (folded) folded.open = true;
    form.querySelector("[data-restored]").textContent = form.querySelector("[data-restored]").dataset.restored;
  }
  form.addEventListener("input", keep);
}
