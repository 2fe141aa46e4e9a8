// One tile per queue and channel, and the one of all of them. What the data says only ever becomes text, never markup.

import { RANK, SHORT, WORDS, direction, duration, judge, known, shown } from "./numbers.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDE = 100;
const HIGH = 24;
const LEAST_STEPS = 8; // of a quarter of an hour: two hours
const LEAST_SPAN = { ratio: 0.1, contacts: 4 }; // a line that fills its box says more than a tenth of a point is worth
const FIRST = ["service_level", "backlog", "oldest_waiting"]; // as people read a tile; the others follow

// What has room in a row of the dense layout.
export const DENSE = ["service_level", "backlog", "oldest_waiting", "abandonment", "handle_time"];

export const $ = (id) => document.getElementById(id);

export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function mark(node, state) {
  if (node.dataset.state !== state) node.dataset.state = state;
}

export function make(tag, text = "", name = "") {
  const node = document.createElement(tag);
  node.textContent = text;
  if (name) node.className = name;
  return node;
}

export function inOrder(kpis) {
  const rank = (kpi) => (FIRST.includes(kpi.name) ? FIRST.indexOf(kpi.name) : FIRST.length);
  return [...kpis].sort((a, b) => rank(a) - rank(b));
}

export function figuresIn(list, kpis) {
  return kpis.map((kpi, n) => {
    const node = $("figure").content.firstElementChild.cloneNode(true);
    const [name, value, state, trend, more] = node.children;
    const [number, unit] = value.children;
    const [word, sep, kind, aim] = state.children;
    node.dataset.kpi = kpi.name;
    node.toggleAttribute("data-dense", DENSE.includes(kpi.name));
    node.dataset.place = n === 0 ? "first" : kpi.level ? "now" : "rest";
    name.textContent = SHORT[kpi.name] ?? kpi.title;
    name.title = kpi.doc;
    list.append(node);
    return { node, number, unit, state, word, sep, kind, aim, trend, more };
  });
}

export function drawFigure(parts, kpi, value, target, tooGood, samples, p90) {
  const [state, aim, kind, word] = judge(kpi, value, target, tooGood);
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
  if (parts.state.classList.contains("quiet") === known(target)) parts.state.classList.toggle("quiet");
  const more = [];
  if (known(p90)) more.push(`90 % in ${duration(p90).join(" ")}`);
  if (samples > 0) more.push(`of ${samples.toLocaleString("en")}`);
  put(parts.more, more.join(" · "));
  return state;
}

// A line for eyes, an arrow and a word for everybody.
// `from` is where the lines of all tiles begin, so that they can be compared.
export function drawTrend(parts, kpi, line, from) {
  const way = direction(kpi, line);
  if (parts.trend.hidden === !!line) parts.trend.hidden = !line;
  if (!line) return;
  if (!parts.line) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${WIDE} ${HIGH}`);
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    parts.line = document.createElementNS(SVG, "path");
    svg.append(parts.line);
    parts.way = make("span", "", "way");
    parts.way.append(make("span"), make("span", "", "going"));
    parts.trend.append(svg, parts.way);
  }
  const path = drawn(line.values.slice(from), LEAST_SPAN[kpi.unit] ?? Math.max(...line.values) / 4);
  if (parts.line.getAttribute("d") !== path) parts.line.setAttribute("d", path);
  const [arrow, going] = parts.way.children;
  put(arrow, way ? way[0] : "");
  put(going, way ? ` ${way[1]}` : "");
}

// Gaps where there is no data: a line across them would be made up.
function drawn(values, least) {
  const there = values.filter(known);
  const [bottom, top] = [Math.min(...there), Math.max(...there)];
  const span = Math.max(top - bottom, least);
  const low = Math.max(0, (top + bottom - span) / 2);
  let path = "";
  let pen = "M";
  values.forEach((value, n) => {
    if (!known(value)) {
      pen = "M";
      return;
    }
    const x = (n / (values.length - 1)) * WIDE;
    const y = span ? HIGH - 2 - ((value - low) / span) * (HIGH - 4) : HIGH / 2;
    path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    if (pen === "M" && !known(values[n + 1])) path += "h.1"; // one alone is a dot
    pen = "L";
  });
  return path;
}

export function newCard(row, kpis, open) {
  const node = $("card").content.firstElementChild.cloneNode(true);
  const name = node.querySelector(".name");
  name.textContent = row.queue;
  name.title = "Details";
  name.addEventListener("click", open);
  name.setAttribute("aria-haspopup", "dialog");
  node.toggleAttribute("data-long", row.queue.length > 11);
  node.querySelector(".channel").textContent = row.channel;
  const find = (part) => node.querySelector(part);
  return {
    node, overall: find(".overall"), policy: find(".policy"), old: [...find(".old").children], figures: figuresIn(find("dl"), kpis),
    missed: 0, state: "none",
  };
}

export function drawCard(card, row, kpis, window) {
  const figures = row.windows[window] ?? {};
  let odd = "";
  card.missed = 0;
  card.state = "none";
  kpis.forEach((kpi, n) => {
    const figure = figures[kpi.name];
    const value = kpi.level ? row.levels[kpi.name] : figure?.value;
    const [target, tooGood] = [row.targets[kpi.name], row.too_good[kpi.name]];
    const state = drawFigure(card.figures[n], kpi, value, target, tooGood, figure?.samples, figure?.p90);
    if (state === "missed") card.missed += 1;
    if (state === "odd") odd = card.figures[n].word.textContent;
    if (RANK[state] < RANK[card.state]) card.state = state;
  });
  const words = { ...WORDS, none: "no data", odd };
  mark(card.node, card.state);
  mark(card.overall, card.state);
  put(card.overall, card.missed > 1 ? `${card.missed} missed` : words[card.state]);
  const policy = `Service level: ${row.policy.replaceAll("_", " ")}`;
  put(card.policy, policy);
  const first = card.figures[0].node;
  if (first.title !== policy) first.title = policy;
}

export function drawTrends(card, kpis, lines, from) {
  kpis.forEach((kpi, n) => drawTrend(card.figures[n], kpi, lines?.[kpi.name], from));
}

// The step before which nobody has any data; of the queues' lengths there always is.
export function firstStep(trends, kpis) {
  const names = kpis.filter((kpi) => !kpi.level).map((kpi) => kpi.name);
  const lines = [...trends].flatMap((lines) => names.map((name) => lines[name]).filter(Boolean));
  const firsts = lines.map((line) => line.values.findIndex(known)).filter((first) => first >= 0);
  const steps = lines[0]?.values.length ?? 0;
  return Math.max(0, Math.min(steps - LEAST_STEPS, ...firsts));
}

// All that are seen together: sums, the longest wait, means by their samples.
export function drawEveryone(box, rows, kpis, window, everyone) {
  box.figures ??= figuresIn(box.querySelector("dl"), kpis);
  kpis.forEach((kpi, n) => {
    let value = null;
    let samples;
    if (kpi.level) {
      const levels = rows.map((row) => row.levels[kpi.name] ?? 0);
      value = kpi.unit === "seconds" ? Math.max(...levels) : levels.reduce((a, b) => a + b, 0);
    } else {
      const parts = rows.map((row) => row.windows[window]?.[kpi.name]).filter((f) => f && f.value !== null);
      samples = parts.reduce((sum, f) => sum + f.samples, 0);
      if (samples > 0) value = parts.reduce((sum, f) => sum + f.value * f.samples, 0) / samples;
    }
    drawFigure(box.figures[n], kpi, value, undefined, undefined, samples, everyone?.[window]?.[kpi.name]?.p90);
    box.figures[n].state.hidden = true; // queues differ in their targets
  });
}
