// Keeps the page of a rerun up to date while the worker makes it. Without it there is a link that does the same.
(() => {
  "use strict";
  const EVERY = 2000;
  const box = document.getElementById("rerun");
  if (!box) return;

  const look = async () => {
    let page;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
      if (!answer.ok) return;  // signed out, or the server is away: the link says what to do
      page = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("rerun");
    } catch {
      setTimeout(look, EVERY * 5);
      return;
    }
    if (page.hasAttribute("data-running")) {
      const bar = box.querySelector("progress");
      const now = page.querySelector("progress");
      bar.max = now.max;
      bar.value = now.value;
      box.querySelector("[data-told]").textContent = page.querySelector("[data-told]").textContent;
      setTimeout(look, EVERY);
    } else {
      // The line that is read aloud stays, so that its change is announced; everything else is new.
      const told = box.querySelector("[data-told]");
      const text = page.querySelector("[data-told]").textContent;
      page.querySelector("[data-told]").replaceWith(told);
      box.replaceChildren(...page.childNodes);
      box.removeAttribute("data-running");
      told.textContent = text;
    }
  };
  setTimeout(look, EVERY);
})();
