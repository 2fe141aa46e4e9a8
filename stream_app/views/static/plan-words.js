// A plan's numbers in words. Uses neither the page nor a clock.

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

const BINDS = { service_level: "service level", asa: "ASA", abandonment: "abandonment", occupancy: "occupancy", deadline: "deadline" };

export const COLUMNS = [
  ["Time", (row) => row.time],
  ["Forecast", (row) => contacts(row.offered)],
  ["80 %", (row) => within(row.low_80, row.high_80)],
  ["95 %", (row) => within(row.low_95, row.high_95)],
  ["Actual", (row) => whole(row.actual)],
  ["Reforecast", (row) => contacts(row.reforecast)],
  ["Handle time", (row) => seconds(row.aht)],
  ["Required", (row) => whole(row.required)],
  ["Scheduled", (row) => whole(row.staffed)],
  ["Gap", (row) => (row.gap < 0 ? `▼ ${signed(row.gap)}` : signed(row.gap))],
  ["Service level", (row) => ratio(row.service_level)],
  ["Abandoned", (row) => ratio(row.abandonment)],
  ["Occupancy", (row) => ratio(row.occupancy)],
  ["Binds", (row) => (row.open === false ? "closed" : (BINDS[row.binds] ?? "–"))],
];

// How reliable a handle time is; nothing where nothing speaks against it.
export function ofHandleTime(basis) {
  if (!basis) return "";
  return [
    basis.estimated > 0 && `${ratio(basis.estimated)} of the handle time is estimated from replies${basis.too_high > 0 ? `: where mail waits for hours before anyone starts on it, that may be ${ratio(basis.too_high)} too high, and so may the agents required` : ""}.`,
    basis.doubt && `Implausible: ${basis.doubt}.`,
  ].filter(Boolean).join(" ");
}

// The day's total; a plan with holes has none.
export function ofDay(rows) {
  const hours = (name) => rows.reduce((total, row) => total + Math.max(0, row[name]) * (row.to - row.from), 0) / 3600000;
  const holes = rows.filter((row) => !known(row.required)).length;
  if (holes) return `No total: ${many(holes, "interval")} without a plan.`;
  const top = rows.reduce((most, row) => (row.required > most.required ? row : most), rows[0]);
  const parts = [`Day: ${hours("required").toFixed(1)} agent hours required`, `peak ${top.required}${top.required ? ` at ${top.time}` : ""}`];
  if (rows.some((row) => known(row.staffed))) parts.push(`${hours("staffed").toFixed(1)} scheduled`);
  const short = rows.filter((row) => row.gap < 0).reduce((total, row) => total - row.gap * (row.to - row.from), 0) / 3600000;
  if (rows.some((row) => known(row.gap))) parts.push(short ? `${short.toFixed(1)} hours short` : "nowhere understaffed");
  return `${parts.join(" · ")}.`;
}

export function ofContacts(row) {
  const parts = [`${row.time}: forecast ${contacts(row.offered)}`, `80 % ${within(row.low_80, row.high_80)}`, `95 % ${within(row.low_95, row.high_95)}`];
  if (known(row.actual)) parts.push(`actual ${row.actual}`);
  if (known(row.reforecast)) parts.push(`reforecast ${contacts(row.reforecast)}`);
  return parts.join(" · ");
}

export function ofPeople(row) {
  const parts = [`${row.time}: required ${whole(row.required)}`, known(row.staffed) ? `scheduled ${row.staffed}` : "no schedule"];
  if (known(row.gap)) parts.push(row.gap < 0 ? `${-row.gap} short` : row.gap > 0 ? `${row.gap} over` : "fully staffed");
  if (known(row.service_level)) parts.push(`service level ${ratio(row.service_level)}`);
  return parts.join(" · ");
}

// Why there is no plan.
export function inWords(problem) {
  if (problem.type?.endsWith(":too-little-history")) {
    const there = `${many(problem.history_days, "day")} so far`;
    return known(problem.more_days) ? `No forecast yet: ${many(problem.more_days, "more day")} of history needed (${there}).` : `No forecast: ${problem.detail}.`;
  }
  return `${problem.title}: ${problem.detail || "no reason given"}.`;
}
