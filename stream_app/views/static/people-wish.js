// The view of the people. It is kept in the address, after the #, so that it can be bookmarked and shared.

import { LANGUAGES, t } from "./words.js";
import { THEMES } from "./wish.js";

export const DOING = ["available", "on_contact", "wrap", "away", "offline"];
const THERE = DOING.slice(0, -1).join(" ");
export const PLACES = ["queue", "team", "site"];
const DEFAULTS = { queue: "", team: "", site: "", doing: THERE, find: "", sort: "", view: "desk", theme: "system", lang: "system" };
const FITS = {
  doing: (text) => text.split(" ").every((one) => DOING.includes(one)),
  view: (text) => ["desk", "tv"].includes(text),
  theme: (text) => THEMES.includes(text),
  lang: (text) => text === "system" || text in LANGUAGES,
};

export const wish = { ...DEFAULTS };

// Reads the address; returns what in it is invalid.
export function recall(isColumn) {
  const asked = new URLSearchParams(location.hash.slice(1));
  const wrong = [...asked.keys()].filter((name) => !(name in DEFAULTS));
  for (const [name, value] of Object.entries(DEFAULTS)) {
    const given = asked.get(name);
    const fits = given !== null && (name === "sort" ? isColumn(given) : FITS[name]?.(given) ?? true);
    wish[name] = fits ? given : value;
    if (given !== null && !fits) wrong.push(`${name}=${given}`);
  }
  return wrong;
}

export function remember() {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(DEFAULTS)) if (wish[name] !== value) out.set(name, wish[name]);
  history.replaceState(null, "", location.pathname + location.search + (out.size ? `#${out}` : ""));
}

export const isDoing = (one) => wish.doing.split(" ").includes(one);

export function toggle(one) {
  const chosen = DOING.filter((name) => isDoing(name) !== (name === one));
  wish.doing = chosen.length ? chosen.join(" ") : THERE;
}

// What a row does in a queue: in some an agent may be on a break, and available in others.
function doingIn(row, queue) {
  const own = row.own_states[queue];
  if (!own || row.doing === "on_contact" || row.doing === "wrap") return row.doing;
  return own.state === "available" ? "available" : "away";
}

export function isWanted(row) {
  if (wish.team && row.team !== wish.team) return false;
  if (wish.site && row.site !== wish.site) return false;
  if (wish.queue && !row.queues.includes(wish.queue)) return false;
  if (!isDoing(wish.queue ? doingIn(row, wish.queue) : row.doing)) return false;
  return row.agent.toLowerCase().includes(wish.find.trim().toLowerCase());
}

// What is asked for, in words.
export function inWords() {
  const out = PLACES.filter((name) => wish[name]).map((name) => t("filter.is", { name: t(`col.${name}`), value: wish[name] }));
  if (wish.doing !== THERE) out.push(t("filter.is", { name: t("col.doing"), value: wish.doing.split(" ").map((one) => t(`doing.${one}`)).join(", ") }));
  if (wish.find.trim()) out.push(t("filter.is", { name: t("col.agent"), value: wish.find.trim() }));
  return out.join(" · ");
}
