/** H.264 fragments from a WebSocket, played by Media Source Extensions close to their newest end. */

const Source = window.ManagedMediaSource ?? window.MediaSource;

/** How far behind the newest picture playing jumps, s, and how far behind it lands. */
const MAX_BEHIND_S = 0.4;
const LANDING_S = 0.05;

/** From how far behind playing speeds up, s, and by how much. */
const LAG_S = 0.12;
const CATCH_UP = 1.08;

/** Played pictures that are kept at most, s. */
const KEPT_S = 10;

/** Fragments that may wait for the decoder; with more the stream begins anew. */
const MAX_WAITING = 300;

/** Fragments after which a picture must have played, else the browser cannot: 6 s of 15 a second. */
const MOST_UNPLAYED = 90;

/** The code by which a server closes a socket that it cannot serve. */
const FAILED = 1011;

/** Whether this browser can play such fragments at all. */
export const canPlay = Boolean(Source);

/** One stream in a video element. A text message has the type of what follows: the initial segment,
 * then fragments. Another one begins another size, whose times count from 0 again.
 */
export class FragmentPlayer {
  #socket;
  #media = null;
  #buffer = null;
  #waiting = [];
  #taken = 0;
  #width;

  /** `width` is that at which it is shown, px; `onEnd` is called when it ends by itself, with whether H.264 cannot be had at all. */
  constructor(video, path, width, onEnd) {
    this.video = video;
    this.onEnd = onEnd;
    this.#width = width;
    this.#socket = new WebSocket(new URL(`${path}?width=${width}`, location.href.replace("http", "ws")));
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onmessage = ({ data }) => {
      if (typeof data !== "string" || this.#media) this.#take(data);
      else this.#begin(JSON.parse(data).mime);
    };
    this.#socket.onclose = ({ code }) => this.#end(code === FAILED);
    video.onerror = () => this.#end(true);
  }

  /** Asks for another width, in the same stream. */
  show(width) {
    if (width === this.#width || this.#socket.readyState !== WebSocket.OPEN) return;
    this.#width = width;
    this.#socket.send(width);
  }

  /** Closes the socket; the last picture stays. */
  close() {
    this.#socket.onmessage = this.#socket.onclose = this.video.onerror = null;
    this.#socket.close();
    this.#media = this.#buffer = null;
  }

  #end(isHopeless) {
    if (this.#socket.onclose === null) return;
    this.close();
    this.onEnd(isHopeless);
  }

  #begin(mime) {
    if (!Source.isTypeSupported(mime)) return this.#end(true);
    const media = new Source();
    this.#media = media;
    URL.revokeObjectURL(this.video.src);
    this.video.disableRemotePlayback = true;
    this.video.src = URL.createObjectURL(media);
    media.onsourceopen = () => {
      if (media !== this.#media || this.#buffer) return;
      this.#buffer = media.addSourceBuffer(mime);
      this.#buffer.onupdateend = () => this.#next();
      this.#next();
    };
  }

  #take(fragment) {
    this.#waiting.push(fragment);
    this.#taken += 1;
    if (this.#taken > MOST_UNPLAYED && !this.video.played.length) this.#end(true);
    else if (this.#waiting.length > MAX_WAITING) this.#end(false);
    else this.#next();
  }

  /** Hands the next fragment to the decoder once it has taken the last. */
  #next() {
    const buffer = this.#buffer;
    if (!buffer || buffer.updating || this.#media.readyState !== "open") return;
    const { buffered } = buffer;
    const { currentTime } = this.video;
    const newest = buffered.length && buffered.end(buffered.length - 1);
    if (newest) this.#keepUp(newest);
    try {
      if (newest && buffered.start(0) < currentTime - KEPT_S) return buffer.remove(0, currentTime - KEPT_S / 2);
      if (typeof this.#waiting[0] === "string") {
        buffer.timestampOffset = newest;
        this.#waiting.shift();
      }
      if (this.#waiting.length) buffer.appendBuffer(this.#waiting.shift());
    } catch {
      this.#end(true);
    }
  }

  /** Keeps playing close to the newest picture. */
  #keepUp(newest) {
    const { video } = this;
    const behind = newest - video.currentTime;
    if (behind > MAX_BEHIND_S || behind < 0) video.currentTime = newest - LANDING_S;
    video.playbackRate = behind > LAG_S ? CATCH_UP : 1;
    if (video.paused) video.play().catch(() => {});
  }
}
