// One tile per queue and channel, and one for all of them. Data only ever becomes text, never markup.

import { $, make, mark, put } from "./dom.js";
import { badge, duration, known, label, shown, valueOf, verdict } from "./numbers.js";
import { drawTrend } from "./trend.js";
import * as staff from "./staff.js";
import { isShown, openable } from "./why.js";
import { wish } from "./wish.js";
import { num, t } from "./words.js";

const LEAST_STEPS = 8; // 15-minute steps: two hours
// In the order in which people read a tile; the others follow.
const FIRST = ["service_level", "backlog", "oldest_waiting", "awaiting_reply", "oldest_awaiting_reply"];
const BIG = 3; // so many are larger than the rest

// The KPIs that have room in a row of the dense layout.
const REST = ["abandonment", "handle_time"];
export const DENSE = ["service_level", "backlog", "oldest_waiting", ...REST];
const INSTEAD = ["awaiting_reply", "oldest_awaiting_reply"]; // where people write
const WAITING = ["backlog", "awaiting_reply"];

export function inOrder(kpis) {
  const rank = (kpi) => (FIRST.includes(kpi.name) ? FIRST.indexOf(kpi.name) : FIRST.length);
  return [...kpis].sort((a, b) => rank(a) - rank(b));
}

// `only` are shown where there is no room for others.
// `ask` returns what to ask of a KPI: where contacts may be seen, its number is a link to these.
export function figuresIn(list, kpis, channel = "", only = [], ask = null) {
  return [...kpis, ...only].map((kpi, n) => {
    const node = $("figure").content.firstElementChild.cloneNode(true);
    const [name, value, state, trend, more] = node.children;
    const [number, unit] = value.children;
    const [word, sep, kind, aim] = state.children;
    if (ask && isShown()) value.append(openable([number, unit], kpi, channel, () => ask(kpi)));
    node.dataset.kpi = kpi.name;
    node.toggleAttribute("data-dense", [...DENSE, ...INSTEAD].includes(kpi.name));
    node.toggleAttribute("data-only", n >= kpis.length);
    node.dataset.place = n === 0 ? "first" : n < BIG && kpi.level ? "now" : "rest";
    titled(name, kpi, channel);
    name.title = kpi.doc;
    list.append(node);
    return { node, number, unit, state, word, sep, kind, aim, trend, more };
  });
}

// Where there is little room, a shorter name, if there is one.
function titled(node, kpi, channel) {
  const [long, short] = [label(kpi, channel), label(kpi, channel, true)];
  if (long === short) return put(node, long);
  return node.replaceChildren(make("span", long, "long"), make("span", short, "short"));
}

// `judged` is [state, the target, its kind, a word]; `late` is how many of those who wait have waited too long.
function drawFigure(parts, kpi, value, [state, aim, kind, word], hasTarget, { samples, p90, late, clock }) {
  mark(parts.node, state);
  mark(parts.state, state);
  parts.node.toggleAttribute("data-empty", !known(value));
  const [number, unit] = shown(kpi, value);
  put(parts.number, number);
  put(parts.unit, unit && ` ${unit}`);
  put(parts.word, word);
  put(parts.sep, word && ": ");
  put(parts.kind, kind);
  put(parts.aim, aim);
  if (parts.state.classList.contains("quiet") === hasTarget) parts.state.classList.toggle("quiet");
  const more = [];
  if (known(p90)) more.push(t("in_p90", { time: duration(p90).join(" ") }));
  if (samples > 0) more.push(t("contacts", { n: samples }));
  if (WAITING.includes(kpi.name) && late) more.push(t("n_late", { n: late }));
  if (kpi.level && kpi.unit === "seconds" && clock === "business") more.push(t("by_hours"));
  put(parts.more, more.join(" · "));
}

// What to ask of a row's KPI.
export function asking(row, kpi) {
  return { of: kpi, kpi: kpi.name, queue: row.queue, channel: row.channel, window: kpi.level ? null : wish.window };
}

// `rest` are the KPIs that its details have besides.
export function newCard(row, kpis, rest, open) {
  const node = $("card").content.firstElementChild.cloneNode(true);
  const name = node.querySelector(".name");
  name.textContent = row.queue;
  name.title = t("details");
  name.addEventListener("click", open);
  name.setAttribute("aria-haspopup", "dialog");
  node.toggleAttribute("data-long", row.queue.length > 11);
  node.querySelector(".channel").textContent = row.channel;
  const find = (part) => node.querySelector(part);
  const only = rest.filter((kpi) => REST.includes(kpi.name));
  return {
    node, kpis: [...kpis, ...only], overall: find(".overall"), policy: find(".policy"), counts: find(".counts"), staff: find(".staff"), short: find(".staff-short"), old: [...find(".old").children],
    figures: figuresIn(find("dl"), kpis, row.channel, only, (kpi) => asking(row, kpi)), state: "none",
  };
}

// `beside` has the lines, where they begin, how much of the current interval is over, and the policy that most queues have.
export function drawCard(card, row, all, window, beside) {
  const figures = row.windows[window] ?? {};
  card.kpis.forEach((kpi, n) => {
    const figure = figures[kpi.name];
    const judged = verdict(kpi, row, window);
    drawFigure(card.figures[n], kpi, valueOf(kpi, row, window), judged, known(row.targets[kpi.name]), {
      samples: figure?.samples, p90: figure?.p90, late: row.late, clock: row.clock,
    });
    drawTrend(card.figures[n], kpi, row, { ...beside, window });
  });
  const [state, text, more, tail = ""] = badge(row, window, all);
  card.state = state;
  mark(card.node, state);
  mark(card.overall, state);
  put(card.overall.firstElementChild, text);
  put(card.overall.lastElementChild, tail);
  if (card.overall.title !== more) card.overall.title = more;
  const policy = t("policy", { name: row.policy.replaceAll("_", " ") });
  put(card.policy, row.policy === beside.usual ? "" : policy);
  put(card.counts, inCounts(row.counts?.[window]));
  drawStaff(card, row);
  const first = card.figures[0].node;
  if (first.title !== policy) first.title = policy;
}

// What its agents do, and for how long: time alone changes that.
export function drawStaff(card, row) {
  put(card.staff, staff.inWords(row));
  put(card.short, staff.inShort(row));
  const title = staff.titleOf(row);
  if (card.staff.title !== title) card.staff.title = title;
}

// Offered, answered and abandoned in words.
export function inCounts(counts) {
  if (!counts) return "";
  return ["offered", "answered", "abandoned"].map((name) => `${num(counts[name])} ${t(`count.${name}`)}`).join(" · ");
}

// The most common of several names, if there is one; what most queues share need not be on every tile.
export function mostCommon(names) {
  const count = new Map();
  for (const name of names) count.set(name, (count.get(name) ?? 0) + 1);
  const [first, second] = [...count].sort(([, a], [, b]) => b - a);
  return first && first[1] !== second?.[1] ? first[0] : "";
}

// The step before which no queue has data; levels always have some.
export function firstStep(trends, kpis) {
  const names = kpis.filter((kpi) => !kpi.level).map((kpi) => kpi.name);
  const lines = [...trends].flatMap((lines) => names.map((name) => lines[name]).filter(Boolean));
  const firsts = lines.map((line) => line.values.findIndex(known)).filter((first) => first >= 0);
  const steps = lines[0]?.values.length ?? 0;
  return Math.max(0, Math.min(steps - LEAST_STEPS, ...firsts));
}

// All shown queues together: sums, the longest wait, means weighted by samples. Response and handle times differ
// between channels, so a mean over several is meaningless. `kpiOf` returns a row's own KPI.
export function together(rows, kpi, window, kpiOf = () => kpi) {
  if (kpi.level) {
    const levels = rows.map((row) => valueOf(kpiOf(row), row, window)).filter(known);
    if (kpi.unit !== "seconds") return { value: levels.reduce((a, b) => a + b, 0) };
    return { value: levels.length ? Math.max(...levels) : null };
  }
  const parts = rows.map((row) => row.windows[window]?.[kpiOf(row).name]).filter((f) => f && f.value !== null);
  const samples = parts.reduce((sum, f) => sum + f.samples, 0);
  return { samples, value: samples > 0 ? parts.reduce((sum, f) => sum + f.value * f.samples, 0) / samples : null };
}

export function drawEveryone(box, rows, kpis, window, everyone, kpiOf) {
  if (box.kpis !== kpis) box.querySelector("dl").replaceChildren();
  if (box.kpis !== kpis) box.figures = figuresIn(box.querySelector("dl"), kpis);
  box.kpis = kpis;
  const channels = new Set(rows.map((row) => row.channel));
  kpis.forEach((kpi, n) => {
    const { value, samples } = together(rows, kpi, window, (row) => kpiOf(kpi.name, row) ?? kpi);
    const parts = box.figures[n];
    parts.node.hidden = channels.size > 1 && kpi.unit === "seconds" && !kpi.level;
    const channel = channels.size === 1 ? [...channels][0] : "";
    if (parts.channel !== channel) titled(parts.node.firstElementChild, kpi, (parts.channel = channel));
    const late = rows.reduce((sum, row) => sum + (row.late ?? 0), 0);
    const p90 = rows.every((row) => kpiOf(kpi.name, row) === kpi) ? everyone?.[window]?.[kpi.name]?.p90 : null;
    drawFigure(parts, kpi, value, ["none", "", "", ""], false, { samples, p90, late });
    parts.state.hidden = true; // queues have different targets
  });
}
