/** Panels of which one is shown, by the pattern of tabs: arrows, Home and End move between them. */

import { part } from "./dom.js";

/** Prepares a list of tabs, each of which names its panel by `aria-controls`.
 *
 * @returns {function(HTMLElement)} shows the panel of a tab.
 */
export function prepareTabs(list) {
  const tabs = [...list.children];
  const choose = (chosen) => {
    for (const tab of tabs) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      part(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
    }
  };
  tabs.forEach((tab, place) => {
    const next = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: -1 };
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", (event) => {
      if (!(event.key in next)) return;
      event.preventDefault();
      const chosen = tabs.at(next[event.key] % tabs.length);
      choose(chosen);
      chosen.focus();
    });
  });
  choose(tabs[0]);
  return choose;
}
