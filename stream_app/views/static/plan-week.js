// The coming days of a queue, and where too few are scheduled. Answers of /v1/plan in, tables out.

import { make, put } from "./dom.js";
import { known } from "./numbers.js";
import { many, ofHandleTime } from "./plan-words.js";

export const WEEK = 7;

const number = (value, digits = 1) => (known(value) ? value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }) : "–");
const clock = (stamp) => stamp.slice(11, 16);
const named = (day) => new Date(`${day}T12:00Z`).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
const sum = (rows, name) => (rows.every((row) => known(row[name])) ? rows.reduce((total, row) => total + row[name], 0) : null);

const DAYS = [
  ["Contacts", (row) => number(row.offered, 0)],
  ["Hours required", (row) => number(row.hours)],
  ["Peak", (row) => (known(row.peak) ? `${row.peak}${row.peak_at ? ` at ${clock(row.peak_at)}` : ""}` : "–")],
  ["Hours scheduled", (row) => number(row.scheduled_hours)],
  ["Hours short", (row) => number(row.short_hours)],
  ["Understaffed", (row) => (known(row.short_intervals) ? String(row.short_intervals) : "–")],
];
const GAPS = [
  ["Queue", (gap) => `${gap.queue} · ${gap.channel}`],
  ["Until", (gap) => (gap.end.slice(0, 10) === gap.start.slice(0, 10) ? "" : `${named(gap.end.slice(0, 10))} `) + clock(gap.end)],
  ["Most missing", (gap) => `▼ ${number(gap.short, gap.short % 1 ? 1 : 0)} at ${clock(gap.worst_at)}`],
  ["Hours short", (gap) => number(gap.short_hours)],
];

function address(day, queue, channel) {
  const out = new URLSearchParams(location.hash.slice(1));
  for (const [name, value] of Object.entries({ queue, channel, date: day })) out.set(name, value);
  return `#${out}`;
}

function fill(table, first, columns, rows, link) {
  const head = table.querySelector("thead tr");
  head.replaceChildren(...[first, ...columns.map(([title]) => title)].map((title) => Object.assign(make("th", title), { scope: "col" })));
  table.querySelector("tbody").replaceChildren(...rows.map((row) => {
    const line = make("tr", "", row.total ? "total" : "");
    const name = make("th");
    name.scope = "row";
    name.append(link(row));
    line.append(name, ...columns.map(([title, text]) => make("td", text(row), (title === "Hours short" && row.short_hours > 0) || title === "Most missing" ? "few" : "")));
    return line;
  }));
}

function anchor(text, href) {
  return Object.assign(make("a", text), { href });
}

// What a reader must know before the totals are believed.
function caveats(one, days) {
  const holes = days.reduce((total, day) => total + day.without_plan, 0);
  const closed = days.reduce((total, day) => total + day.offered_closed, 0);
  return [
    holes && `${many(holes, "interval")} without a plan: there is no total.`,
    closed >= 0.5 && `${number(closed)} contacts are outside business hours: nobody is planned for them.`,
    ofHandleTime(one.handle_time),
    known(one.schedules) && !one.covered && "The schedule does not cover all of these days: gaps elsewhere are unknown.",
  ].filter(Boolean).join(" ");
}

export function drawDays(section, one, fullTime) {
  const days = one?.days ?? [];
  section.hidden = !days.length;
  if (!days.length) return;
  const hours = sum(days, "hours");
  const fte = known(hours) && days.length === WEEK ? ` · ${number(hours / fullTime)} FTE` : "";
  const peaks = days.filter((day) => known(day.peak)).sort((a, b) => b.peak - a.peak);
  const total = { total: true, offered: sum(days, "offered"), hours, peak: known(hours) ? (peaks[0]?.peak ?? null) : null };
  for (const name of ["scheduled_hours", "short_hours", "short_intervals"]) total[name] = sum(days, name);
  fill(section.querySelector("table"), "Day", DAYS, [...days, total], (day) =>
    day.total ? `${many(days.length, "day")}${fte}` : anchor(named(day.first), address(day.first, one.queue, one.channel)));
  put(section.querySelector(".caveat"), caveats(one, days));
}

export function drawGaps(section, outlook) {
  const queues = outlook?.queues ?? [];
  section.hidden = !queues.length;
  if (!queues.length) return;
  // What is over can't be filled any more.
  const ahead = (gap) => Date.parse(gap.end) > Date.parse(outlook.at);
  const gaps = queues.flatMap((one) => one.gaps.filter(ahead).map((gap) => ({ ...gap, queue: one.queue, channel: one.channel })));
  gaps.sort((a, b) => Date.parse(a.start) - Date.parse(b.start));
  section.querySelector(".scroll").hidden = !gaps.length;
  fill(section.querySelector("table"), "From", GAPS, gaps, (gap) => {
    const day = gap.start.slice(0, 10);
    return anchor(`${named(day)} ${clock(gap.start)}`, address(day, gap.queue, gap.channel));
  });
  const planned = queues.filter((one) => !one.problem);
  const unscheduled = planned.filter((one) => !one.days.some((day) => known(day.scheduled_hours)));
  const named_ = (some) => some.map((one) => `${one.queue} · ${one.channel}`).join(", ");
  put(section.querySelector(".caveat"), [
    !gaps.length && planned.length > unscheduled.length && "No gaps ahead: nowhere are fewer scheduled than required.",
    unscheduled.length && `No schedule, so gaps are unknown: ${named_(unscheduled)}.`,
    ...queues.filter((one) => one.problem).map((one) => `No plan for ${one.queue} · ${one.channel}: ${one.problem}.`),
    outlook.left_off && `${many(outlook.left_off, "more queue")} not shown.`,
  ].filter(Boolean).join(" "));
}
