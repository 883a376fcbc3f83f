// A paper is printed by its button or by the browser's own menu; either way the server hears of it.
{
  const form = document.querySelector("form[data-print]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    window.print();
  });
  window.addEventListener("beforeprint", () => {
    fetch(form.action, { method: "POST", body: new FormData(form), headers: { "X-Background": "1" }, keepalive: true });
  });
}
