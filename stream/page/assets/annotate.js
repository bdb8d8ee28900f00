/** A picture or a short video that is dropped onto the page, annotated and not kept. */

import { copyOf, element, part, setName, setText, warn } from "./dom.js";
import { downloading } from "./files.js";
import { ask } from "./server.js";
import { counted, labelWords, percent } from "./wording.js";

/** Pause between two looks at how far a video is, ms. */
const LOOK_MS = 700;

/** Lets files be dropped or chosen; `onTake` brings their results into sight. */
export function prepareDropping(limits, onTake) {
  const parts = ["chosen", "choose", "results", "limits"];
  const [input, button, results, about] = parts.map(part);
  setText(about, `Up to ${limits.upload_mb} MB and ${limits.upload_s} s. Nothing is kept.`);
  const take = (files) => {
    onTake();
    for (const file of files) {
      if (file.size <= limits.upload_mb * 1e6) annotate(file, results);
      else warn({ message: `${file.name} is larger than ${limits.upload_mb} MB.` });
    }
  };
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    take(input.files);
    input.value = "";
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      if (!event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      document.body.classList.toggle("dropping", kind === "dragover");
      if (kind === "drop") take(event.dataTransfer.files);
    });
  }
}

async function annotate(file, results) {
  const result = new Result(file.name);
  results.prepend(result.node);
  try {
    await (file.type.startsWith("video/") ? annotateVideo : annotatePicture)(file, result);
  } catch ({ message }) {
    result.end(message, "problem");
  }
}

async function annotatePicture(body, result) {
  const { faces, picture } = await ask("/api/analyze?picture=1", { method: "POST", body });
  const words = faces.map(({ labels }) => perceived(labels));
  result.end([counted(faces.length, "face"), ...words].join("; "));
  result.show("img", { src: picture, alt: result.name }, "jpg");
}

async function annotateVideo(body, result) {
  const headers = { "X-Name": encodeURIComponent(result.name) };
  let now = await ask("/api/uploads", { method: "POST", body, headers });
  const path = `/api/uploads/${now.id}`;
  result.forget = () => ask(path, { method: "DELETE" }).catch(() => {});
  while (now.state === "waiting" || now.state === "working") {
    if (!result.node.isConnected) return result.forget();
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    now = await ask(path);
    if (now.progress) result.bar.value = now.progress;
  }
  if (now.state === "failed") return result.end(now.error, "problem");
  result.end("Deleted when you remove it here, and by itself after a while.");
  result.show("video", { src: `${path}/video`, controls: true, "aria-label": result.name }, "mp4");
}

/** All labels of a face in one line, as logs have them: "perceived Female 93 %, White 71 %". */
function perceived(labels) {
  const words = Object.entries(labels).map(([attribute, { label: text, confidence }]) =>
    labelWords(attribute, { text }) + (text ? ` ${percent(confidence)}` : ""),
  );
  return words.length ? `perceived ${words.join(", ")}` : "no label";
}

/** What became of one file, in the list of results. */
class Result {
  forget = () => {};

  constructor(name) {
    this.name = name;
    this.node = copyOf("result");
    [this.heading, this.remove, this.bar, this.about] = this.node.children;
    setName(this.heading, name);
    this.bar.setAttribute("aria-label", `Progress of ${name}`);
    this.remove.setAttribute("aria-label", `Remove ${name}`);
    this.remove.addEventListener("click", () => {
      this.node.remove();
      this.forget();
    });
  }

  end(text, kind = "about") {
    this.bar.remove();
    this.about.className = kind;
    setText(this.about, text);
  }

  show(tag, given, suffix) {
    const name = this.name.replace(/(\.\w+)?$/, `-annotated.${suffix}`);
    this.about.before(element("div.shown", {}, element(tag, given), downloading(given.src, name)));
  }
}
