// Many queues: a row each, sorted by any column, in groups that fold. With arrow keys from row to row, Enter for details.

import { data, kpiOf, kpisOfAll, rows } from "./data.js";
import { $, button, make, mark, put } from "./dom.js";
import { badge, isWritten, label, shown, valueOf, verdict } from "./numbers.js";
import * as staff from "./staff.js";
import { together } from "./tiles.js";
import { wish } from "./wish.js";
import { num, t } from "./words.js";

const LEVELS = ["backlog", "oldest_waiting"];
const COUNTS = ["offered", "answered", "abandoned"];
const RATES = ["service_level", "abandonment", "first_response", "handle_time"];
const ROOMY = 34; // of more rows, each is lower, so that fifty are on one screen
// Left to right: who; who waits now; what came of it; how well; who is there for it.
const COLUMNS = ["queue", "channel", "state", "backlog", "late", "oldest_waiting", "service_level", ...COUNTS, ...RATES.slice(1), ...staff.DOING, "slots"];
const OF_AGENTS = new Set([...staff.DOING, "slots"]); // who may serve many queues: they have no sum
const TEXTS = new Set(["queue", "channel", "state"]);

const lines = new Map(); // "queue\nchannel" → its row on the page
const groups = new Map(); // name of a group → its rows' body
let headed = "";
let focus = ""; // the key of the row that the tab key reaches


export function forget() {
  for (const line of lines.values()) line.node.remove();
  for (const group of groups.values()) group.body.remove();
  lines.clear();
  groups.clear();
  headed = "";
}

export function draw(order, dirty, open, changed) {
  if (!data.kpis.length) return;
  drawHead(changed, order.map((key) => rows.get(key)));
  $("table").toggleAttribute("data-dense", order.length > ROOMY);
  // Its titles stay in view below the header, where that stays as well.
  const top = $("top");
  $("table").style.setProperty("--below-top", getComputedStyle(top).position === "sticky" ? `${top.offsetHeight}px` : "0");
  const sorted = wish.sort ? [...order].sort(by(wish.sort)) : order;
  if (!sorted.includes(focus)) focus = sorted[0] ?? "";
  const wanted = new Map();
  for (const key of sorted) {
    const name = wish.group ? rows.get(key)[wish.group] ?? "" : "";
    wanted.set(name, [...(wanted.get(name) ?? []), key]);
  }
  for (const [name, group] of groups) if (!wanted.has(name) || group.by !== wish.group) dropGroup(name, group);
  // Groups by name, what has none at the end.
  const names = [...wanted.keys()].sort((a, b) => (a === "") - (b === "") || (a < b ? -1 : 1));
  const bodies = names.map((name) => drawGroup(name, wanted.get(name), dirty, open, changed));
  const box = $("table");
  if (bodies.some((body, n) => box.tBodies[n] !== body)) box.append(...bodies);
  for (const [key, line] of lines) {
    if (sorted.includes(key)) continue;
    line.node.remove();
    lines.delete(key);
  }
}

function dropGroup(name, group) {
  group.body.remove();
  groups.delete(name);
  for (const [key, line] of lines) if (group.body.contains(line.node)) lines.delete(key);
}

// ---- the head ------------------------------------------------------------------------------------------------

// Where all rows are of one channel, or all of channels in which people write, numbers are called as there.
function title(name, all) {
  if (name === "abandonment") return t("col.abandonment"); // beside how many
  if (!LEVELS.includes(name) && !RATES.includes(name)) return t(`col.${name}`);
  const channels = new Set(all.map((row) => row.channel));
  const isMixed = channels.size > 1 && kpisOfAll(all) === data.kpis;
  if (name === "first_response" && isMixed && all.some(isWritten)) return t("col.first_response");
  const kpi = isMixed || !all.length ? data.kpis.find((one) => one.name === name) : kpiOf(name, all[0]);
  return kpi ? label(kpi, channels.size === 1 ? all[0].channel : "", !isMixed && all.length && isWritten(all[0])) : name;
}

function drawHead(changed, all) {
  const titles = COLUMNS.map((name) => title(name, all));
  const key = `${titles.join("\n")} ${wish.sort} ${wish.group}`;
  if (headed === key) return;
  headed = key;
  const held = document.activeElement?.closest?.("#table thead") && document.activeElement.dataset.sort;
  const line = make("tr");
  for (const [n, name] of COLUMNS.entries()) {
    const way = wish.sort === name ? "ascending" : wish.sort === `-${name}` ? "descending" : "none";
    const cell = make("th", "", TEXTS.has(name) ? "text" : "");
    cell.scope = "col";
    cell.setAttribute("aria-sort", way);
    const sort = button(titles[n] + { ascending: " ▲", descending: " ▼", none: "" }[way], () => {
      wish.sort = next(name);
      changed();
    });
    sort.dataset.sort = name;
    cell.append(sort);
    line.append(cell);
  }
  $("table").tHead.replaceChildren(line);
  if (held) line.querySelector(`[data-sort="${held}"]`)?.focus();
}

// Numbers begin with the largest, names with the first; the third click is worst first again.
function next(name) {
  const [first, second] = TEXTS.has(name) ? [name, `-${name}`] : [`-${name}`, name];
  return wish.sort === first ? second : wish.sort === second ? "" : first;
}

function valueIn(row, name) {
  if (name === "queue" || name === "channel") return row[name];
  if (name === "state") return row.judged?.[wish.window]?.urgency ?? 0;
  if (name === "late") return row.late;
  if (COUNTS.includes(name)) return row.counts?.[wish.window]?.[name] ?? null;
  if (staff.DOING.includes(name)) return row.agents?.[name].count ?? null;
  if (name === "slots") return staff.freeSlots(row);
  return valueOf(kpiOf(name, row), row, wish.window) ?? null;
}

// Rows without a value come last, whichever way.
function by(sort) {
  const down = sort.startsWith("-");
  const name = down ? sort.slice(1) : sort;
  return (a, b) => {
    const [x, y] = [valueIn(rows.get(a), name), valueIn(rows.get(b), name)];
    if (x === y) return a < b ? -1 : 1;
    if (x === null || y === null) return x === null ? 1 : -1;
    return (x < y) === down ? 1 : -1;
  };
}

export const isColumn = (sort) => sort === "" || COLUMNS.includes(sort.replace(/^-/, ""));

// ---- the rows ------------------------------------------------------------------------------------------------

function drawGroup(name, keys, dirty, open, changed) {
  let group = groups.get(name);
  if (!group) {
    group = { body: make("tbody"), by: wish.group, head: null };
    groups.set(name, group);
  }
  const folded = wish.group !== "" && wish.fold.has(name);
  const nodes = keys.map((key) => drawLine(key, dirty, open));
  for (const node of nodes) node.hidden = folded;
  const all = [drawSums(group, name, keys, folded, changed), ...nodes];
  if (all.some((node, n) => group.body.rows[n] !== node)) group.body.replaceChildren(...all);
  return group.body;
}

// A line of sums above each group; without groups, of all queues.
function drawSums(group, name, keys, folded, changed) {
  if (!group.head) {
    const node = make("tr", "", "sums");
    const cells = COLUMNS.slice(2).map((column) => make("td", "", TEXTS.has(column) ? "text" : ""));
    const head = make("th");
    Object.assign(head, { scope: "row", colSpan: 2 });
    const fold = button("", () => {
      if (wish.fold.has(name)) wish.fold.delete(name);
      else wish.fold.add(name);
      changed();
    });
    fold.className = "fold";
    head.append(wish.group ? fold : make("span"));
    node.append(head, ...cells);
    group.head = { node, fold: head.firstElementChild, cells };
  }
  const { node, fold, cells } = group.head;
  const its = keys.map((key) => rows.get(key));
  put(fold, wish.group ? `${folded ? "▸" : "▾"} ${name || t(`group.none.${wish.group}`)} (${num(its.length)})` : t("all_queues"));
  if (wish.group) fold.setAttribute("aria-expanded", String(!folded));
  const off = its.filter((row) => row.judged?.[wish.window]?.state === "off").length;
  const several = new Set(its.map((row) => `${row.channel} ${row.clock}`)).size > 1;
  COLUMNS.slice(2).forEach((column, n) => {
    let text = "";
    if (column === "state") text = off ? `✕ ${num(off)}` : "";
    else if (column === "late") text = num(its.reduce((sum, row) => sum + (row.late ?? 0), 0));
    else if (OF_AGENTS.has(column)) text = "";
    else if (COUNTS.includes(column)) text = num(its.reduce((sum, row) => sum + (row.counts?.[wish.window]?.[column] ?? 0), 0));
    else {
      const kpi = its.length && kpiOf(column, its[0]);
      const own = (row) => kpiOf(column, row);
      if (kpi && !(several && kpi.unit === "seconds" && !kpi.level)) text = shown(kpi, together(its, kpi, wish.window, own).value).join(" ");
    }
    put(cells[n], text.trim());
  });
  return node;
}

// What agents do, and for how long: time alone changes that.
function drawStaff({ cells }, row) {
  const first = COLUMNS.indexOf(staff.DOING[0]) - 1;
  const free = staff.freeSlots(row);
  staff.DOING.forEach((doing, n) => {
    const [count, long] = staff.inCell(row.agents, doing);
    drawIn(cells[first + n], count, long && ` · ${long}`, long ? t("staff.longest_of", { time: long }) : row.agents ? "" : staff.titleOf(row));
  });
  drawIn(cells[first + staff.DOING.length], free === null ? "–" : num(free), "", free === null ? t("staff.slots.unknown") : "");
}

// For how long is in the title as well: in a narrow table there is room for how many only.
function drawIn(cell, text, more, title) {
  if (!cell.children.length) cell.append(make("span"), make("span", "", "long"));
  put(cell.firstElementChild, text);
  put(cell.lastElementChild, more);
  if (cell.title !== title) cell.title = title;
}

export function passTime() {
  for (const [key, line] of lines) if (rows.has(key)) drawStaff(line, rows.get(key));
}

function newLine(key, open) {
  const node = make("tr");
  const head = make("th", "", "text");
  head.scope = "row";
  const name = button(rows.get(key).queue, () => open(key));
  name.className = "row";
  name.setAttribute("aria-haspopup", "dialog");
  name.addEventListener("focus", () => { focus = key; });
  head.append(name);
  const cells = COLUMNS.slice(1).map((column) => make("td", "", TEXTS.has(column) ? "text" : ""));
  cells[1].className = "text state";
  node.append(head, ...cells);
  return { node, name, cells };
}

function drawLine(key, dirty, open) {
  let line = lines.get(key);
  const isNew = !line;
  if (isNew) {
    line = newLine(key, open);
    lines.set(key, line);
  }
  line.name.tabIndex = key === focus ? 0 : -1;
  if (isNew || dirty.has(key)) fill(line, rows.get(key));
  return line.node;
}

function fill({ node, cells }, row) {
  const [state, text, more, tail = ""] = badge(row, wish.window, data.carried);
  mark(node, state);
  mark(cells[1], state);
  if (cells[1].title !== more) cells[1].title = more;
  drawStaff({ cells }, row);
  COLUMNS.slice(1).forEach((column, n) => {
    if (OF_AGENTS.has(column)) return undefined;
    if (column === "channel") return put(cells[n], row.channel);
    if (column === "state") return put(cells[n], text + tail);
    if (column === "late") return put(cells[n], row.late ? num(row.late) : "");
    if (COUNTS.includes(column)) return put(cells[n], num(row.counts?.[wish.window]?.[column] ?? 0));
    const kpi = kpiOf(column, row);
    if (!kpi) return put(cells[n], "");
    const its = verdict(kpi, row, wish.window);
    mark(cells[n], its[0]);
    cells[n].title = [its[3], its[2] + its[1]].filter(Boolean).join(": ");
    return put(cells[n], shown(kpi, valueOf(kpi, row, wish.window)).join(" ").trim());
  });
}

$("table").addEventListener("keydown", (event) => {
  if (!["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key) || !event.target.matches(".row")) return;
  const all = [...$("table").querySelectorAll("tr:not([hidden]) .row")];
  const at = all.indexOf(event.target);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
  event.preventDefault();
  all[Math.max(0, Math.min(all.length - 1, to))].focus();
});
