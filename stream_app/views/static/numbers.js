// Numbers for people, and what the server's judgement of them is called. Uses neither the page nor a clock.

import { clock, has, num, t } from "./words.js";

const OLDEST = { oldest_waiting: "backlog", oldest_awaiting_reply: "awaiting_reply" }; // of whom

export const known = (value) => value !== null && value !== undefined;

// Both return [number, unit], so that the unit can be small.
export function duration(seconds, whole = false) {
  if (seconds < 9.95 && !whole) return [num(seconds, 1), "s"];
  const s = Math.round(seconds);
  if (s < 100) return [String(s), "s"];
  const [big, size, unit] = s < 3600 ? [s, 60, "min"] : [Math.floor(s / 60), 60, "h"];
  const rest = big % size;
  return [whole && !rest ? String(big / size) : `${Math.floor(big / size)}:${String(rest).padStart(2, "0")}`, unit];
}

export function shown(kpi, value) {
  if (!known(value)) return ["–", ""];
  if (kpi.unit === "ratio") return [num(value * 100, value === 0 || value === 1 ? 0 : 1), "%"];
  if (kpi.unit === "seconds") return kpi.level && value < 100 ? [String(Math.floor(value)), "s"] : duration(value);
  return [num(value, Number.isInteger(value) ? 0 : 1), ""];
}

export const written = (kpi, value) => shown(kpi, value).join(" ").trim();

function bound(kpi, value) {
  if (kpi.unit === "ratio") return `${num(value * 100, Number.isInteger(+(value * 100).toFixed(1)) ? 0 : 1)} %`;
  return kpi.unit === "seconds" ? duration(value, true).join(" ") : num(value);
}

// What a number is called on this page; calls are answered, and what is written gets a first response.
export function label(kpi, channel = "", short = false) {
  const spoken = kpi.name === "first_response" && channel === "voice" ? "speed_of_answer" : kpi.name;
  if (short && has(`kpi.${spoken}.short`)) return t(`kpi.${spoken}.short`);
  return has(`kpi.${spoken}`) ? t(`kpi.${spoken}`) : kpi.title;
}

// Whether people write in a row's channel: only there it is known who is owed a reply.
export const isWritten = (row) => known(row.levels.awaiting_reply);

// Where nobody waits there is no longest wait.
export function valueOf(kpi, row, window) {
  if (!kpi.level) return row.windows[window]?.[kpi.name]?.value;
  return kpi.name in OLDEST && !row.levels[OLDEST[kpi.name]] ? null : row.levels[kpi.name];
}

// [state, the target, its kind, a word for those who can't see the colour]. The state is the server's.
export function verdict(kpi, row, window) {
  const [value, target] = [valueOf(kpi, row, window), row.targets[kpi.name]];
  const state = row.judged?.[window]?.kpis[kpi.name];
  const higher = kpi.better === "higher";
  if (state === "too_good") {
    const side = t(higher ? "over" : "under", { bound: bound(kpi, row.too_good[kpi.name]) });
    return [state, side, "", t(higher ? "state.too_high" : "state.too_low")];
  }
  if (!known(target)) return ["none", t("no_target"), "", ""];
  const aim = `${higher ? "≥" : "≤"} ${bound(kpi, target)}`;
  if (!known(value) || !row.open) return ["none", aim, `${t("target")} `, ""];
  return [state ?? "met", aim, `${t("target")} `, t(`state.${state ?? "met"}`)];
}

// What a queue's badge says: what is off, never merely that something is. [state, text, more, what follows where there is room]
export function badge(row, window, kpis) {
  const { state, reasons, since } = row.judged?.[window] ?? { state: "none", reasons: [], since: null };
  const titled = reasons.map((name) => kpis.find((kpi) => kpi.name === name)).filter(Boolean);
  const names = titled.map((kpi) => label(kpi, row.channel));
  const waiting = row.levels.backlog ?? 0;
  const more = [names.slice(1).join(", "), since && t("since", { time: clock(since) })].filter(Boolean).join(" · ");
  if (state === "off" || state === "near") return [state, names.length > 1 ? `${names[0]} +${names.length - 1}` : names[0], more];
  if (state === "recovering") return [state, since ? t("recovering.since", { time: clock(since) }) : t("state.recovering"), names.join(", ")];
  if (state.startsWith("closed")) return [state, t("state.closed"), "", waiting ? ` · ${t("n_waiting", { n: waiting })}` : ""];
  if (state === "too_good") return [state, titled[0] ? verdict(titled[0], row, window)[3] : t("state.too_good"), names.join(", ")];
  return [state, t(state === "none" ? "no_data" : `state.${state}`), more];
}

export function ago(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 2880) return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")} h`;
  return t("days", { n: Math.floor(minutes / 1440) });
}
