/** The keys of the page, which are those of the program's window, and their help. */

/** Where it is kept whether single keys act. */
const STORED = "face-stream keys";

/** Elements that take characters for themselves, and those that take a space. */
const TYPING = "input, select, textarea, video[controls]";
const PRESSED = "button, a, summary";

/** Makes keys act on the chosen tiles, as their help says. */
export function prepareKeys(tiles, me, help) {
  const each = (act) => () => tiles.chosen.forEach(act);
  const showAll = () => tiles.enlarge(null);
  const showHelp = () => help.showModal();
  const acts = { f: () => tiles.chosen[0]?.fillScreen(), 0: showAll, escape: showAll, h: showHelp, "?": showHelp };
  for (const digit of "123456789") acts[digit] = () => tiles.enlargeAt(digit - 1);
  if (me.may_control) {
    acts[" "] = each((tile) => tile.toggle("paused"));
    acts.r = each((tile) => tile.toggle("recording"));
    acts.s = each((tile) => tile.snapshot());
    acts.b = each((tile) => me.blur_fixed || tile.toggle("blur"));
  }
  const doAct = help.querySelector("input");
  doAct.checked = localStorage.getItem(STORED) !== "off";
  doAct.addEventListener("change", () => localStorage.setItem(STORED, doAct.checked ? "on" : "off"));

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    const act = acts[key.toLowerCase()];
    if (!act || !doAct.checked || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.closest(TYPING) || document.querySelector("dialog[open]")) return;
    if (key === " " && target.closest(PRESSED)) return;
    event.preventDefault();
    act();
  });
}
