/* Shows a case's diagram and marks where it stands. Without this script the page still says everything in words. */
(async () => {
  const place = document.getElementById("diagram");
  if (!place || !window.BpmnJS) return;
  const marks = JSON.parse(place.dataset.marks || "{}");
  const font = getComputedStyle(document.body).fontFamily;
  const viewer = new window.BpmnJS({
    container: place,
    textRenderer: { defaultStyle: { fontFamily: font, fontSize: 12 }, externalStyle: { fontFamily: font, fontSize: 12 } },
  });
  try {
    const answer = await fetch(place.dataset.source, { credentials: "same-origin" });
    await viewer.importXML(inTheReadersLanguage(await answer.text()));
  } catch {  // away from the network, or nothing that the viewer can draw
    viewer.destroy();
    place.classList.add("empty");
    place.textContent = place.dataset.failed;
    return;
  }
  const canvas = viewer.get("canvas");
  const elements = viewer.get("elementRegistry");
  for (const [name, ids] of Object.entries(marks)) {
    for (const id of ids) if (elements.get(id)) canvas.addMarker(id, `case-${name}`);
  }

  if (document.documentElement.lang === "en") {  // where words need more lines, the picture of a person would lie on them
    for (const visual of place.querySelectorAll(".djs-shape > .djs-visual")) {
      if (visual.querySelectorAll("tspan").length > 1) visual.querySelectorAll(":scope > path").forEach((part) => part.remove());
    }
  }

  // English names ride in the properties of the elements (name_en); the diagram itself is Chinese.
  function inTheReadersLanguage(xml) {
    const english = document.documentElement.lang === "en";
    const diagram = new DOMParser().parseFromString(xml, "application/xml");
    if (english) for (const property of diagram.querySelectorAll('[name="name_en"][value]')) {
      const owner = property.closest("extensionElements")?.parentElement ?? property.parentElement?.parentElement?.parentElement;
      if (owner?.hasAttribute("name")) owner.setAttribute("name", property.getAttribute("value"));
    }
    const room = english ? 90 : 72;  // labels are drawn to the width of some font; another one, or words, need more
    for (const label of diagram.getElementsByTagNameNS("*", "BPMNLabel")) {
      const bounds = label.firstElementChild;
      const [x, width] = [Number(bounds?.getAttribute("x")), Number(bounds?.getAttribute("width"))];
      if (!bounds || width >= room) continue;
      bounds.setAttribute("x", x - (room - width) / 2);
      bounds.setAttribute("width", room);
    }
    return new XMLSerializer().serializeToString(diagram);
  }

  const fit = () => canvas.zoom("fit-viewport", "auto");
  const found = (ids) => (ids || []).map((id) => elements.get(id)).filter(Boolean);

  function showWhereItStands() {
    place.style.height = "";
    canvas.resized();
    fit();
    let here = found(marks.broken).concat(found(marks.here))[0];
    if (!here && canvas.zoom() < 0.2) here = found(marks.done).find((element) => element.type === "bpmn:EndEvent");
    if (!here) {  // all of it, and no more room than it takes
      const tall = canvas.viewbox().inner.height * canvas.zoom() + 60;
      if (tall >= place.clientHeight) return;
      place.style.height = `${Math.max(tall, 200)}px`;
      canvas.resized();
      fit();
    } else if (canvas.zoom() < 0.75) {  // rather a part that can be read, with the present step in it, than all of it too small
      canvas.zoom(0.75);
      const box = canvas.viewbox();
      const within = (middle, size, start, length) =>
        size >= length ? start + (length - size) / 2 : Math.min(Math.max(middle - size / 2, start - 20), start + length - size + 20);
      canvas.viewbox({
        ...box,
        x: within(here.x + here.width / 2, box.width, box.inner.x, box.inner.width),
        y: within(here.y + here.height / 2, box.height, box.inner.y, box.inner.height),
      });
    }
  }
  showWhereItStands();

  // A telephone that is turned gets the diagram anew, unless its reader has moved it. A change of height alone is the address bar's.
  let width = place.clientWidth;
  let moved = false;
  for (const kind of ["pointerdown", "wheel"]) place.addEventListener(kind, () => { moved = true; }, { passive: true });
  window.addEventListener("resize", () => requestAnimationFrame(() => {
    if (!place.clientWidth || !place.clientHeight || place.clientWidth === width) return;  // of what is not on show nothing fits anything
    width = place.clientWidth;
    if (moved) canvas.resized();
    else showWhereItStands();
  }));
  const tools = document.getElementById("diagram-tools");
  tools.hidden = false;
  tools.addEventListener("click", (event) => {
    const step = event.target.closest("[data-zoom]")?.dataset.zoom;
    moved ||= Boolean(step);
    if (step === "fit") fit();
    else if (step) canvas.zoom(canvas.zoom() * (step === "in" ? 1.25 : 0.8));
  });
})();
