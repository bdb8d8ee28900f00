/** One source as a tile: its picture, its state, its rates, and where it is large its controls. */

import { LineChart } from "./charts.js";
import { copyOf, element, say, setName, setText, warn } from "./dom.js";
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
    this.node = copyOf("tile");
    const part = (selector) => this.node.querySelector(selector);
    [this.heading, this.state, this.figures] = part(".bar").children;
    [this.enlarge, this.veil] = part(".view").children;
    this.enlarge.append(this.picture.node);
    this.enlarge.addEventListener("click", onEnlarge);
    this.details = part(".details");
    this.charts = [...part(".charts").children].map((node) => new LineChart(node));
    this.buttons = {};
    for (const button of part(".buttons").children) this.#prepareButton(button);
  }

  #prepareButton(button) {
    const { name } = button;
    const { may_control: mayControl, may_add_sources: mayRemove, blur_fixed: isBlurFixed } = this.me;
    const acts = { snapshot: () => this.snapshot(), fill: () => this.fillScreen(), remove: () => this.#remove() };
    this.buttons[name] = button;
    button.hidden = name !== "fill" && !(mayControl && (name !== "remove" || mayRemove));
    button.disabled = name === "blur" && isBlurFixed;
    button.addEventListener("click", acts[name] ?? (() => this.toggle(name)));
  }

  /** Shows what the server says of this source. */
  update(source) {
    const { name, state, since, reason, frames, shown_fps: fps, faces, people } = source;
    const isLive = state === "live";
    this.#chart(source, this.source.dropped);
    this.source = source;
    this.node.dataset.state = state;
    this.node.classList.toggle("recording", source.recording);
    setName(this.heading, name);
    this.node.setAttribute("aria-label", name);
    setText(this.state, isLive ? state : `${state} since ${clock(since)}`);
    const rates = [`${rate(fps ?? 0)} fps`, counted(faces, "face"), counted(people, "person", "people")];
    setText(this.figures, isLive ? rates.join(" · ") : "");
    const veil = state in VEILS ? `${VEILS[state]} ${clock(since)}` : "The first picture is coming";
    this.veil.hidden = isLive && frames > 0;
    this.veil.replaceChildren(veil, ...(reason && state !== "ended" ? [element("span", { title: reason }, reason)] : []));
    this.#showToggles();
    this.picture.label = `Live picture of ${name}`;
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

  /** Shows what comes, once its place is known: its size is that in which pictures are asked for. */
  show() {
    if (this.source.frames) this.picture.start();
  }

  /** Turns one of its switches: "paused", "recording" or "blur". */
  toggle(key) {
    return this.#control({ [key]: !this.source[key] });
  }

  async snapshot() {
    if (await this.#control({ snapshot: true })) say("A snapshot is saved.");
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

function press(button, isPressed, text) {
  button.setAttribute("aria-pressed", String(isPressed));
  setText(button, text);
}
