// The numbers of a plan for people. No page and no clock in here.

import { known, shown } from "./numbers.js";

const RATIO = { unit: "ratio" };
const SECONDS = { unit: "seconds" };

const contacts = (value) => (known(value) ? value.toFixed(1) : "–");
const whole = (value) => (known(value) ? String(value) : "–");
const within = (low, high) => (known(low) && known(high) ? `${low} to ${high}` : "–");
const signed = (value) => (known(value) ? `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(value)}` : "–");
export const ratio = (value) => shown(RATIO, value).join(" ").trim();
const seconds = (value) => shown(SECONDS, value).join(" ").trim();
const noon = (day) => new Date(`${day}T12:00Z`);
export const dated = (day) => [{ weekday: "long" }, { day: "numeric", month: "long", year: "numeric" }]
  .map((parts) => noon(day).toLocaleDateString("en-GB", { ...parts, timeZone: "UTC" })).join(" ");
export const many = (n, what) => `${n} ${n === 1 ? what : `${what}s`}`;

export const COLUMNS = [
  ["Time", (row) => row.time],
  ["Expected", (row) => contacts(row.offered)],
  ["80 %", (row) => within(row.low_80, row.high_80)],
  ["95 %", (row) => within(row.low_95, row.high_95)],
  ["Came", (row) => whole(row.actual)],
  ["Expected again", (row) => contacts(row.reforecast)],
  ["Handle time", (row) => seconds(row.aht)],
  ["Required", (row) => whole(row.required)],
  ["Scheduled", (row) => whole(row.staffed)],
  ["Gap", (row) => (row.gap < 0 ? `▼ ${signed(row.gap)}` : signed(row.gap))],
  ["Service level", (row) => ratio(row.service_level)],
  ["Abandoned", (row) => ratio(row.abandonment)],
  ["Occupancy", (row) => ratio(row.occupancy)],
];

export function ofContacts(row) {
  const parts = [`${row.time}: expected ${contacts(row.offered)}`, `80 % within ${within(row.low_80, row.high_80)}`, `95 % within ${within(row.low_95, row.high_95)}`];
  if (known(row.actual)) parts.push(`came ${row.actual}`);
  if (known(row.reforecast)) parts.push(`expected again ${contacts(row.reforecast)}`);
  return parts.join(" · ");
}

export function ofPeople(row) {
  const parts = [`${row.time}: required ${whole(row.required)}`, known(row.staffed) ? `scheduled ${row.staffed}` : "nobody knows who is scheduled"];
  if (known(row.gap)) parts.push(row.gap < 0 ? `${-row.gap} too few` : row.gap > 0 ? `${row.gap} to spare` : "just enough");
  if (known(row.service_level)) parts.push(`service level ${ratio(row.service_level)}`);
  return parts.join(" · ");
}

// Why there is no plan.
export function inWords(problem) {
  if (problem.type?.endsWith(":too-little-history")) {
    const there = `${many(problem.history_days, "day")} ${problem.history_days === 1 ? "is" : "are"} there`;
    return known(problem.more_days) ? `No forecast yet: needs ${many(problem.more_days, "more day")} of history (${there}).` : `No forecast: ${problem.detail}.`;
  }
  return `${problem.title}: ${problem.detail || "no reason was given"}.`;
}
