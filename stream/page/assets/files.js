/** Recordings and snapshots of this run, to play and to download. */

import { copyOf, element, part, setName, setText, updateList } from "./dom.js";
import { clock, megabytes } from "./wording.js";

export class Files {
  constructor(list, player) {
    this.list = list;
    this.player = player;
    this.shown = player.querySelector(".shown");
    player.addEventListener("close", () => this.shown.replaceChildren());
  }

  /** Shows the files, the newest first; `names` are those of the sources, by number. */
  update(files, names) {
    part("no-files").hidden = files.length > 0;
    updateList(
      this.list,
      [...files].sort((one, other) => other.made.localeCompare(one.made)),
      ({ name }) => name,
      (file) => this.#makeRow(file),
      (row, { made, bytes, source }) => {
        const from = names.has(source) ? ` · ${names.get(source)}` : "";
        setName(row.querySelector(".about"), `${clock(made)} · ${megabytes(bytes)}${from}`);
      },
    );
  }

  #makeRow({ name, kind }) {
    const src = `/api/files/${encodeURIComponent(name)}`;
    const isVideo = kind === "recording";
    const verb = isVideo ? "Play" : "Show";
    const click = () => {
      const video = { src, controls: true, autoplay: true, "aria-label": name };
      const shown = isVideo ? element("video", video) : element("img", { src, alt: name });
      setName(this.player.querySelector("h2"), name);
      this.shown.replaceChildren(shown);
      this.player.showModal();
    };
    const row = copyOf("file");
    const [words, button] = row.children;
    setName(words.firstChild, name);
    setText(button, verb);
    button.setAttribute("aria-label", `${verb} ${name}`);
    button.addEventListener("click", click);
    row.append(downloading(src, name));
    return row;
  }
}

/** Makes the link that downloads what is at an address. */
export function downloading(href, name) {
  return element("a.control", { href, download: name, "aria-label": `Download ${name}` }, "Download");
}
