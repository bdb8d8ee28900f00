/** What the page is made with: elements, text that changes only where it must, and notes. */

/** For how long a note is shown, ms. */
const NOTE_MS = 4000;

/** The part of the page of an id. */
export const part = (id) => document.getElementById(id);

/** A copy of what the template of an id holds. */
export const copyOf = (id) => part(id).content.firstElementChild.cloneNode(true);

/** Makes an element: its name may have classes after dots, functions of `given` are listeners. */
export function element(name, given = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const made = document.createElement(tag);
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(given)) {
    if (typeof value === "function") made.addEventListener(key, value);
    else if (key in made) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.flat());
  return made;
}

/** Makes an element of SVG. */
export function drawing(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** Sets the text of an element where it differs, so that screen readers stay calm. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** The same for a name, which the style cuts off where it is long: pointing at it shows all. */
export function setName(node, name) {
  setText(node, name);
  node.title = name;
}

/** Makes the children of a list those of `entries`, in their order, and keeps the nodes it has. */
export function updateList(list, entries, keyOf, make, update) {
  const known = new Map([...list.children].map((node) => [node.dataset.key, node]));
  entries.forEach((entry, place) => {
    const key = String(keyOf(entry));
    const node = known.get(key) ?? make(entry);
    node.dataset.key = key;
    known.delete(key);
    if (list.children[place] !== node) list.insertBefore(node, list.children[place] ?? null);
    update(node, entry);
  });
  known.forEach((node) => node.remove());
}

/** Shows a note for a while; screen readers read it out. */
export function say(text) {
  const note = element("p.note", {}, text);
  part("notes").replaceChildren(note);
  setTimeout(() => note.remove(), NOTE_MS);
}

/** Shows what failed until it is closed; screen readers read it out. */
export function warn({ message }) {
  const given = { type: "button", "aria-label": "Close", click: () => note.remove() };
  const note = element("p.note", {}, message, element("button.plain", given, "×"));
  part("failures").replaceChildren(note);
}
