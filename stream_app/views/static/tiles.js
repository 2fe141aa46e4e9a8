// One tile per queue and channel, and the one of all of them. What the data says only ever becomes text, never markup.

import { $, mark, put } from "./dom.js";
import { RANK, SHORT, WORDS, duration, excess, judge, known, shown } from "./numbers.js";
import { drawTrend } from "./trend.js";

const LEAST_STEPS = 8; // of a quarter of an hour: two hours
const KIND = { service_level: 0, oldest_waiting: 0, abandonment: 0, backlog: 0, first_response: 1, handle_time: 2 };
const FIRST = ["service_level", "backlog", "oldest_waiting"]; // as people read a tile; the others follow

// What has room in a row of the dense layout.
export const DENSE = ["service_level", "backlog", "oldest_waiting", "abandonment", "handle_time"];

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

export function drawFigure(parts, kpi, value, target, tooGood, samples, p90, open) {
  const [state, aim, kind, word] = judge(kpi, value, target, tooGood, open);
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
    missed: 0, state: "none", bad: [0, 0, 0],
  };
}

// How bad a tile is, worst kind first: what customers wait for, then what they are told, then what it costs.
// In halves, so that two tiles that are about as bad don't change places all the time.
function badness(found, state) {
  const out = [0, 0, 0];
  for (const { kpi, its, far } of found) {
    const kind = KIND[kpi.name] ?? 0;
    if (its === state && far > 0) out[kind] = Math.max(out[kind], 0.5, Math.round(far * 2) / 2);
  }
  return out;
}

// The worst first: [a card, its key] each.
export function worst([x, a], [y, b]) {
  let way = RANK[x.state] - RANK[y.state];
  for (let n = 0; n < x.bad.length && !way; n += 1) way = Math.sign(y.bad[n] - x.bad[n]) || 0;
  return way || (a < b ? -1 : 1);
}

// `beside` has the lines, where they begin, how much of the running quarter is gone, and the policy that most queues have.
export function drawCard(card, row, kpis, window, beside) {
  const figures = row.windows[window] ?? {};
  const found = [];
  let odd = "";
  card.missed = 0;
  card.state = "none";
  kpis.forEach((kpi, n) => {
    const figure = figures[kpi.name];
    const value = kpi.level ? row.levels[kpi.name] : figure?.value;
    const [target, tooGood] = [row.targets[kpi.name], row.too_good[kpi.name]];
    const its = drawFigure(card.figures[n], kpi, value, target, tooGood, figure?.samples, figure?.p90, row.open);
    if (its === "missed") card.missed += 1;
    if (its === "odd") odd = card.figures[n].word.textContent;
    if (RANK[its] < RANK[card.state]) card.state = its;
    found.push({ kpi, its, far: excess(kpi, value, target) });
  });
  if (!row.open) card.state = "closed";
  card.bad = badness(found, card.state);
  const words = { ...WORDS, none: "no data", odd };
  mark(card.node, card.state);
  mark(card.overall, card.state);
  put(card.overall, card.missed > 1 ? `${card.missed} missed` : words[card.state]);
  const policy = `Service level: ${row.policy.replaceAll("_", " ")}`;
  put(card.policy, row.policy === beside.usual ? "" : policy);
  const first = card.figures[0].node;
  if (first.title !== policy) first.title = policy;
  kpis.forEach((kpi, n) => drawTrend(card.figures[n], kpi, row, beside));
}

// Of names that differ the one that is there most often, if there is one; what most have is not worth a word on every tile.
export function mostCommon(names) {
  const count = new Map();
  for (const name of names) count.set(name, (count.get(name) ?? 0) + 1);
  const [first, second] = [...count].sort(([, a], [, b]) => b - a);
  return first && first[1] !== second?.[1] ? first[0] : "";
}

// The step before which nobody has any data; of the queues' lengths there always is.
export function firstStep(trends, kpis) {
  const names = kpis.filter((kpi) => !kpi.level).map((kpi) => kpi.name);
  const lines = [...trends].flatMap((lines) => names.map((name) => lines[name]).filter(Boolean));
  const firsts = lines.map((line) => line.values.findIndex(known)).filter((first) => first >= 0);
  const steps = lines[0]?.values.length ?? 0;
  return Math.max(0, Math.min(steps - LEAST_STEPS, ...firsts));
}

// All that are seen together: sums, the longest wait, means by their samples. How long answers and calls take is
// another thing in every channel: a mean over several means nothing.
export function drawEveryone(box, rows, kpis, window, everyone) {
  box.figures ??= figuresIn(box.querySelector("dl"), kpis);
  const mixed = new Set(rows.map((row) => row.channel)).size > 1;
  kpis.forEach((kpi, n) => {
    let value = null;
    let samples;
    box.figures[n].node.hidden = mixed && kpi.unit === "seconds" && !kpi.level;
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
