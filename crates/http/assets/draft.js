// Keeps what is in a form when its page is left, and a few seconds after the last change, so that going back, reloading and a lost
// network lose nothing. Without this script the form is kept whenever it is sent.
"use strict";
(() => {
  const form = document.querySelector("form[data-draft]");
  const status = document.querySelector("[data-kept]");
  const IDLE_MS = 4000;
  let changed = false;
  let sent = false;
  let timer;
  let place = form.dataset.draft;
  const keep = async () => {
    clearTimeout(timer);
    if (!changed || sent) return;
    changed = false;
    // Files are kept when the form is sent.
    const typed = [...new FormData(form)].filter(([, value]) => typeof value === "string");
    const body = new URLSearchParams(typed);
    body.set("go", "keep");
    try {
      const answer = await fetch(place, { method: "POST", body, keepalive: true });
      const kept = answer.headers.get("content-location");
      if (!answer.ok || !kept) return;
      // The first time it becomes a draft, which has an address of its own.
      if (place !== kept) {
        place = kept;
        form.action = "signs" in form.dataset ? kept.replace(/[^/]*$/, "sign") : kept;
        history.replaceState(null, "", kept);
      }
      status.textContent = status.dataset.kept;
    } catch {
      changed = true;
    }
  };
  form.addEventListener("input", () => {
    changed = true;
    clearTimeout(timer);
    timer = setTimeout(keep, IDLE_MS);
  });
  form.addEventListener("submit", () => { sent = true; });
  window.addEventListener("pageshow", () => { sent = false; });
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") keep(); });
})();
