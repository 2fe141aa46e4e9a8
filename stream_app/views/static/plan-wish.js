// What somebody wants to see of the plan. It stands in the address, behind the #, so that it can be bookmarked and sent on.

import { THEMES } from "./wish.js";

const DEFAULTS = { queue: "", channel: "", date: "", tz: "", theme: "system" };
const FITS = {
  date: (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)),
  theme: (text) => THEMES.includes(text),
};

export const wish = { ...DEFAULTS };

// Reads the address; gives what it says and could not be meant.
export function recall() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const wrong = [...asked.keys()].filter((name) => !(name in DEFAULTS));
  for (const [name, value] of Object.entries(DEFAULTS)) {
    const said = asked.get(name);
    const fits = said !== null && (FITS[name]?.(said) ?? true);
    wish[name] = fits ? said : value;
    if (said !== null && !fits) wrong.push(`${name}=${said}`);
  }
  return wrong;
}

export function remember() {
  const out = new URLSearchParams();
  for (const [name, value] of Object.entries(DEFAULTS)) if (wish[name] !== value) out.set(name, wish[name]);
  history.replaceState(null, "", location.pathname + location.search + (out.size ? `#${out}` : ""));
}

export function path(route, extra) {
  const out = new URLSearchParams();
  const { queue, channel, tz } = wish;
  for (const [name, value] of Object.entries({ queue, channel, ...extra, tz })) if (value) out.set(name, value);
  return `${route}?${out}`;
}
