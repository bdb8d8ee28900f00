/** All sources as tiles, of which one may be large. */

import { part, setText, updateList, warn } from "./dom.js";
import { ask } from "./server.js";
import { Tile } from "./tile.js";
import { clock } from "./wording.js";

export class Tiles {
  #tiles = new Map();
  #large = null;

  constructor(list, me) {
    this.list = list;
    this.me = me;
  }

  update(sources) {
    for (const source of sources) this.#announce(source);
    updateList(
      this.list,
      sources,
      ({ number }) => number,
      (source) => this.#add(source),
      (node, source) => this.#tiles.get(source.number).update(source),
    );
    const present = new Set(sources.map(({ number }) => number));
    for (const [number, tile] of this.#tiles) {
      if (present.has(number)) continue;
      tile.picture.stop();
      this.#tiles.delete(number);
    }
    part("no-sources").hidden = sources.length > 0;
    this.#arrange();
  }

  #add(source) {
    const { number } = source;
    const tile = new Tile(source, this.me, () => this.enlarge(this.#large === number ? null : number));
    this.#tiles.set(number, tile);
    return tile.node;
  }

  /** Tells screen readers when a source comes to another state. */
  #announce({ number, name, state, since }) {
    const before = this.#tiles.get(number)?.source.state ?? state;
    if (before !== state) setText(part("states"), `${name}: ${state} since ${clock(since)}.`);
  }

  /** Ends the live pictures; the next update starts them again. */
  stopPictures() {
    this.#tiles.forEach((tile) => tile.picture.stop());
  }

  /** The tiles that keys concern: the large one, else all. */
  get chosen() {
    const large = this.#tiles.get(this.#largeNumber);
    return large ? [large] : [...this.#tiles.values()];
  }

  /** Enlarges the source of that number; null shows all alike. */
  enlarge(number) {
    this.#large = number;
    this.#arrange();
  }

  /** Enlarges the source at that place, from 0 on. */
  enlargeAt(place) {
    const number = [...this.#tiles.keys()][place];
    if (number !== undefined) this.enlarge(number);
  }

  /** The number of the large source: a single one always is. */
  get #largeNumber() {
    if (this.#tiles.size === 1) return [...this.#tiles.keys()][0];
    return this.#tiles.has(this.#large) ? this.#large : null;
  }

  #arrange() {
    const large = this.#largeNumber;
    this.list.dataset.count = this.#tiles.size;
    this.list.classList.toggle("has-large", large !== null);
    this.#tiles.forEach((tile, number) => {
      tile.isLarge = number === large;
    });
    this.#tiles.forEach((tile) => tile.show());
  }
}

/** Lets a viewer who may add sources name one. */
export function prepareAdding(form, me) {
  form.hidden = !me.may_control || !me.may_add_sources;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = form.elements.address.value.trim();
    const address = /^\d+$/.test(text) ? Number(text) : text;
    ask("/api/sources", { method: "POST", json: { address } }).then(() => form.reset(), warn);
  });
}
