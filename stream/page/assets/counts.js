/** Counts over time by attribute: layers of the faces in view, and how many people so far. */

import { colourOf, layersChart } from "./charts.js";
import { element, setText, updateList } from "./dom.js";
import { className, duration } from "./wording.js";

export class Counts {
  #attribute = null;
  #people = null;

  /** The section has a choice, a chart, its span of time, and its key. */
  constructor(section) {
    this.section = section;
    const parts = [".choice", ".layers", ".span", ".key"];
    [this.choice, this.chart, this.span, this.key] = parts.map((part) => section.querySelector(part));
    this.choice.addEventListener("change", (event) => {
      this.#attribute = event.target.value;
      this.#draw();
    });
  }

  /** Shows the counts and their history, as the API gives them. */
  update(people) {
    this.#people = people;
    const attributes = Object.keys(people.counts);
    this.section.hidden = attributes.length === 0;
    if (!attributes.includes(this.#attribute)) [this.#attribute] = attributes;
    updateList(this.choice, attributes, String, makeOption, (node, name) => {
      node.firstChild.checked = name === this.#attribute;
    });
    if (attributes.length) this.#draw();
  }

  #draw() {
    const ofAttribute = (counts) => counts[this.#attribute] ?? {};
    const soFar = ofAttribute(this.#people.counts);
    const history = this.#people.history.map(({ time, counts }) => ({ time, counts: ofAttribute(counts) }));
    const names = layerNames([soFar, ...history.map(({ counts }) => counts)]);
    const isDrawn = history.length > 1;
    this.chart.replaceChildren(...(isDrawn ? [layersChart(history, names)] : []));
    const spanMs = isDrawn ? Date.parse(history.at(-1).time) - Date.parse(history[0].time) : 0;
    setText(this.span.firstChild, `${duration(spanMs / 1000)} ago`);
    const inView = history.at(-1)?.counts ?? {};
    updateList(this.key, names, String, makeRow, (row, name) => {
      const [mark, word, now, total] = row.children;
      mark.firstChild.className = `mark ${colourOf(name, names.indexOf(name))}`;
      setText(word, className(name));
      setText(now, String(inView[name] ?? 0));
      setText(total, String(soFar[name] ?? 0));
    });
  }
}

/** All classes that were met, by the alphabet, so that each keeps its colour; unsure is on top. */
function layerNames(counts) {
  const met = new Set(counts.flatMap(Object.keys));
  const unsure = met.delete("unsure") ? ["unsure"] : [];
  return [...[...met].sort(), ...unsure];
}

function makeOption(name) {
  const radio = element("input", { type: "radio", name: "attribute", value: name });
  return element("label", {}, radio, element("span", {}, name));
}

function makeRow() {
  const mark = element("td", {}, element("span"));
  return element("tr", {}, mark, element("th", { scope: "row" }), element("td"), element("td"));
}
