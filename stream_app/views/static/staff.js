// What the agents of a queue do, in words. Who serves it is told by platforms; where none does, it is not known, which is not none.

import { duration, known } from "./numbers.js";
import { secondsSince } from "./server-clock.js";
import { num, t } from "./words.js";

export const DOING = ["available", "on_contact", "wrap", "away"];

export function lasting(moment) {
  const seconds = secondsSince(moment);
  return known(seconds) ? duration(Math.floor(seconds), true).join(" ") : "";
}

const longest = (one) => (one.count && one.since ? lasting(one.since) : "");

// How many do something, and for how long the longest of them has.
export const inCell = (agents, doing) => (agents ? [num(agents[doing].count), longest(agents[doing])] : ["–", ""]);

// The contacts of a row's channel that its agents could take now; null where that is not told.
export const freeSlots = (row) => row.agents?.slots[row.channel]?.free ?? null;

// How long the next contact will wait: about, and between what four of five such waits are.
function nextWait(wait) {
  const [mean, low, high] = [wait.mean_s, wait.low_s, wait.high_s].map((s) => duration(s, true).join(" "));
  return wait.high_s ? t("staff.next", { mean, low, high }) : t("staff.next.none");
}

export function inWords(row) {
  if (!row.agents) return t("staff.none");
  const parts = DOING.map((doing) => {
    const [one, long] = [row.agents[doing], longest(row.agents[doing])];
    return t(`staff.${doing}`, { n: one.count }) + (long && ` (${long})`);
  });
  const free = freeSlots(row);
  if (known(free)) parts.push(t("staff.slots", { n: free, channel: row.channel }));
  if (row.next_wait) parts.push(nextWait(row.next_wait));
  return parts.join(" · ");
}

// Where there is room for two numbers only; nothing where nothing is known.
export function inShort(row) {
  return row.agents ? ["available", "away"].map((doing) => t(`staff.${doing}`, { n: row.agents[doing].count })).join(" · ") : "";
}

export const titleOf = (row) => t(row.agents ? "staff.longest" : "staff.unknown");
