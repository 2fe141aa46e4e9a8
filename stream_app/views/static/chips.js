// What the page is restricted to, where everybody sees it; and a way out.

import { $, button, put } from "./dom.js";
import { filters, isTv, showAll, wish } from "./wish.js";
import { t } from "./words.js";

const LISTED = 6; // of more, the first and how many others

let said = "";

// In one line, for titles.
export const inWords = () => filters().map((one) => one.text).slice(0, LISTED).join(", ");

export function draw(changed) {
  const all = filters();
  const box = $("chips");
  const key = JSON.stringify([wish.view, all.map((one) => one.text), t("show_all")]);
  if (key === said) return;
  said = key;
  box.hidden = !all.length;
  put($("choose"), all.length ? t("filter.button.on", { n: all.length }) : t("filter.button"));
  const chips = all.slice(0, LISTED).map((one) => {
    const chip = button(`${one.text} ×`, () => { one.lift(); changed(); });
    chip.className = "chip";
    chip.setAttribute("aria-label", t("filter.lift", { filter: one.text }));
    return chip;
  });
  if (all.length > LISTED) chips.push(Object.assign(document.createElement("span"), { textContent: t("filter.others", { n: all.length - LISTED }) }));
  const every = button(t("show_all"), () => { showAll(); changed(); });
  every.className = "link";
  box.replaceChildren(...chips, every);
  box.toggleAttribute("data-tv", isTv());
}

// Nothing is there: which filter does that, what may have been meant, and how to see everything.
export function drawNothing(rows, read, changed) {
  const box = $("nothing");
  const all = filters();
  const isOff = rows.length && all.length;
  const wrong = isOff ? unknown(rows) : null;
  const meant = wrong && near(wrong.value, rows.map((row) => row[wrong.name]).filter(Boolean));
  const lead = !isOff ? t(read ? "nothing.yet" : "nothing.read") : t("nothing.matches", { filters: inWords() });
  const text = [lead, meant && t("meant", { name: meant })].filter(Boolean).join(" ");
  if (box.said === text) return;
  box.said = text;
  box.replaceChildren(text);
  if (meant) {
    box.append(" ", button(meant, () => { wish[wrong.name].delete(wrong.value); wish[wrong.name].add(meant); changed(); }));
  }
  if (isOff) box.append(" ", button(t("show_all"), () => { showAll(); changed(); }));
}

// The first chosen name that no queue has.
function unknown(rows) {
  for (const name of ["queue", "channel", "site", "unit"]) {
    for (const value of wish[name]) if (!rows.some((row) => row[name] === value)) return { name, value };
  }
  return null;
}

// The name that differs in the fewest letters, if these are few.
function near(word, names) {
  let best = null;
  for (const name of new Set(names)) {
    const far = distance(word.toLowerCase(), name.toLowerCase());
    if (far <= Math.max(1, word.length / 3) && (!best || far < best.far)) best = { name, far };
  }
  return best?.name ?? null;
}

function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length];
}
