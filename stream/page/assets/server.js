/** The server as the page sees it: requests with one-line errors, and events that never give up. */

/** How long a request may take, ms. */
const REQUEST_MS = 15_000;

/** Silence after which the page asks whether the server is there, ms. */
const SILENCE_MS = 10_000;

/** Pause before the events are opened again, ms; less asks a server more often that is gone. */
const RETRY_MS = 1500;

/** The kinds of events; the data of each is the state of all of its kind. */
const KINDS = ["sources", "people", "settings", "files"];

/** A request that failed: its message is one line, its status that of HTTP, or 0 without answer. */
const refusal = (message, status) => Object.assign(new Error(message), { status });

/** Asks the server and gives its answer, read as JSON; a body is sent for as long as it takes. */
export async function ask(path, { method, json, body, headers } = {}) {
  const signal = body ? undefined : AbortSignal.timeout(REQUEST_MS);
  let answer;
  try {
    answer = await fetch(path, { method, body: body ?? JSON.stringify(json), headers, signal });
  } catch {
    throw refusal("The server does not answer.", 0);
  }
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return said;
  throw refusal(said.error ?? `The server refused it (${answer.status}).`, answer.status);
}

/** The events of the server: opened again whenever they end, and closed in a hidden page. */
export class Events {
  #stream = null;
  #timer = 0;
  #state = "";

  /** `onEvent` takes a kind and its data; `onState` "open", "gone", "refused"
   * or "hidden" where that changes. */
  constructor(onEvent, onState) {
    this.onEvent = onEvent;
    this.onState = onState;
    document.addEventListener("visibilitychange", () => this.#open());
    this.#open();
  }

  #open() {
    this.#close();
    this.#state = "";
    if (document.hidden) return this.#become("hidden");
    const stream = new EventSource("/api/events");
    this.#stream = stream;
    stream.onopen = () => this.#hear();
    stream.onerror = () => this.#lose();
    for (const kind of KINDS) {
      stream.addEventListener(kind, ({ data }) => {
        this.#hear();
        this.onEvent(kind, JSON.parse(data));
      });
    }
    this.#hear(false);
  }

  #close() {
    clearTimeout(this.#timer);
    this.#stream?.close();
    this.#stream = null;
  }

  /** Begins to wait for a silence; what was heard shows that the server is there. */
  #hear(isHeard = true) {
    clearTimeout(this.#timer);
    const stream = this.#stream;
    this.#timer = setTimeout(async () => {
      const state = await serverState();
      if (stream !== this.#stream) return;
      if (state === "open") this.#hear();
      else this.#lose();
    }, SILENCE_MS);
    if (isHeard) this.#become("open");
  }

  #become(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.onState(state);
  }

  async #lose() {
    this.#close();
    this.#timer = setTimeout(() => this.#open(), RETRY_MS);
    const state = await serverState();
    if (state !== "open") this.#become(state);
  }
}

/** Whether the server answers: "open", "gone", or "refused" by the token. */
async function serverState() {
  try {
    await ask("/api/me");
    return "open";
  } catch ({ status }) {
    return status === 401 ? "refused" : "gone";
  }
}
