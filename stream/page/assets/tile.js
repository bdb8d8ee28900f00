/** One source as a tile: its picture, its state, its rates, and where it is large its controls. */

import { LineChart } from "./charts.js";
import { element, say, setText, warn } from "./dom.js";
import { LivePicture } from "./picture.js";
import { ask } from "./server.js";
import { clock, counted, rate } from "./wording.js";

/** What lies over the picture in each state, with the time since which it holds. */
const VEILS = { waiting: "Waiting since", failed: "Failed at", ended: "Ended at", paused: "Paused at" };

/** A tile, which `update` brings up to what the server says. */
export class Tile {
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
    const charts = [["Frames a second", 10], ["Latency", 100], ["Dropped", 5]];
    this.charts = charts.map(([title, least]) => new LineChart(title, least));
    this.buttons = this.#makeButtons();
    this.details = element(
      "div",
      {},
      element("div.buttons", { role: "group", "aria-label": "Controls" }, Object.values(this.buttons)),
      element("dl.charts", {}, this.charts.map(({ node }) => node)),
    );
    this.node = element(
      "article.tile.sheet",
      { "aria-labelledby": this.heading.id },
      element("div.view", {}, this.enlarge, this.veil),
      element("div.bar", {}, this.heading, this.state, this.figures),
      this.details,
    );
  }

  #makeButtons() {
    const fill = makeButton("Fill screen", () => this.fillScreen());
    if (!this.me.may_control) return { fill };
    const controls = {
      paused: makeButton("Pause", () => this.toggle("paused")),
      recording: makeButton("Record", () => this.toggle("recording")),
      snapshot: makeButton("Snapshot", () => this.snapshot()),
      blur: makeButton("Blur", () => this.toggle("blur")),
      fill,
    };
    controls.blur.disabled = this.me.blur_fixed;
    if (this.me.may_add_sources) controls.remove = makeButton("Remove", () => this.#remove());
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
    const rates = [`${rate(fps ?? 0)} fps`, counted(faces, "face"), counted(people, "person", "people")];
    setText(this.figures, isLive ? rates.join(" · ") : "");
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
    const { paused, recording, recording_refusal: refusal, blur } = this.source;
    const { buttons } = this;
    if (!buttons.paused) return;
    press(buttons.paused, paused, paused ? "Go on" : "Pause");
    press(buttons.recording, recording, recording ? "Stop recording" : "Record");
    buttons.recording.title = refusal ?? "";
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

  /** Asks for a change; whether it was made. */
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

function makeButton(text, click) {
  return element("button.control", { type: "button", click }, text);
}

function press(button, isPressed, text) {
  button.setAttribute("aria-pressed", String(isPressed));
  setText(button, text);
}
