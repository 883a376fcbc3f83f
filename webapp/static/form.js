// Makes the form of inbox/_form.html live. It stores nothing: what people type about others must not stay on a shared telephone.
// Without it everything works by reloading; whatever it does, the server decides.
(() => {
  "use strict";
  const root = document.querySelector("[data-form]");
  if (!root) return;
  const ROUNDS = 12;
  const INPUTS = "input:not([type=hidden]), textarea, select";
  const feel = window.feelin;
  const words = root.dataset;

  const run = (kind, text, context) => {
    try {
      const made = feel[kind](text.replace(/^=/, ""), context);
      return made && typeof made === "object" && "value" in made ? made.value : made;
    } catch {
      return undefined;
    }
  };
  const literal = (text) => run("evaluate", `@"${text.replace(/(^|T)(\d\d:\d\d)$/, "$1$2:00")}"`, {}) ?? null;

  // The server's tagged JSON: {"$n": "1.5"}, {"$d": "2026-01-31"} …
  const decode = (value) => {
    if (Array.isArray(value)) return value.map(decode);
    if (!value || typeof value !== "object") return value;
    const keys = Object.keys(value);
    if (keys.length === 1 && /^\$(n|d|t|dt|p)$/.test(keys[0])) {
      const [inside] = [value[keys[0]]].flat();
      return keys[0] === "$n" ? Number(inside) : literal(inside);
    }
    return Object.fromEntries(keys.map((key) => [key, decode(value[key])]));
  };

  const plainNumber = (text) => text.normalize("NFKC").replace(/。/g, ".").replace(/[−–—]/g, "-").trim();
  const numberOf = (text) => {
    const plain = plainNumber(text).replace(/^[+-]?\d{1,3}(,\d{3})+(?=\.|$)/, (found) => found.replace(/,/g, ""));
    return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : null;
  };
  const choiceOf = (token) => {
    try {
      return token.startsWith("=") ? JSON.parse(token.slice(1)) : token;
    } catch {
      return token;
    }
  };

  const inside = (box, selector) => [...box.querySelectorAll(selector)];
  const entriesOf = (list) => [...(list.querySelector("[data-entries]")?.children ?? [])];
  // The components of one scope: the form, or one entry of a list.
  const boxesOf = (scope) =>
    inside(scope, "[data-kind]").filter((box) => box.parentElement.closest("[data-entry], [data-form]") === scope);

  const computed = new WeakMap();
  // undefined where the page has no input for the field
  const valueOf = (box) => {
    if (computed.has(box)) return computed.get(box);
    const inputs = inside(box, INPUTS);
    if (!inputs.length) return undefined;
    const [{ value, checked }] = inputs;
    const chosen = inputs.filter((input) => input.checked).map((input) => choiceOf(input.value));
    switch (box.dataset.kind) {
      case "checkbox": return checked;
      case "checklist": case "taglist": return chosen;
      case "radio": return chosen[0] ?? null;
      case "select": return value === "" ? null : choiceOf(value);
      case "number": return numberOf(value);
      case "datetime": return value ? literal(value) : null;
      default: return value;
    }
  };

  const read = (scope, prefix, skipHidden) => {
    const data = {};
    for (const box of boxesOf(scope)) {
      const { field, kind } = box.dataset;
      if (!field || (skipHidden && box.closest("[hidden]:not([data-kind=expression])"))) continue;
      const value = kind === "dynamiclist"
        ? entriesOf(box).map((entry) => read(entry, `${entry.dataset.entry}.`, skipHidden))
        : valueOf(box);
      if (value === undefined) continue;
      const path = field.slice(prefix.length).split(".");
      const last = path.pop();
      path.reduce((place, step) => (place[step] ??= {}), data)[last] = value;
    }
    return data;
  };

  // Conditions see of a hidden field what it had when the form opened.
  const opening = { ...read(root, "", false), ...decode(JSON.parse(words.context || "{}")) };
  const contextOf = (own, seen) => ({ ...own, ...seen, _this_: own.this, _parent_: own.parent, _i_: own.i });

  const lock = (box, locked) => {
    for (const input of inside(box, INPUTS)) input[/checkbox|radio|select/.test(input.type) ? "disabled" : "readOnly"] = locked;
    if (!locked) inside(box, "[data-kept]").forEach((kept) => kept.remove());
  };
  const demand = (box, required) => {
    const must = box.querySelector("[data-must]");
    if (must) must.hidden = !required;
    for (const input of inside(box, INPUTS)) if (!/checkbox|radio/.test(input.type)) input.ariaRequired = String(required);
  };

  // Run everything in one scope against the same data; whether anything came out differently.
  const round = (scope, seen, context) => {
    let changed = false;
    for (const box of boxesOf(scope)) {
      const { hide, readonly, required, expression, kind } = box.dataset;
      if (hide && kind !== "expression") {
        const hidden = run("unaryTest", hide, context) === true;
        changed ||= hidden !== box.hidden;
        box.hidden = hidden;
      }
      if (readonly) lock(box, run("unaryTest", readonly, context) === true);
      if (required) demand(box, run("evaluate", required, context) === true);
      if (expression) {
        const value = run("evaluate", expression, context) ?? null;
        const text = JSON.stringify(value);
        if (!computed.has(box) || JSON.stringify(computed.get(box)) !== text) {
          computed.set(box, value);
          changed = true;
          const output = box.querySelector("output");
          if (output) output.textContent = value === null ? "—" : typeof value === "object" ? text : value;
        }
      }
      if (kind === "dynamiclist" && !box.hidden) {
        entriesOf(box).forEach((entry, index) => {
          const { _this_, _parent_, _i_ } = context;
          const parent = { ..._parent_, ..._this_, this: _this_, parent: _parent_ };
          const own = { this: read(entry, `${entry.dataset.entry}.`, true), parent, i: [..._i_, index + 1] };
          changed = round(entry, seen, contextOf(own, seen)) || changed;
        });
      }
    }
    return changed;
  };
  const settle = () => {
    for (let turn = 0; feel && turn < ROUNDS; turn += 1) {
      const seen = { ...opening, ...read(root, "", turn > 0) };
      if (!round(root, seen, contextOf({ this: seen, parent: null, i: [] }, seen))) break;
    }
    const hidden = inside(root, "[data-field]:not([data-kind=expression])").filter((box) => box.closest("[hidden]"));
    root.querySelector("[data-hidden]").value = hidden.map((box) => box.dataset.field).join(" ");
  };

  // Legends count entries as they stand; names keep the numbers they were made with.
  const count = () => {
    for (const list of inside(root, "[data-kind=dynamiclist]")) {
      const entries = entriesOf(list);
      entries.forEach((entry, index) => {
        const places = inside(entry, "[data-number]").filter((place) => place.closest("[data-entry]") === entry);
        for (const place of places) place.textContent = index + 1;
      });
      const button = list.querySelector(":scope > [data-add]");
      if (button) button.disabled = entries.length >= Number(list.dataset.most);
    }
  };
  const say = (text) => (root.querySelector("[data-status]").textContent = text);
  const add = (list) => {
    const template = list.querySelector(":scope > [data-template]");
    const numbers = entriesOf(list).map((entry) => Number(entry.dataset.entry.match(/(\d+)\]$/)[1]));
    const html = template.innerHTML.replaceAll(template.dataset.mark, Math.max(-1, ...numbers) + 1);
    const entries = list.querySelector("[data-entries]");
    entries.insertAdjacentHTML("beforeend", html);
    entries.lastElementChild.querySelector(INPUTS)?.focus();
    say(words.added.replace("{n}", entries.children.length));
  };
  const remove = (list, entry) => {
    entry.remove();
    list.querySelector(":scope > [data-add]").focus();
    say(words.removed);
  };

  const measure = (input) => {
    const most = Number(input.dataset.most);
    if (!most) return;
    const length = [...input.value.trim()].length;
    let line = input.nextElementSibling;
    if (!line?.matches(".form-count")) {
      line = document.createElement("p");
      line.className = "form-count";
      input.after(line);
    }
    line.hidden = length < most * 0.7;
    line.classList.toggle("form-over", length > most);
    line.textContent = words.count.replace("{n}", length).replace("{m}", most);
  };

  let dirty = Boolean(root.querySelector("[data-summary]"));
  let timer;
  const changed = ({ target }) => {
    dirty = true;
    // What was wrong may be right by now.
    const box = target.closest("[data-field]:not([data-kind=dynamiclist])");
    box?.querySelector(":scope > .form-error")?.remove();
    inside(box ?? target, "[aria-invalid]").forEach((input) => input.removeAttribute("aria-invalid"));
    measure(target);
    clearTimeout(timer);
    timer = setTimeout(settle, 80);
  };
  root.addEventListener("input", changed);
  root.addEventListener("change", changed);
  root.addEventListener("focusout", ({ target }) => {
    if (target.matches(".form-number") && numberOf(target.value) !== null) target.value = plainNumber(target.value);
  });
  root.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.tagName === "INPUT") event.preventDefault();
  });
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-add], [data-remove]");
    if (!button) return;
    event.preventDefault();
    dirty = true;
    const list = button.closest("[data-kind=dynamiclist]");
    if (button.matches("[data-add]")) add(list);
    else remove(list, button.closest("[data-entry]"));
    count();
    settle();
  });
  root.closest("form")?.addEventListener("submit", () => (dirty = false));
  window.addEventListener("beforeunload", (event) => {
    if (dirty) event.preventDefault();
  });
  count();
  settle();
  root.querySelector("[data-summary]")?.focus();
})();
