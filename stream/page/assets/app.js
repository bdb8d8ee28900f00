/** What the server says goes to the parts that show it. */

import { prepareDropping } from "./annotate.js";
import { Counts } from "./counts.js";
import { part, setText, warn } from "./dom.js";
import { showFaces } from "./faces.js";
import { Files } from "./files.js";
import { prepareKeys } from "./keys.js";
import { ask, Events } from "./server.js";
import { Settings } from "./settings.js";
import { prepareTabs } from "./tabs.js";
import { prepareAdding, Tiles } from "./tiles.js";

/** Pause before the page begins anew where the server did not answer at first, ms. */
const AGAIN_MS = 2000;

function showConnection(state) {
  const line = part("connection");
  setText(line, line.dataset[state] ?? "");
  document.body.classList.toggle("lost", state !== "open");
}

/** Makes the parts of the page: functions that take the data of each kind of event, and a loss. */
function makeParts(me) {
  const names = new Map();
  const showTab = prepareTabs(part("tabs"));
  const tiles = new Tiles(part("tiles"), me);
  const counts = new Counts(part("counts"));
  prepareKeys(tiles, me, part("help"));
  prepareAdding(part("adding"), me);
  const parts = {
    lose: () => tiles.stopPictures(),
    sources({ sources }) {
      names.clear();
      for (const { number, name } of sources) names.set(number, name);
      tiles.update(sources);
    },
    people(said) {
      showFaces(said.people, names);
      counts.update(said);
    },
  };
  if (!me.may_control) return parts;
  const settings = new Settings(part("settings"));
  const files = new Files(part("files"), part("player"));
  prepareDropping(me.limits, () => showTab(part("annotate-tab")));
  parts.settings = (said) => settings.update(said.settings);
  parts.files = (said) => files.update(said.files, names);
  return parts;
}

function showTexts(me) {
  setText(part("notice"), me.notice ?? "");
  setText(part("misuse"), me.misuse);
  for (const each of document.querySelectorAll(".controls")) each.hidden = !me.may_control;
  part("show-help").addEventListener("click", () => part("help").showModal());
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.querySelector("button").addEventListener("click", () => dialog.close());
  }
}

async function start() {
  let said;
  try {
    said = await Promise.all([ask("/api/me"), ask("/api/sources")]);
  } catch ({ status }) {
    showConnection(status === 401 ? "refused" : "gone");
    setTimeout(start, AGAIN_MS);
    return;
  }
  const [me, sources] = said;
  showTexts(me);
  const parts = makeParts(me);
  parts.sources(sources);
  new Events((kind, data) => parts[kind]?.(data), (state) => {
    showConnection(state);
    if (state !== "open") parts.lose();
    else for (const kind of ["people", "settings"]) if (parts[kind]) ask(`/api/${kind}`).then(parts[kind], warn);
  });
}

start();
