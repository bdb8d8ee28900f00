/** One source as a tile: its picture, its state, its rates, and where it is large its controls. */

import { LineChart } from "./charts.js";
import { drawing, element, say, setText, warn } from "./dom.js";
import { LivePicture } from "./picture.js";
import { ask } from "./server.js";
import { clock, counted, rate } from "./wording.js";

/** The outlines of the buttons, on a square of 16. */
const ICONS = {
  paused: "M4 3h3v10H4zM9 3h3v10H9z",
  goOn: "M4 2.5v11l9-5.5z",
  recording: "M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3z",
  snapshot: "M2 5h3l1-2h4l1 2h3v8H2zM8 6.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
  blur: "M8 1.5C5 5 3.5 7.2 3.5 9.5a4.5 4.5 0 0 0 9 0C12.5 7.2 11 5 8 1.5z",
  fill: "M2 2h5v2H4v3H2zM9 2h5v5h-2V4H9zM2 9h2v3h3v2H2zM12 9h2v5H9v-2h3z",
  remove: "M4 3 3 4l4 4-4 4 1 1 4-4 4 4 1-1-4-4 4-4-1-1-4 4z",
};

/** What lies over the picture in each state, with the time since which it holds. */
const VEILS = { waiting: "Waiting since", failed: "Failed at", ended: "Ended at", paused: "Paused at" };

/** A tile. It keeps its node, and `update` brings it up to what the server says. */
export class Tile {
  /** `onEnlarge` is called where its picture is clicked. */
  constructor(source, me, onEnlarge) {
    this.me = me;
    this.source = source;
    this.path = `/api/sources/${source.number}`;
    this.picture = new LivePicture(this.path);
    this.heading = element("h2", { id: `source-${source.number}` });
    this.state = element("span.state");
    this.figures = element("span.figures");
    this.veil = element("p.veil");
    this.enlarge = element("button.enlarge", { type: "button", click: onEnlarge }, this.picture.node);
    this.charts = [new Chart("Frames a second", 10), new Chart("Latency", 100), new Chart("Dropped", 5)];
    this.buttons = this.#makeButtons();
    this.details = element(
      "div",
      {},
      element("div.buttons", { role: "group", "aria-label": "Controls" }, Object.values(this.buttons)),
      element("dl.charts", {}, this.charts.map(({ node }) => node)),
    );
    this.node = element(
      "article.tile",
      { "aria-labelledby": this.heading.id },
      element("div.view", {}, this.enlarge, this.veil),
      element("div.bar", {}, this.heading, this.state, this.figures),
      this.details,
    );
  }

  #makeButtons() {
    const fill = makeButton("fill", "Fill screen", () => this.fillScreen());
    if (!this.me.may_control) return { fill };
    const controls = {
      paused: makeButton("paused", "Pause", () => this.toggle("paused")),
      recording: makeButton("recording", "Record", () => this.toggle("recording")),
      snapshot: makeButton("snapshot", "Snapshot", () => this.snapshot()),
      blur: makeButton("blur", "Blur", () => this.toggle("blur")),
      fill,
    };
    controls.blur.disabled = this.me.blur_fixed;
    if (this.me.may_add_sources) controls.remove = makeButton("remove", "Remove", () => this.#remove());
    return controls;
  }

  /** Shows what the server says of this source. */
  update(source) {
    const { name, state, since, reason, frames, shown_fps: fps, faces, people } = source;
    const isLive = state === "live";
    this.#chart(source, this.source.dropped);
    this.source = source;
    this.node.dataset.state = state;
    this.node.classList.toggle("recording", source.recording);
    setText(this.heading, name);
    setText(this.state, isLive ? state : `${state} since ${clock(since)}`);
    const rates = isLive ? [`${rate(fps)} fps`, counted(faces, "face")] : [];
    setText(this.figures, [...rates, counted(people, "person", "people")].join(" · "));
    const veil = state in VEILS ? `${VEILS[state]} ${clock(since)}` : "The first picture is coming";
    this.veil.hidden = isLive && frames > 0;
    this.veil.replaceChildren(veil, ...(reason ? [element("span", {}, reason)] : []));
    this.#showToggles();
    this.picture.label = `Live picture of ${name}`;
    if (frames && !document.hidden) this.picture.start();
  }

  #chart({ state, shown_fps: fps, source_fps: sourceFps, latency_ms: latency, frames, dropped }, before) {
    const [rates, latencies, drops] = this.charts;
    const isLive = state === "live";
    rates.add(isLive ? fps : null, `${rate(fps ?? 0)}${sourceFps ? ` of ${rate(sourceFps)}` : ""}`);
    const { p50, p95 } = latency ?? {};
    const isKnown = isLive && Number.isFinite(p95);
    latencies.add(isKnown ? p95 : null, `${Math.round(p50)} ms, 95 % under ${Math.round(p95)} ms`);
    const share = ((100 * dropped) / Math.max(1, frames + dropped)).toFixed(1);
    drops.add(isLive ? dropped - before : null, `${dropped}, ${share} %`);
  }

  #showToggles() {
    const { paused, recording, blur } = this.source;
    const { buttons } = this;
    if (!buttons.paused) return;
    press(buttons.paused, paused, paused ? "Go on" : "Pause");
    buttons.paused.firstChild.firstChild.setAttribute("d", paused ? ICONS.goOn : ICONS.paused);
    press(buttons.recording, recording, recording ? "Stop recording" : "Record");
    press(buttons.blur, blur, this.me.blur_fixed ? "Blurred from the start" : "Blur");
  }

  /** Shows it large with its controls, or as one tile among others. */
  set isLarge(isLarge) {
    this.node.classList.toggle("large", isLarge);
    this.details.hidden = !isLarge;
    this.enlarge.setAttribute("aria-expanded", String(isLarge));
    this.enlarge.setAttribute("aria-label", `${this.source.name}, large`);
  }

  /** Turns one of its switches: "paused", "recording" or "blur". */
  toggle(key) {
    return this.#control({ [key]: !this.source[key] });
  }

  async snapshot() {
    if (await this.#control({ snapshot: true })) say(`A snapshot of ${this.source.name} is saved.`);
  }

  fillScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.node.requestFullscreen?.();
  }

  /** Asks for a change, whose answer is the new state; whether it was made. */
  async #control(json) {
    try {
      Object.assign(this.source, await ask(`${this.path}/controls`, { method: "POST", json }));
      this.#showToggles();
      return true;
    } catch (refusal) {
      warn(refusal);
      return false;
    }
  }

  #remove() {
    ask(this.path, { method: "DELETE" }).catch(warn);
  }
}

/** A line chart with its name and its newest value in words. */
class Chart {
  constructor(title, least) {
    this.line = new LineChart(least);
    this.words = element("dd");
    this.node = element("div.chart", {}, element("dt", {}, title), this.words, this.line.node);
  }

  /** Adds a value and its words; null where there is none. */
  add(value, words) {
    this.line.add(value);
    setText(this.words, value === null ? "–" : words);
  }
}

function makeButton(icon, text, click) {
  const outline = drawing("path", { d: ICONS[icon] });
  const drawn = drawing("svg", { viewBox: "0 0 16 16", "aria-hidden": "true", class: "icon" }, outline);
  return element("button.control", { type: "button", click }, drawn, element("span", {}, text));
}

function press(button, isPressed, text) {
  button.setAttribute("aria-pressed", String(isPressed));
  setText(button.lastChild, text);
}
