// The trend of a number: a line, an arrow and a word. Line and word both end at the current value.

import { make, put } from "./dom.js";
import { known, written } from "./numbers.js";
import { t } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDE = 100;
const HIGH = 24;
const QUARTERS = { "15m": 1, "30m": 2, "1h": 4 }; // how long a window is, in 15-minute steps
const SHORTEST = "5m"; // it has no steps of its own: it is compared with the half hour
const LEAST_SAMPLES = 10; // on either side: with fewer, one contact more or less would be a trend
const LEAST_CONTACTS = 2;
const LEAST_SPAN = { ratio: 0.3, contacts: 10 }; // with less, a small change would look like a crash

// Line and arrow are those of the number that is shown, in its window.
const ending = (kpi, row, window) =>
  kpi.level ? { value: row.levels[kpi.name] } : row.windows[window]?.[kpi.name] ?? { value: null, samples: 0 };

// The past value: how many were waiting an hour ago, or the value of the hour before the window; `gone` is how much
// of the current 15-minute interval is over, so that nothing jumps when the next one begins.
function before(kpi, line, gone, window) {
  const last = line.values.length - 1;
  if (kpi.level) {
    const [from, to] = [line.values[last - 5], line.values[last - 4]];
    return { value: known(from) && known(to) ? from + (to - from) * gone : null };
  }
  let [over, samples] = [0, 0];
  [1 - gone, 1, 1, 1, gone].forEach((share, n) => {
    const step = last - 4 - QUARTERS[window] + n;
    if (!known(line.values[step])) return;
    over += line.values[step] * line.samples[step] * share;
    samples += line.samples[step] * share;
  });
  return { value: samples > 0 ? over / samples : null, samples };
}

// [arrow, word, what was compared], null without data, and for today, which nothing precedes: steady unless it moved by a
// quarter of the tolerance, or of the target where there is no tolerance. `half` is the value of the last 30 minutes.
export function direction(kpi, line, now, target, gone, window = "30m", half = null) {
  if (!kpi.level && window === "today") return null;
  const was = !kpi.level && window === SHORTEST ? half ?? { value: null } : before(kpi, line, gone, window);
  if (!known(now.value) || !known(was.value)) return null;
  const tolerated = (kpi.tolerance ?? 0) * (kpi.tolerance_relative ? target ?? 0 : 1);
  let least = (tolerated || target || was.value) / 4;
  if (kpi.unit === "ratio") least = Math.max(least, 1 / now.samples);
  if (kpi.level) least = Math.max(least, LEAST_CONTACTS - 0.001);
  const few = !kpi.level && Math.min(now.samples, was.samples) < LEAST_SAMPLES;
  const compared = [was, now].map((one) => written(kpi, kpi.level ? Math.round(one.value) : one.value)).join(" → ");
  const than = t(kpi.level ? "than.hour_ago" : `than.${window}`);
  const title = (word) => t("way.title", { word: t(`way.${word}`), than, compared });
  if (few || Math.abs(now.value - was.value) <= least) return ["→", "steady", title("steady")];
  const up = now.value > was.value;
  const word = kpi.unit === "contacts" ? (up ? "more" : "fewer") : up === (kpi.better === "higher") ? "better" : "worse";
  return [up ? "↗" : "↘", word, title(word)];
}

function svg(name, attributes, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function set(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

// `from` is where the lines of all tiles begin, so that they are comparable.
export function drawTrend(parts, kpi, row, { lines, from, gone, window }) {
  const line = lines?.[kpi.name];
  if (parts.trend.hidden === !!line) parts.trend.hidden = !line;
  if (!line) return;
  if (!parts.line) {
    parts.line = svg("path", {});
    parts.goal = svg("line", { x1: 0, x2: WIDE });
    parts.way = make("span", "", "way");
    parts.way.append(make("span"), make("span", "", "going"));
    const box = { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", "aria-hidden": "true" };
    parts.trend.append(svg("svg", box, parts.goal, parts.line), parts.way);
  }
  const [now, target] = [ending(kpi, row, window), row.targets[kpi.name]];
  const way = direction(kpi, line, now, target, gone, window, ending(kpi, row, "30m"));
  const [arrow, going] = parts.way.children;
  put(arrow, way ? way[0] : "");
  put(going, way ? ` ${t(`way.${way[1]}`)}` : "");
  if (parts.way.title !== (way?.[2] ?? "")) parts.way.title = way?.[2] ?? "";
  const made = [line, from, now.value, target];
  if (parts.made?.every((one, n) => one === made[n])) return;
  parts.made = made;
  const values = [...line.values.slice(from, -1), now.value];
  const scale = scaled(values.filter(known), kpi, target);
  set(parts.line, "d", drawn(values, scale));
  const goal = known(target) && target >= scale.low && target <= scale.low + scale.span ? at(target, scale).toFixed(1) : null;
  parts.goal.toggleAttribute("hidden", goal === null);
  for (const end of ["y1", "y2"]) set(parts.goal, end, goal ?? "0");
}

function scaled(there, kpi, target) {
  if (!there.length) return { low: 0, span: 0 };
  const [bottom, top] = [Math.min(...there), Math.max(...there)];
  const span = Math.max(top - bottom, LEAST_SPAN[kpi.unit] ?? target ?? top / 2);
  let low = Math.max(0, (top + bottom - span) / 2);
  if (kpi.unit === "ratio") low = Math.max(0, Math.min(low, 1 - span));
  return { low, span };
}

const at = (value, { low, span }) => (span ? HIGH - 2 - ((value - low) / span) * (HIGH - 4) : HIGH / 2);

// Gaps where there is no data: a line across them would be invented.
function drawn(values, scale) {
  let path = "";
  let pen = "M";
  values.forEach((value, n) => {
    if (!known(value)) {
      pen = "M";
      return;
    }
    const x = (n / (values.length - 1)) * WIDE;
    path += `${pen}${x.toFixed(1)} ${at(value, scale).toFixed(1)}`;
    if (pen === "M" && !known(values[n + 1])) path += "h.1"; // a single one is a dot
    pen = "L";
  });
  return path;
}
