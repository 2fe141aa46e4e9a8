// What people want to see. It stands in the address, so that a wallboard can be bookmarked.

export const WINDOWS = { "5m": "5 min", "15m": "15 min", "30m": "30 min", "1h": "1 h", today: "Today" };
export const THEMES = ["system", "dark", "light"];
export const PLACES = { queue: "Queues", channel: "Channels", site: "Sites", unit: "Business units" };

// Who asked their system for less motion starts with pages that stand still.
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const USUAL = {
  window: "30m", order: "worst", filter: "", view: "desk", theme: "system", every: 15, keys: "on",
  paused: still ? "yes" : "no",
};
const ALLOWED = {
  window: Object.keys(WINDOWS), order: ["worst", "name"], view: ["desk", "tv"], theme: THEMES,
  paused: ["no", "yes"], keys: ["on", "off"],
};

export const wish = { ...USUAL, queue: new Set(), channel: new Set(), site: new Set(), unit: new Set() };

export function recall() {
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const [name, value] of Object.entries(USUAL)) {
    const said = asked.get(name);
    wish[name] = said !== null && (ALLOWED[name]?.includes(said) ?? true) ? said : value;
  }
  wish.every = Math.min(600, Math.max(3, Number(wish.every) || USUAL.every));
  for (const name of Object.keys(PLACES)) wish[name] = new Set(asked.getAll(name));
}

export function remember() {
  const out = new URLSearchParams();
  for (const [name, usual] of Object.entries(USUAL)) if (String(wish[name]) !== String(usual)) out.set(name, wish[name]);
  for (const name of Object.keys(PLACES)) for (const value of wish[name]) out.append(name, value);
  history.replaceState(null, "", out.size ? `#${out}` : location.pathname);
}

export function isWanted(row) {
  for (const name of Object.keys(PLACES)) if (wish[name].size && !wish[name].has(row[name])) return false;
  return `${row.queue} ${row.channel}`.toLowerCase().includes(wish.filter.trim().toLowerCase());
}

export const isFiltered = () => wish.filter.trim() !== "" || Object.keys(PLACES).some((name) => wish[name].size);
