// Two charts of one day: contacts as lines with bands, agents as steps. The text below each says what it shows.

import { make, put } from "./dom.js";
import { known } from "./numbers.js";

const SVG = "http://www.w3.org/2000/svg";
const LEFT = 34;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 22;
const LEAST = 2 * (LEFT + RIGHT); // of a box without room, as while it is hidden: what is drawn has a width above 0

function svg(name, attributes, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// The smallest round number that is at least the largest value.
function ceiling(most) {
  const size = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  return [1, 2, 3, 4, 5, 6, 8, 10].map((n) => n * size).find((value) => value >= most) ?? 10 * size;
}

function axes(box, rows, most) {
  const [wide, high] = [Math.max(LEAST, box.clientWidth), Math.max(LEAST, box.clientHeight)];
  const [from, to] = [rows[0].from, rows.at(-1).to];
  const top = ceiling(most);
  const x = (at) => LEFT + ((at - from) / (to - from)) * (wide - LEFT - RIGHT);
  const y = (value) => high - BOTTOM - (value / top) * (high - TOP - BOTTOM);
  const root = svg("svg", { viewBox: `0 0 ${wide} ${high}`, "aria-hidden": "true" });
  for (const value of [0, top / 2, top]) {
    root.append(svg("line", { class: "grid", x1: LEFT, x2: wide - RIGHT, y1: y(value), y2: y(value) }));
    root.append(svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, String(value)));
  }
  const every = wide < 500 ? 6 : 3;
  for (const row of rows) {
    const [hour, minute] = row.time.split(":").map((part) => parseInt(part, 10));
    if (minute || hour % every) continue;
    root.append(svg("line", { class: "grid", x1: x(row.from), x2: x(row.from), y1: high - BOTTOM, y2: high - BOTTOM + 4 }));
    root.append(svg("text", { x: x(row.from), y: high - 5, "text-anchor": "middle" }, row.time.slice(0, 5)));
  }
  return { root, x, y, wide, high };
}

// Runs of rows in which all of these are known: nothing is drawn across the others.
function stretches(rows, names) {
  const found = [];
  let open = null;
  for (const row of rows) {
    const there = names.every((name) => known(row[name]));
    if (there && !open) found.push((open = []));
    if (there) open.push(row);
    else open = null;
  }
  return found;
}

const middle = (row) => (row.from + row.to) / 2;

function line(rows, name, { x, y }) {
  return stretches(rows, [name])
    .map((part) => part.map((row, n) => `${n ? "L" : "M"}${x(middle(row)).toFixed(1)} ${y(row[name]).toFixed(1)}`).join("") + (part.length === 1 ? "h.1" : ""))
    .join("");
}

function band(rows, low, high, { x, y }) {
  return stretches(rows, [low, high])
    .map((part) => {
      const over = part.map((row) => `${x(middle(row)).toFixed(1)} ${y(row[high]).toFixed(1)}`);
      const under = part.map((row) => `${x(middle(row)).toFixed(1)} ${y(row[low]).toFixed(1)}`).reverse();
      return `M${[...over, ...under].join("L")}Z`;
    })
    .join("");
}

function steps(rows, name, { x, y }) {
  return stretches(rows, [name])
    .map((part) => part.map((row, n) => `${n ? "V" : `M${x(row.from).toFixed(1)} `}${y(row[name]).toFixed(1)}H${x(row.to).toFixed(1)}`).join(""))
    .join("");
}

export function drawContacts(box, rows) {
  const most = Math.max(1, ...rows.flatMap((row) => [row.high_95, row.offered, row.actual, row.reforecast]).filter(known));
  const scale = axes(box, rows, most);
  const { root, x, y } = scale;
  root.append(
    svg("path", { class: "outer", d: band(rows, "low_95", "high_95", scale) }),
    svg("path", { class: "inner", d: band(rows, "low_80", "high_80", scale) }),
    svg("path", { class: "forecast", d: line(rows, "offered", scale) }),
    svg("path", { class: "again", d: line(rows, "reforecast", scale) }),
    svg("path", { class: "actual", d: line(rows, "actual", scale) }),
    ...rows.filter((row) => known(row.actual)).map((row) => svg("circle", { class: "dot", cx: x(middle(row)), cy: y(row.actual), r: 2.2 })),
  );
  finish(box, rows, scale);
}

export function drawPeople(box, rows) {
  const most = Math.max(1, ...rows.flatMap((row) => [row.required, row.staffed]).filter(known));
  const scale = axes(box, rows, most);
  const { root, x, y } = scale;
  const hatch = { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse" };
  root.append(svg("defs", {}, svg("pattern", hatch, svg("path", { d: "M-1 7L7 -1M-1 1L1 -1M5 7L7 5" }))));
  for (const row of rows.filter((one) => one.gap < 0)) {
    const [left, width] = [x(row.from), x(row.to) - x(row.from)];
    root.append(svg("rect", { class: "lacking", x: left, width, y: y(row.required), height: y(row.staffed) - y(row.required) }));
  }
  // One mark for each run: side by side they would look like a bar.
  for (const part of stretches(rows.map((row) => ({ ...row, few: row.gap < 0 ? row.required : null })), ["few"])) {
    const over = y(Math.max(...part.map((row) => row.required))) - 4;
    root.append(svg("text", { class: "few", x: (x(part[0].from) + x(part.at(-1).to)) / 2, y: over, "text-anchor": "middle" }, "▼"));
  }
  root.append(svg("path", { class: "required", d: steps(rows, "required", scale) }), svg("path", { class: "staffed", d: steps(rows, "staffed", scale) }));
  finish(box, rows, scale);
}

function finish(box, rows, { root, x, high }) {
  const cursor = svg("line", { class: "cursor", y1: TOP, y2: high - BOTTOM, hidden: "" });
  root.append(cursor);
  box.replaceChildren(root);
  box.place = (n) => {
    cursor.toggleAttribute("hidden", n === null);
    if (n === null) return;
    for (const end of ["x1", "x2"]) cursor.setAttribute(end, x(middle(rows[n])));
  };
  box.nearest = (left) => {
    const wanted = rows.map((row) => Math.abs(x(middle(row)) - left));
    return wanted.indexOf(Math.min(...wanted));
  };
}

// `chosen` is called with the index of the row that was pointed at, or reached by keys.
export function follow(box, count, chosen, current) {
  box.addEventListener("pointermove", (event) => box.nearest && chosen(box.nearest(event.clientX - box.getBoundingClientRect().left)));
  box.addEventListener("pointerdown", (event) => box.nearest && chosen(box.nearest(event.clientX - box.getBoundingClientRect().left)));
  box.addEventListener("focus", () => count() && current() === null && chosen(0));
  box.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: (current() ?? 1) - 1, ArrowRight: (current() ?? -1) + 1, Home: 0, End: count() - 1 }[event.key];
    if (to === undefined || !count() || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    chosen(Math.min(count() - 1, Math.max(0, to)));
  });
}

// A list of facts; empty ones are left out.
export function facts(list, pairs) {
  list.replaceChildren(...pairs.filter(([, text]) => text).map(([title, text]) => {
    const [group, value] = [make("div"), make("dd")];
    put(value, text);
    group.append(make("dt", title), value);
    return group;
  }));
}
