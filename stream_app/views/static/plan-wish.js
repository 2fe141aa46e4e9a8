// The view of the plan. It is kept in the address, after the #, so that it can be bookmarked and shared.

import { THEMES } from "./wish.js";

const DEFAULTS = { queue: "", channel: "", date: "", tz: "", gaps: "", theme: "system" };
const FITS = {
  date: (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)),
  gaps: (text) => text === "all",
  theme: (text) => THEMES.includes(text),
};

export const wish = { ...DEFAULTS };

// Reads the address; returns what in it is invalid.
export function recall() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const wrong = [...asked.keys()].filter((name) => !(name in DEFAULTS));
  for (const [name, value] of Object.entries(DEFAULTS)) {
    const given = asked.get(name);
    const fits = given !== null && (FITS[name]?.(given) ?? true);
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

export function path(route, extra) {
  const out = new URLSearchParams();
  const { queue, channel, tz } = wish;
  for (const [name, value] of Object.entries({ queue, channel, ...extra, tz })) if (value) out.set(name, value);
  return `${route}?${out}`;
}
