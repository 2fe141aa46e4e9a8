// What the server has sent.

import { isWritten, known } from "./numbers.js";
import { tell } from "./server-clock.js";
import { firstStep, inOrder } from "./tiles.js";

const INTERVAL_MS = 900000;

export const rows = new Map(); // "queue\nchannel" → row
export const trends = new Map(); // the same → KPI → line
export const data = {
  kpis: [], // the headlines, in the order of a tile
  written: [], // those of channels in which people write
  carried: [], // all that the stream has
  all: [],
  everyone: {},
  beat: null,
  read: false, // the server has sent what there is, even if it is nothing
  from: 0, // the step at which lines begin
};
let intervalAt = NaN; // when the current interval of the trends began

export const keyOf = (row) => `${row.queue}\n${row.channel}`;
export const stateOf = (row, window) => row.judged?.[window]?.state ?? "none";

export function takeKpis(entries) {
  data.all = entries;
  data.kpis = inOrder(entries.filter((kpi) => kpi.headline));
  data.written = inOrder(entries.filter((kpi) => kpi.headline_written));
  data.carried = entries.filter((kpi) => kpi.carried);
}

// What stands for a headline where people write.
const INSTEAD = { backlog: "awaiting_reply", oldest_waiting: "oldest_awaiting_reply" };

const promised = (kpi, row) => (row.clock === "business" && data.carried.find((one) => one.name === kpi.twin)) || kpi;

// The KPI of a row that belongs to a headline: who waits there, and the mean wait by the clock that was promised.
export function kpiOf(name, row) {
  const own = isWritten(row) ? INSTEAD[name] ?? name : name;
  const kpi = data.carried.find((one) => one.name === own);
  return kpi && promised(kpi, row);
}

// The KPIs of a row's tile.
export const kpisOf = (row) => (isWritten(row) ? data.written : data.kpis).map((kpi) => promised(kpi, row));

// Those that its details have besides: the other headlines.
export function restOf(row) {
  const shown = kpisOf(row);
  return data.kpis.map((kpi) => promised(kpi, row)).filter((kpi) => !shown.includes(kpi));
}

// What is seen of several rows together.
export const kpisOfAll = (all) => (all.length && all.every(isWritten) ? data.written : data.kpis);

// Takes an event of the stream; returns the keys of the rows that it changed.
export function take(kind, sent) {
  tell(sent.at);
  data.beat = { max_age_s: Infinity, ...data.beat, at: sent.at, age_s: sent.age_s, stale: sent.stale };
  if (known(sent.max_age_s)) data.beat.max_age_s = sent.max_age_s;
  if (kind === "beat") return [];
  const changed = new Set(kind === "snapshot" ? rows.keys() : []);
  if (kind === "snapshot") {
    data.read = true;
    rows.clear();
    data.everyone = {};
  }
  for (const row of sent.rows) {
    rows.set(keyOf(row), row);
    changed.add(keyOf(row));
  }
  data.everyone = { ...data.everyone, ...sent.everyone };
  return changed;
}

export function takeTrend(sent) {
  trends.clear();
  for (const row of sent.rows) trends.set(keyOf(row), row.kpis);
  data.from = firstStep(trends.values(), data.kpis);
  intervalAt = Date.parse(sent.starts.at(-1));
}

// How much of the current 15-minute interval is over.
export const gone = () => Math.min(1, Math.max(0, (Date.parse(data.beat?.at) - intervalAt) / INTERVAL_MS)) || 0;

// Worst first, by the server's judgement.
export function worst(window) {
  const urgency = (key) => rows.get(key)?.judged?.[window]?.urgency ?? 0;
  return (a, b) => urgency(b) - urgency(a) || (a < b ? -1 : 1);
}
