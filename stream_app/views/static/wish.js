// The view that is wanted. It is kept in the address, so that a wallboard can be bookmarked.

import { LANGUAGES, t } from "./words.js";

export const WINDOWS = ["5m", "15m", "30m", "1h", "today"];
export const THEMES = ["system", "dark", "light"];
export const PLACES = ["queue", "channel", "site", "unit"];
export const VIEWS = ["desk", "table", "tv"];

// Where the system asks for reduced motion, pages do not turn at first.
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const DEFAULTS = {
  window: "30m", order: "worst", filter: "", view: "desk", theme: "system", every: 15, keys: "on",
  paused: still ? "yes" : "no", short: "hide", lists: "auto", sort: "", group: "", lang: "system", sound: "off",
};
const ALLOWED = {
  window: WINDOWS, order: ["worst", "name"], view: VIEWS, theme: THEMES, paused: ["no", "yes"], keys: ["on", "off"],
  short: ["hide", "show"], lists: ["auto", "on", "off"], group: ["", ...PLACES], lang: ["system", ...Object.keys(LANGUAGES)],
  sound: ["off", "on"],
};
// Several values each: what is chosen, which groups are folded, whose details are open, a queue, then its channel; and which
// number is explained: a KPI, its queue and channel, and a window, or from when to when;
// of a KPI of the ledger also by which formula, and whether it is settled.
const SETS = [...PLACES, "fold", "details", "why"];
const EVERY = [3, 600];
const LONGEST = 6000; // the longest address that servers accept

export const wish = { ...DEFAULTS, queue: new Set(), channel: new Set(), site: new Set(), unit: new Set(), fold: new Set(), details: [], why: [] };

// Reads the address; returns what in it is invalid.
export function recall() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const wrong = [...asked].filter(([name]) => !(name in DEFAULTS) && !SETS.includes(name)).map(([name]) => name);
  for (const [name, value] of Object.entries(DEFAULTS)) {
    const given = asked.get(name);
    const fits = given !== null && (ALLOWED[name]?.includes(given) ?? true);
    wish[name] = fits ? given : value;
    if (given !== null && !fits) wrong.push(`${name}=${given}`);
  }
  const every = Math.min(EVERY[1], Math.max(EVERY[0], Number(wish.every) || DEFAULTS.every));
  if (String(every) !== String(wish.every)) wrong.push(`every=${wish.every}`);
  wish.every = every;
  for (const name of [...PLACES, "fold"]) wish[name] = new Set(asked.getAll(name));
  wish.details = asked.getAll("details").slice(0, 2);
  wish.why = asked.getAll("why").slice(0, 7);
  return wrong;
}

export const windowName = (window = wish.window) => t(`window.${window}`);
export const isTv = () => wish.view === "tv";
export const isTable = () => wish.view === "table";
// Ids help nobody across a room, and a table needs the whole width.
export const listsWanted = () => (wish.lists === "auto" ? wish.view === "desk" : wish.lists === "on");

function address() {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(DEFAULTS)) if (String(wish[name]) !== String(value)) out.set(name, wish[name]);
  for (const [name, value] of chosen(SETS)) out.append(name, value);
  return location.pathname + location.search + (out.size ? `#${out}` : "");
}

export const remember = () => history.replaceState(history.state, "", address());
// The page as it is now becomes one to go back to.
export const step = (state) => history.pushState(state, "", address());

function chosen(sets) {
  return new URLSearchParams(sets.flatMap((name) => [...wish[name]].map((value) => [name, value])));
}

// The request for the chosen queues only. If they are too many for an address, they are filtered here.
// Names that no row has are left out, which the server refuses; null where a choice has no other.
export function query(path, rows, extra = {}) {
  const out = new URLSearchParams();
  for (const name of PLACES) {
    const known = [...wish[name]].filter((value) => rows.some((row) => row[name] === value));
    if (wish[name].size && !known.length) return null;
    for (const value of known) out.append(name, value);
  }
  for (const [name, value] of Object.entries(extra)) out.append(name, value);
  if (String(out).length > LONGEST) out.delete("queue");
  return out.size ? `${path}?${out}` : path;
}

const has = (name, one) => !wish[name].size || wish[name].has(one[name]);
const isFound = (one) => `${one.queue} ${one.channel}`.toLowerCase().includes(wish.filter.trim().toLowerCase());

export const isWanted = (row) => PLACES.every((name) => has(name, row)) && isFound(row);
// The server has checked a contact's site and unit: its queue need not have a row here.
export const isListed = (contact) => has("queue", contact) && has("channel", contact) && isFound(contact);
export const isSearched = () => wish.filter.trim() !== "";
export const isFiltered = () => isSearched() || PLACES.some((name) => wish[name].size);

// Each filter in words, and how to lift it.
export function filters() {
  const out = PLACES.flatMap((name) => [...wish[name]].map((value) => ({
    text: t("filter.is", { name: t(`place.${name}`), value }), lift: () => wish[name].delete(value),
  })));
  if (isSearched()) out.push({ text: t("filter.holds", { value: wish.filter.trim() }), lift: () => { wish.filter = ""; } });
  return out;
}

export function showAll() {
  for (const name of PLACES) wish[name].clear();
  wish.filter = "";
}
