// What people want to see. It stands in the address, so that a wallboard can be bookmarked.

export const WINDOWS = { "5m": "5 min", "15m": "15 min", "30m": "30 min", "1h": "1 h", today: "Today" };
export const THEMES = ["system", "dark", "light"];
export const PLACES = { queue: "Queues", channel: "Channels", site: "Sites", unit: "Business units" };

// Who asked their system for less motion starts with pages that stand still.
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const DEFAULTS = {
  window: "30m", order: "worst", filter: "", view: "desk", theme: "system", every: 15, keys: "on",
  paused: still ? "yes" : "no", short: "hide",
};
const ALLOWED = {
  window: Object.keys(WINDOWS), order: ["worst", "name"], view: ["desk", "tv"], theme: THEMES,
  paused: ["no", "yes"], keys: ["on", "off"], short: ["hide", "show"],
};
const EVERY = [3, 600];
const LONGEST = 6000; // of an address that servers take

export const wish = { ...DEFAULTS, queue: new Set(), channel: new Set(), site: new Set(), unit: new Set() };

// Reads the address; gives what it says and could not be meant.
export function recall() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const wrong = [...asked].filter(([name]) => !(name in DEFAULTS) && !(name in PLACES)).map(([name]) => name);
  for (const [name, value] of Object.entries(DEFAULTS)) {
    const said = asked.get(name);
    const fits = said !== null && (ALLOWED[name]?.includes(said) ?? true);
    wish[name] = fits ? said : value;
    if (said !== null && !fits) wrong.push(`${name}=${said}`);
  }
  const every = Math.min(EVERY[1], Math.max(EVERY[0], Number(wish.every) || DEFAULTS.every));
  if (String(every) !== String(wish.every)) wrong.push(`every=${wish.every}`);
  wish.every = every;
  for (const name of Object.keys(PLACES)) wish[name] = new Set(asked.getAll(name));
  return wrong;
}

export function remember() {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(DEFAULTS)) if (String(wish[name]) !== String(value)) out.set(name, wish[name]);
  for (const [name, value] of chosen()) out.append(name, value);
  history.replaceState(null, "", location.pathname + location.search + (out.size ? `#${out}` : ""));
}

function chosen() {
  return new URLSearchParams(Object.keys(PLACES).flatMap((name) => [...wish[name]].map((value) => [name, value])));
}

// What is asked for when only the chosen queues are wanted. So many that no address holds them are told apart here.
export function query(path, extra = {}) {
  const out = chosen();
  for (const [name, value] of Object.entries(extra)) out.append(name, value);
  if (String(out).length > LONGEST) out.delete("queue");
  return out.size ? `${path}?${out}` : path;
}

const has = (name, one) => !wish[name].size || wish[name].has(one[name]);
const isFound = (one) => `${one.queue} ${one.channel}`.toLowerCase().includes(wish.filter.trim().toLowerCase());

export const isWanted = (row) => Object.keys(PLACES).every((name) => has(name, row)) && isFound(row);
// Of a contact the server has looked at the site and the unit: its queue need not have a row here.
export const isListed = (contact) => has("queue", contact) && has("channel", contact) && isFound(contact);
export const isSearched = () => wish.filter.trim() !== "";
export const isFiltered = () => isSearched() || Object.keys(PLACES).some((name) => wish[name].size);
