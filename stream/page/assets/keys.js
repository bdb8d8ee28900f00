/** The keys of the page, which are those of the program's window, and their help. */

import { element } from "./dom.js";

/** Where it is kept whether single keys act. */
const STORED = "face-stream keys";

/** Elements that take characters for themselves, and those that take a space. */
const TYPING = "input, select, textarea, video[controls]";
const PRESSED = "button, a, summary";

/** Makes keys act on the chosen tiles, and writes their help. */
export function prepareKeys(tiles, me, help) {
  const each = (act) => () => tiles.chosen.forEach(act);
  const controls = [
    [[" "], "Space", "pauses and goes on", each((tile) => tile.toggle("paused"))],
    [["r"], "R", "starts and stops a recording", each((tile) => tile.toggle("recording"))],
    [["s"], "S", "saves a snapshot", each((tile) => tile.snapshot())],
    [["b"], "B", "blurs faces, and shows them again", each((tile) => me.blur_fixed || tile.toggle("blur"))],
  ];
  const keys = [
    ...(me.may_control ? controls : []),
    [["f"], "F", "fills the screen, and leaves it", () => tiles.chosen[0]?.fillScreen()],
    [[..."123456789"], "1 … 9", "enlarges that source", (key) => tiles.enlargeAt(key - 1)],
    [["0", "escape"], "0, Esc", "shows all sources", () => tiles.enlarge(null)],
    [["h", "?"], "H, ?", "shows the keys", () => help.showModal()],
  ];
  const acts = new Map(keys.flatMap(([names, , , act]) => names.map((name) => [name, act])));
  const rows = keys.map(([, shown, effect]) =>
    element("tr", {}, element("th", { scope: "row" }, element("kbd", {}, shown)), element("td", {}, effect)),
  );
  help.querySelector("tbody").replaceChildren(...rows);
  const doAct = help.querySelector("input");
  doAct.checked = localStorage.getItem(STORED) !== "off";
  doAct.addEventListener("change", () => localStorage.setItem(STORED, doAct.checked ? "on" : "off"));

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    const act = acts.get(key.toLowerCase());
    if (!act || !doAct.checked || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.closest(TYPING) || document.querySelector("dialog[open]")) return;
    if (key === " " && target.closest(PRESSED)) return;
    event.preventDefault();
    act(key);
  });
}
