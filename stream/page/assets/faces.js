/** The faces in view: a thumbnail of each, what it is perceived as, and since when. */

import { copyOf, part, setName, setText, updateList } from "./dom.js";
import { clock, counted, duration, labelWords, percent } from "./wording.js";

/** Shows the faces in view; `names` are those of the sources, by number. */
export function showFaces(people, names) {
  const seen = people.filter((person) => person.in_view);
  part("no-faces").hidden = seen.length > 0;
  setText(part("face-count"), seen.length ? counted(seen.length, "face") : "");
  updateList(
    part("faces"),
    seen,
    ({ source, track }) => `${source}/${track}`,
    makeCard,
    (card, person) => updateCard(card, person, names),
  );
}

function makeCard() {
  const card = copyOf("face");
  const thumbnail = card.querySelector("img");
  thumbnail.onload = () => {
    thumbnail.hidden = false;
  };
  return card;
}

function updateCard(card, { source, labels, since, seconds, thumbnail }, names) {
  const picture = card.querySelector("img");
  if (thumbnail && picture.getAttribute("src") !== thumbnail) picture.src = thumbnail;
  const entries = Object.entries(labels);
  updateList(
    card.querySelector(".labels"),
    entries.length ? entries : [["", {}]],
    ([attribute]) => attribute,
    () => copyOf("label"),
    updateLabel,
  );
  const where = names.size > 1 ? ` · ${names.get(source) ?? ""}` : "";
  setName(card.querySelector(".since"), `since ${clock(since)}, for ${duration(seconds)}${where}`);
}

function updateLabel(line, [attribute, label]) {
  const [word, number, level] = line.children;
  const sure = label.text ? percent(label.confidence) : "";
  line.classList.toggle("is-unsure", !sure);
  setName(word, attribute ? labelWords(attribute, label) : "no label yet");
  setText(number, sure);
  level.firstChild.style.inlineSize = sure ? sure.replace(" ", "") : "0";
}
