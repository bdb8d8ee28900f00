/** The settings as a form that their schema makes; each is sent when it is changed. */

import { copyOf, element, say, setName, setText } from "./dom.js";
import { makeField } from "./fields.js";
import { ask } from "./server.js";

export class Settings {
  #rows = new Map();

  constructor(form) {
    this.form = form;
    form.addEventListener("submit", (event) => event.preventDefault());
  }

  /** Shows the values of the server; a field that is being edited keeps what was typed. */
  update(settings) {
    if (settings.some(({ key }) => !this.#rows.has(key))) this.#build(settings);
    for (const { key, value } of settings) this.#rows.get(key).show(value);
  }

  /** Makes a group of each section; what cannot be changed comes last. */
  #build(settings) {
    const groups = new Map();
    const fixed = element("details", {}, element("summary", {}, "Fixed at the start"));
    for (const setting of settings) {
      const [section] = setting.key.split(".");
      const row = new Row(setting, (all) => this.update(all));
      this.#rows.set(setting.key, row);
      if (!setting.editable) {
        fixed.append(row.node);
        continue;
      }
      if (!groups.has(section)) groups.set(section, element("fieldset", {}, element("legend", {}, section)));
      groups.get(section).append(row.node);
    }
    this.form.replaceChildren(...groups.values(), fixed);
  }
}

/** One setting: its name, its field, what it does, and what was wrong with its last value. */
class Row {
  #shown = null;
  #isEdited = false;

  /** `onSet` takes all settings once this one was set. */
  constructor(setting, onSet) {
    const { key, description, editable, why_not: whyNot } = setting;
    this.key = key;
    this.onSet = onSet;
    this.field = makeField(setting);
    const { control } = this.field;
    this.node = copyOf("setting");
    const [label, value, about, problem] = this.node.children;
    [this.output, this.problem] = [value.firstChild, problem];
    this.node.classList.add(control.type);
    this.output.hidden = control.type !== "range";
    value.prepend(control);
    setName(label, editable ? key.split(".")[1].replaceAll("_", " ") : key);
    setText(about, editable ? description : `${description} Fixed: ${whyNot}.`);
    control.id = label.htmlFor = key;
    [about.id, problem.id] = [`about-${key}`, `problem-${key}`];
    control.disabled = !editable;
    control.setAttribute("aria-describedby", `${about.id} ${problem.id}`);
    control.addEventListener("input", () => {
      this.#isEdited = true;
      this.#showNumber();
    });
    control.addEventListener("change", () => this.#send());
  }

  /** Shows a value, unless another is being typed. */
  show(value) {
    const text = JSON.stringify(value);
    if (this.#isEdited || this.#shown === text) return;
    this.#shown = text;
    this.field.write(value);
    this.#showNumber();
  }

  #showNumber() {
    setText(this.output, Number(this.field.control.value).toFixed(2));
  }

  async #send() {
    let fault = "";
    try {
      const json = { [this.key]: this.field.read() };
      const { settings } = await ask("/api/settings", { method: "PATCH", json });
      this.#isEdited = false;
      this.#shown = null;
      this.onSet(settings);
      say(`${this.key} is set.`);
    } catch ({ message }) {
      fault = message;
    }
    setText(this.problem, fault);
    this.field.control.setAttribute("aria-invalid", String(fault !== ""));
  }
}
