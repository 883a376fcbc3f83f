// Makes a form of inbox/_form.html live: shows and hides fields, computes, adds and removes entries, counts characters, warns
// before typed text is lost. It keeps nothing: what people type about others must not stay on a shared telephone.
// Without it everything works by reloading; whatever it does, the server decides.
(() => {
  "use strict";
  const ROUNDS = 12;
  const feel = window.feelin;

  // FEEL. A broken expression or a missing library leaves things as the server showed them.
  const run = (kind, text, context) => {
    try {
      const made = feel[kind](text.replace(/^=/, ""), context);
      return made && typeof made === "object" && "value" in made ? made.value : made;
    } catch {
      return undefined;
    }
  };
  const literal = (text) => run("evaluate", `@"${text.replace(/(^|T)(\d\d:\d\d)$/, "$1$2:00")}"`, {}) ?? null;

  // The server's tagged JSON: {"$n": "1.5"}, {"$d": "2026-01-31"}, {"$dt": …}, {"$t": …}, {"$p": …}.
  const decode = (value) => {
    if (Array.isArray(value)) return value.map(decode);
    if (!value || typeof value !== "object") return value;
    const keys = Object.keys(value);
    if (keys.length === 1 && /^\$(n|d|t|dt|p)$/.test(keys[0])) {
      const inside = [value[keys[0]]].flat()[0];
      return keys[0] === "$n" ? Number(inside) : literal(inside);
    }
    return Object.fromEntries(keys.map((key) => [key.replace(/^\$\$/, "$"), decode(value[key])]));
  };

  const plainNumber = (text) => text.normalize("NFKC").replace(/。/g, ".").replace(/[−–—]/g, "-").trim();
  const numberOf = (text) => {
    const plain = plainNumber(text).replace(/^([+-]?\d{1,3}(,\d{3})+)(?=\.|$)/, (found) => found.replace(/,/g, ""));
    return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : null;
  };
  const choiceOf = (token) => {
    if (!token.startsWith("=")) return token;
    try {
      return JSON.parse(token.slice(1));
    } catch {
      return token;
    }
  };

  const INPUTS = "input:not([type=hidden]), textarea, select";
  const inside = (box, selector) => [...box.querySelectorAll(selector)];

  // The value of one field; undefined where the page has no input for it.
  const valueOf = (box) => {
    const inputs = inside(box, INPUTS);
    if (!inputs.length) return undefined;
    const [first] = inputs;
    const chosen = () => inputs.filter((input) => input.checked).map((input) => choiceOf(input.value));
    switch (box.dataset.kind) {
      case "checkbox": return first.checked;
      case "checklist": case "taglist": return chosen();
      case "radio": return chosen()[0] ?? null;
      case "select": return first.value === "" ? null : choiceOf(first.value);
      case "number": return numberOf(first.value);
      case "datetime": return first.value ? literal(first.value) : null;
      default: return first.value;
    }
  };

  const put = (data, path, value) => {
    const last = path.pop();
    for (const step of path) data = data[step] && typeof data[step] === "object" ? data[step] : (data[step] = {});
    data[last] = value;
  };

  // The components of one scope (the form, or one entry of a list), those of inner lists left to them.
  const boxesOf = (scope) =>
    inside(scope, "[data-kind]").filter((box) => box.parentElement.closest("[data-entry], [data-form]") === scope);

  class Live {
    constructor(root) {
      this.root = root;
      this.variables = decode(JSON.parse(root.dataset.context || "{}"));
      this.computed = new WeakMap();
      // A page that came back with its answers holds them unsaved.
      this.dirty = Boolean(root.querySelector("[data-summary]"));
      // What conditions see of a hidden field is what it had when the form opened.
      this.opening = { ...this.read(root, "", false), ...this.variables };
      root.addEventListener("input", (event) => this.changed(event.target));
      root.addEventListener("change", (event) => this.changed(event.target));
      root.addEventListener("focusout", (event) => this.tidy(event.target));
      root.addEventListener("click", (event) => this.clicked(event));
      root.addEventListener("keydown", (event) => this.enter(event));
      this.form = root.closest("form");
      this.form?.addEventListener("submit", () => (this.dirty = false));
      window.addEventListener("beforeunload", (event) => {
        if (this.dirty) event.preventDefault();
      });
      this.number();
      this.settle();
      root.querySelector("[data-summary]")?.focus();
    }

    read(scope, prefix, skipHidden) {
      const data = {};
      for (const box of boxesOf(scope)) {
        const name = box.dataset.field;
        if (!name || (skipHidden && box.closest("[hidden]:not([data-kind=expression])"))) continue;
        const path = name.slice(prefix.length).split(".");
        if (box.dataset.kind === "dynamiclist") {
          put(data, path, this.entries(box).map((entry) => this.read(entry, `${entry.dataset.entry}.`, skipHidden)));
        } else if (this.computed.has(box)) {
          put(data, path, this.computed.get(box));
        } else {
          const value = valueOf(box);
          if (value !== undefined) put(data, path, value);
        }
      }
      return data;
    }

    entries(list) {
      return [...(list.querySelector("[data-entries]")?.children ?? [])];
    }

    context(own, seen) {
      const special = Object.fromEntries(Object.entries(own).map(([name, value]) => [`_${name}_`, value]));
      return { ...own, ...seen, ...special };
    }

    // Run everything against the same data until nothing changes, as the server does.
    settle() {
      if (!feel) return;
      let first = true;
      for (let round = 0; round < ROUNDS; round += 1) {
        const data = this.read(this.root, "", !first);
        const seen = { ...this.opening, ...data };
        first = false;
        if (!this.round(this.root, data, seen, this.context({ this: seen, parent: null, i: [] }, seen))) break;
      }
      const hidden = inside(this.root, "[data-field]").filter((box) => box.dataset.kind !== "expression" && box.closest("[hidden]"));
      this.root.querySelector("[data-hidden]").value = hidden.map((box) => box.dataset.field).join(" ");
    }

    round(scope, own, seen, context) {
      let changed = false;
      for (const box of boxesOf(scope)) {
        const { hide, readonly, required, expression } = box.dataset;
        if (hide) {
          const hidden = run("unaryTest", hide, context) === true;
          changed ||= hidden !== box.hidden && box.dataset.kind !== "expression";
          if (box.dataset.kind !== "expression") box.hidden = hidden;
        }
        if (readonly) this.lock(box, run("unaryTest", readonly, context) === true);
        if (required) this.require(box, run("evaluate", required, context) === true);
        if (expression) {
          const value = run("evaluate", expression, context) ?? null;
          const text = JSON.stringify(value);
          if (!this.computed.has(box) || JSON.stringify(this.computed.get(box)) !== text) {
            this.computed.set(box, value);
            changed = true;
            const output = box.querySelector("output");
            if (output) output.textContent = value === null ? "—" : typeof value === "object" ? text : String(value);
          }
        }
        if (box.dataset.kind === "dynamiclist" && !box.hidden) {
          this.entries(box).forEach((entry, index) => {
            const inner = this.read(entry, `${entry.dataset.entry}.`, true);
            const parent = { ...context._parent_, ...(context._this_ ?? {}), this: context._this_, parent: context._parent_ };
            const next = this.context({ this: inner, parent, i: [...context._i_, index + 1] }, seen);
            changed = this.round(entry, inner, seen, next) || changed;
          });
        }
      }
      return changed;
    }

    lock(box, locked) {
      for (const input of inside(box, INPUTS)) {
        if (/^(checkbox|radio)$/.test(input.type) || input.tagName === "SELECT") input.disabled = locked;
        else input.readOnly = locked;
      }
      if (!locked) inside(box, "[data-kept]").forEach((kept) => kept.remove());
    }

    require(box, required) {
      const must = box.querySelector("[data-must]");
      if (must) must.hidden = !required;
      for (const input of inside(box, INPUTS)) {
        if (!/^(checkbox|radio)$/.test(input.type)) input.setAttribute("aria-required", String(required));
      }
    }

    changed(input) {
      this.dirty = true;
      // What was wrong may be right by now; the server will say.
      const box = input.closest("[data-field]");
      if (box && box.dataset.kind !== "dynamiclist") {
        box.querySelector(":scope > .form-error")?.remove();
        inside(box, "[aria-invalid]").forEach((each) => each.removeAttribute("aria-invalid"));
      }
      this.count(input);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.settle(), 80);
    }

    tidy(input) {
      if (input.classList?.contains("form-number") && numberOf(input.value) !== null) input.value = plainNumber(input.value);
    }

    count(input) {
      const most = Number(input.dataset?.most);
      if (!most || !/^(INPUT|TEXTAREA)$/.test(input.tagName)) return;
      const length = [...input.value.trim()].length;
      let line = input.nextElementSibling?.classList.contains("form-count") ? input.nextElementSibling : null;
      if (!line) {
        line = document.createElement("p");
        line.className = "form-count";
        input.after(line);
      }
      line.hidden = length < most * 0.7;
      line.classList.toggle("form-over", length > most);
      line.textContent = this.root.dataset.count.replace("{n}", length).replace("{m}", most);
    }

    enter(event) {
      const { target } = event;
      if (event.key === "Enter" && target.tagName === "INPUT" && !event.isComposing) event.preventDefault();
    }

    clicked(event) {
      const button = event.target.closest("[data-add], [data-remove]");
      if (!button) return;
      event.preventDefault();
      this.dirty = true;
      const list = button.closest("[data-kind=dynamiclist]");
      if (button.hasAttribute("data-add")) this.add(list);
      else this.remove(list, button.closest("[data-entry]"));
      this.number();
      this.settle();
    }

    add(list) {
      const template = list.querySelector(":scope > [data-template]");
      const numbers = this.entries(list).map((entry) => Number(entry.dataset.entry.match(/\[(\d+)\]$/)[1]));
      const html = template.innerHTML.replaceAll(template.dataset.mark, String(Math.max(-1, ...numbers) + 1));
      const entries = list.querySelector("[data-entries]");
      entries.insertAdjacentHTML("beforeend", html);
      entries.lastElementChild.querySelector(INPUTS)?.focus();
      this.say(this.root.dataset.added.replace("{n}", entries.children.length));
    }

    remove(list, entry) {
      entry.remove();
      list.querySelector(":scope > [data-add]").focus();
      this.say(this.root.dataset.removed);
    }

    // Entries are counted as they stand; their names keep the numbers they were made with.
    number() {
      for (const list of inside(this.root, "[data-kind=dynamiclist]")) {
        const entries = this.entries(list);
        entries.forEach((entry, index) => {
          for (const place of inside(entry, "[data-number]")) {
            if (place.closest("[data-entry]") === entry) place.textContent = index + 1;
          }
        });
        const button = list.querySelector(":scope > [data-add]");
        if (button) button.disabled = entries.length >= Number(list.dataset.most);
      }
    }

    say(text) {
      this.root.querySelector("[data-status]").textContent = text;
    }
  }

  document.querySelectorAll("[data-form]").forEach((root) => new Live(root));
})();
