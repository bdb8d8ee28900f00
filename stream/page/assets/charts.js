/** Small charts of SVG, stretched by the style. The numbers stand beside them in words. */

import { drawing, setText } from "./dom.js";

/** Size of a chart, in its own units: its `viewBox` in the page too. */
const WIDTH = 240;
const HEIGHT = 64;

/** Values that a line chart keeps: two minutes at one a second. */
const KEPT_VALUES = 120;

/** Faces at the top of a layered chart, at least. */
const LEAST_FACES = 4;

/** Colours of layers that the style has. */
const COLOURS = 9;

function canvas(...children) {
  const viewBox = `0 0 ${WIDTH} ${HEIGHT}`;
  return drawing("svg", { viewBox, preserveAspectRatio: "none", "aria-hidden": "true" }, ...children);
}

const point = (x, y) => `${(x * WIDTH).toFixed(1)} ${((1 - y) * HEIGHT).toFixed(1)}`;

/** A line of the last values, with its name and the newest one in words. */
export class LineChart {
  #values = [];

  /** `data-least` of its node is the value at the top of the chart, at least. */
  constructor(node) {
    this.least = Number(node.dataset.least);
    [, this.words, this.canvas] = node.children;
  }

  /** Adds the newest value and its words; null is a gap. */
  add(value, words) {
    setText(this.words, value === null ? "–" : words);
    this.#values = [...this.#values, value].slice(-KEPT_VALUES);
    const top = Math.max(this.least, ...this.#values) * 1.1;
    const steps = this.#values.map((each, place, all) => {
      if (each === null) return "";
      const x = 1 + (place + 1 - all.length) / (KEPT_VALUES - 1);
      return ((all[place - 1] ?? null) === null ? "M" : "L") + point(x, each / top);
    });
    this.canvas.firstChild.setAttribute("d", steps.join(""));
  }
}

/** Makes layers of counts, one on another from below; `history` has a time and counts each. */
export function layersChart(history, names) {
  if (history.length < 2) return canvas();
  const sums = [history.map(() => 0)];
  for (const name of names) {
    sums.push(history.map(({ counts }, place) => sums.at(-1)[place] + (counts[name] ?? 0)));
  }
  const top = Math.max(LEAST_FACES, ...sums.at(-1));
  const spanMs = Math.max(1, history.at(-1).timeMs - history[0].timeMs);
  const edge = (sum) =>
    sum.map((count, place) => point((history[place].timeMs - history[0].timeMs) / spanMs, count / top));
  const layers = names.map((name, layer) => {
    const outline = [...edge(sums[layer + 1]), ...edge(sums[layer]).reverse()];
    return drawing("path", { class: `layer ${colourOf(name, layer)}`, d: `M${outline.join("L")}Z` });
  });
  return canvas(...layers);
}

/** The class of the colour of a layer; grey for what is unsure. */
export function colourOf(name, layer) {
  return name ? `c${layer % COLOURS}` : "unsure";
}
