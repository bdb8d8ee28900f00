/** One field of the settings form for each kind of setting. */

import { element } from "./dom.js";

/** A control that takes input: `read` gives its value as the API takes it, or throws an Error of
 * one line; `write` shows a value.
 */
class Field {
  constructor(control, read, write = (value) => value ?? "") {
    const isSwitch = control.type === "checkbox";
    this.control = control;
    this.read = () => read(isSwitch ? control.checked : control.value.trim());
    this.write = (value) => {
      control[isSwitch ? "checked" : "value"] = write(value);
    };
  }
}

/** Makes the field of a setting, as the API gives it. */
export function makeField({ kind, value, choices, minimum, maximum }) {
  const words = choices ?? [];
  const orWord = (read) => (text) => (words.includes(text) ? text : read(text));
  if (kind === "table" || value?.constructor === Object) {
    return new Field(element("textarea", { rows: 3 }), tableOf, tableText);
  }
  switch (kind) {
    case "switch":
      return new Field(input("checkbox"), Boolean);
    case "choice": {
      const options = words.map((word) => element("option", { value: word }, String(word)));
      const read = (text) => words.find((word) => String(word) === text);
      return new Field(element("select", {}, options), read);
    }
    case "list":
      return new Field(input("text"), orWord(listOf), listText);
    case "number":
    case "integer": {
      const limits = { min: minimum ?? "", max: maximum ?? "", step: kind === "integer" ? 1 : "any" };
      if (words.length) return new Field(input("text"), orWord(numberOf));
      if (minimum === 0 && maximum === 1) return new Field(input("range", { ...limits, step: 0.01 }), numberOf);
      return new Field(input("number", limits), numberOf);
    }
    default:
      return new Field(input("text"), String);
  }
}

function input(type, given = {}) {
  return element("input", { type, autocomplete: "off", spellcheck: false, ...given });
}

function numberOf(text) {
  if (text === "" || Number.isNaN(Number(text))) throw new Error("Give a number.");
  return Number(text);
}

const listOf = (text) => text.split(",").map((each) => each.trim()).filter(Boolean);

const listText = (value) => (Array.isArray(value) ? value.join(", ") : String(value));

/** A table from lines: `name = number` or `name = word, word`. */
function tableOf(text) {
  const lines = text.split("\n").filter(Boolean).map((line) => {
    const [name, value, ...more] = line.split("=").map((part) => part.trim());
    if (!name || !value || more.length) throw new Error("Write one a line: name = value.");
    return [name, Number.isNaN(Number(value)) ? listOf(value) : Number(value)];
  });
  return Object.fromEntries(lines);
}

const tableText = (value) => Object.entries(value).map(([name, entry]) => `${name} = ${listText(entry)}`).join("\n");
