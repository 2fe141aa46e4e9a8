// What a row of the people says.

import { duration, known } from "./numbers.js";
import { serverNow } from "./server-clock.js";
import { lasting } from "./staff.js";
import { has, num, t } from "./words.js";

const NEAR = 0.8; // of a limit: it will be over soon

const told = (state) => (has(`told.${state}`) ? t(`told.${state}`) : state);
const inTime = (ms) => duration(Math.floor(Math.abs(ms) / 1000), true).join(" ");

// A break is called by its reason, in the centre's own words; on a contact during a break is both.
export function doing(row) {
  const why = row.reason ?? (row.state && row.state !== "available" && row.state !== row.doing ? told(row.state) : "");
  const word = t(`doing.${row.doing}`);
  return why ? `${word}: ${why}` : word;
}

export const since = (row) => lasting(row.since);

// [state, words]: over its limit, near it, or neither.
export function limit(row) {
  if (!row.limit_at) return ["none", ""];
  const left = Date.parse(row.limit_at) - serverNow();
  const whole = Date.parse(row.limit_at) - Date.parse(row.since);
  if (left < 0) return ["off", t("limit.over", { time: inTime(left) })];
  return [left < whole * (1 - NEAR) ? "near" : "met", t("limit.left", { time: inTime(left) })];
}

export function contact(one) {
  const how = one.state === "connected" ? "" : t(`with.${one.state}`);
  return [one.channel, how, lasting(one.since)].filter(Boolean).join(" ");
}

export const contacts = (row) => row.contacts.map(contact).join(", ");

export function slots(row) {
  const all = Object.entries(row.slots ?? {});
  return all.map(([channel, one]) => `${channel} ${num(one.free)}/${num(one.slots)}`).join(", ");
}

export function queues(row) {
  return row.queues.map((queue) => {
    const own = row.own_states[queue];
    return own ? t("filter.is", { name: queue, value: own.reason ?? told(own.state) }) : queue;
  }).join(", ");
}

export function today(row) {
  const parts = [];
  if (known(row.handled_today)) parts.push(t("person.handled", { n: row.handled_today }));
  if (known(row.missed_offers_today)) parts.push(t("person.missed", { n: row.missed_offers_today }));
  return parts.join(", ") || t("week.unknown");
}

export const stateOf = (row) => (row.state ? [told(row.state), row.reason].filter(Boolean).join(", ") : t("person.untold"));
