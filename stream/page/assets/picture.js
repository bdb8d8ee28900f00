/** The live picture of one source: H.264 where that works, else MJPEG, else still pictures. */

import { element } from "./dom.js";
import { canPlay, FragmentPlayer } from "./h264.js";

/** MJPEG streams at once. A browser opens six connections to a server, and events are one. */
const MAX_MJPEG_STREAMS = 3;

/** Pause between still pictures, where all MJPEG streams are in use, ms. */
const STILL_MS = 1000;

let mjpegStreams = 0;

/** One live picture, whose `way` is "H.264", "MJPEG", "stills", or "none" while it is stopped. */
export class LivePicture {
  #hasH264 = canPlay;
  #player = null;
  #timer = 0;
  #asked = 0;

  /** @param {string} path of the source. */
  constructor(path) {
    this.path = path;
    this.way = "none";
    this.video = element("video", { muted: true, playsInline: true, tabIndex: -1 });
    this.image = element("img", { alt: "", hidden: true, error: () => this.stop() });
    this.node = element("div.picture", {}, this.video, this.image);
  }

  set label(text) {
    this.video.setAttribute("aria-label", text);
    this.image.alt = text;
  }

  /** Shows the newest picture, then what comes, no larger than there is room for. */
  start() {
    if (this.way !== "none") {
      this.#player?.show(this.#width);
      if (this.way === "MJPEG" && this.#width > this.#asked) this.#askMjpeg();
      return;
    }
    this.video.hidden = !this.#hasH264;
    this.image.hidden = this.#hasH264;
    if (this.#hasH264) this.#startH264();
    else if (mjpegStreams < MAX_MJPEG_STREAMS) this.#startMjpeg();
    else this.#startStills();
  }

  /** Ends what comes; the last picture stays. */
  stop() {
    clearTimeout(this.#timer);
    this.#player?.close();
    this.#player = null;
    if (this.way === "MJPEG") mjpegStreams -= 1;
    this.way = "none";
  }

  get #width() {
    return Math.ceil(this.node.clientWidth * devicePixelRatio);
  }

  get #newest() {
    return `${this.path}/picture.jpg?${Date.now()}`;
  }

  #startH264() {
    this.way = "H.264";
    this.video.poster = this.#newest;
    const end = (isHopeless) => {
      this.stop();
      if (!isHopeless) return;
      this.#hasH264 = false;
      this.start();
    };
    this.#player = new FragmentPlayer(this.video, `${this.path}/video`, this.#width, end);
  }

  #startMjpeg() {
    this.way = "MJPEG";
    mjpegStreams += 1;
    this.#askMjpeg();
  }

  /** Asks for another stream in place of one whose pictures are too small by now. */
  #askMjpeg() {
    this.#asked = this.#width;
    this.image.src = `${this.path}/video.mjpeg?width=${this.#asked}&${Date.now()}`;
  }

  #startStills() {
    this.way = "stills";
    this.image.src = this.#newest;
    this.#timer = setTimeout(() => this.#startStills(), STILL_MS);
  }
}
