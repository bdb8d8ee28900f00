/** Counts over time by attribute: layers of the faces in view of all sources. */

import { colourOf, layersChart } from "./charts.js";
import { copyOf, element, setName, setText, updateList } from "./dom.js";
import { className, duration } from "./wording.js";

/** Age from which on the last counts of a source do not hold any more, ms: it has ended. */
const STALE_MS = 15_000;

/** Counts that are drawn, at most: an hour of one source. */
const MOST_ENTRIES = 720;

export class Counts {
  #counts = {};
  #history = [];

  constructor(section) {
    this.section = section;
    const parts = [".choice", ".layers", ".span", ".key"];
    [this.choice, this.chart, this.span, this.key] = parts.map((part) => section.querySelector(part));
    this.choice.addEventListener("change", () => this.#draw());
  }

  /** Shows the counts; of their history there may come all, or only what is new. */
  update({ counts, history }) {
    this.#counts = counts;
    const known = new Map([...this.#history, ...history].map((entry) => [entry.time + entry.source, entry]));
    const inOrder = [...known.values()].sort((one, other) => one.time.localeCompare(other.time));
    this.#history = inOrder.slice(-MOST_ENTRIES);
    const attributes = [...new Set([counts, ...this.#history.map((entry) => entry.counts)].flatMap(Object.keys))];
    this.section.hidden = attributes.length === 0;
    updateList(this.choice, attributes, String, (name) => element("option", {}, name), () => {});
    this.#draw();
  }

  #draw() {
    const attribute = this.choice.value;
    const now = this.#counts[attribute] ?? {};
    const history = addedUp(this.#history, attribute);
    const names = layerNames([now, ...history.map(({ counts }) => counts)]);
    this.chart.replaceChildren(layersChart(history, names));
    const spanMs = history.length ? history.at(-1).timeMs - history[0].timeMs : 0;
    setText(this.span.firstChild, `${duration(spanMs / 1000)} ago`);
    updateList(this.key, names, String, () => copyOf("count"), (row, name) => {
      const [mark, word, count] = row.children;
      mark.firstChild.className = `mark ${colourOf(name, names.indexOf(name))}`;
      setName(word, className(name));
      setText(count, String(now[name] ?? 0));
    });
  }
}

/** The counts of an attribute of all sources together, at each time that one has counts of. */
function addedUp(history, attribute) {
  const last = new Map();
  return history.map(({ time, source, counts }) => {
    const timeMs = Date.parse(time);
    last.set(source, { timeMs, counts: counts[attribute] ?? {} });
    const sum = {};
    for (const each of last.values()) {
      if (timeMs - each.timeMs > STALE_MS) continue;
      for (const [name, count] of Object.entries(each.counts)) sum[name] = (sum[name] ?? 0) + count;
    }
    return { timeMs, counts: sum };
  });
}

/** All classes that were met, by the alphabet, so that each keeps its colour; unsure is on top. */
function layerNames(counts) {
  const met = new Set(counts.flatMap(Object.keys));
  const unsure = met.delete("") ? [""] : [];
  return [...[...met].sort(), ...unsure];
}
