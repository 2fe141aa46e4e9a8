// Thousands of people: of the rows, only those in view are on the page. With arrow keys from row to row, Enter for details.

import { $, button, make, mark, put } from "./dom.js";
import { wish } from "./people-wish.js";
import * as words from "./people-words.js";
import { num, t } from "./words.js";

const BEYOND = 8; // rows above and below those in view
const RANK = ["available", "on_contact", "wrap", "away", "offline"];
const LATER = Number.MAX_SAFE_INTEGER;
const moment = (text) => (text ? Date.parse(text) : LATER);

// What a column says, and what it is sorted by. For how long: the longest has the earliest beginning.
const COLUMNS = {
  agent: [(row) => row.agent, (row) => row.agent],
  doing: [words.doing, (row) => RANK.indexOf(row.doing)],
  since: [words.since, (row) => moment(row.since)],
  limit: [(row) => words.limit(row)[1], (row) => moment(row.limit_at)],
  contacts: [words.contacts, (row) => -row.contacts.length],
  slots: [words.slots, (row) => -Object.values(row.slots ?? {}).reduce((sum, one) => sum + one.free, 0)],
  queues: [words.queues, (row) => row.queues.join()],
  team: [(row) => row.team ?? "", (row) => row.team ?? "\uffff"],
  site: [(row) => row.site ?? "", (row) => row.site ?? "\uffff"],
};
const NAMES = Object.keys(COLUMNS);

let order = []; // rows, as shown
let lines = []; // those on the page
let from = 0; // the first of these
let focus = ""; // the agent whose row the tab key reaches
let opener = () => {};

export const isColumn = (sort) => sort === "" || NAMES.includes(sort.replace(/^-/, ""));
export const isHeld = () => $("rows").contains(document.activeElement);

// Over the limit for the longest first, then whoever has done it the longest.
function worst(now) {
  return (row) => {
    const limit = moment(row.limit_at);
    return limit < now ? limit - LATER : moment(row.since);
  };
}

export function sorted(rows, now) {
  const down = wish.sort.startsWith("-");
  const key = wish.sort ? COLUMNS[wish.sort.replace(/^-/, "")][1] : worst(now);
  const keyed = rows.map((row) => [key(row), row]);
  keyed.sort(([x, a], [y, b]) => {
    if (x === y) return a.agent < b.agent ? -1 : 1;
    return (x < y) === down ? 1 : -1;
  });
  return keyed.map(([, row]) => row);
}

// ---- the head ------------------------------------------------------------------------------------------------

export function drawHead(changed) {
  const held = document.activeElement?.dataset?.sort;
  const line = make("tr");
  line.setAttribute("aria-rowindex", "1");
  for (const name of NAMES) {
    const way = wish.sort === name ? "ascending" : wish.sort === `-${name}` ? "descending" : "none";
    const cell = make("th", "", name);
    cell.scope = "col";
    cell.setAttribute("aria-sort", way);
    const sort = button(t(`col.${name}`) + { ascending: " ▲", descending: " ▼", none: "" }[way], () => {
      wish.sort = wish.sort === name ? `-${name}` : wish.sort === `-${name}` ? "" : name;
      changed();
    });
    sort.dataset.sort = name;
    cell.append(sort);
    line.append(cell);
  }
  $("people").tHead.replaceChildren(line);
  if (held) line.querySelector(`[data-sort="${held}"]`)?.focus();
}

// ---- the rows ------------------------------------------------------------------------------------------------

function newLine() {
  const node = make("tr");
  const head = make("th", "", "agent");
  head.scope = "row";
  const name = button("", () => opener(name.textContent));
  name.className = "row";
  name.setAttribute("aria-haspopup", "dialog");
  name.addEventListener("focus", () => { focus = name.textContent; });
  head.append(name);
  const cells = NAMES.slice(1).map((column) => make("td", "", column));
  cells[NAMES.indexOf("limit") - 1].classList.add("state");
  cells[NAMES.indexOf("doing") - 1].classList.add("doing");
  node.append(head, ...cells);
  return { node, name, cells };
}

function fill({ node, name, cells }, row, n) {
  const [state] = words.limit(row);
  put(name, row.agent);
  name.tabIndex = row.agent === focus ? 0 : -1;
  mark(node, state);
  node.setAttribute("aria-rowindex", String(n + 2));
  NAMES.slice(1).forEach((column, at) => {
    const text = COLUMNS[column][0](row);
    put(cells[at], text);
    if (column === "doing") cells[at].dataset.doing = row.doing;
    if (column === "limit") mark(cells[at], text ? state : "");
    if (cells[at].title !== text) cells[at].title = text;
  });
}

// The rows in view, from the first to the last; the others are as high as they would be.
export function draw() {
  const box = $("rows");
  const high = rowHeight();
  const head = $("people").tHead.offsetHeight;
  const fits = Math.ceil(box.clientHeight / high) + 2 * BEYOND;
  from = Math.max(0, Math.min(order.length - fits, Math.floor((box.scrollTop - head) / high) - BEYOND));
  const seen = order.slice(from, from + fits);
  while (lines.length < seen.length) lines.push(newLine());
  for (const line of lines.splice(seen.length)) line.node.remove();
  if (!order.some((row) => row.agent === focus)) focus = order[0]?.agent ?? "";
  const held = isHeld() ? document.activeElement.textContent : "";
  seen.forEach((row, n) => fill(lines[n], row, from + n));
  const body = $("people").tBodies[0];
  if (body.rows.length !== seen.length + 2) body.replaceChildren($("above"), ...lines.map((line) => line.node), $("below"));
  $("above").style.height = `${from * high}px`;
  $("below").style.height = `${(order.length - from - seen.length) * high}px`;
  $("people").setAttribute("aria-rowcount", String(order.length + 1));
  // A row that is scrolled away takes no keys to another one's details.
  const found = held && lines.find((line) => line.name.textContent === held);
  if (held && found) found.name.focus({ preventScroll: true });
  else if (held) box.focus({ preventScroll: true });
}

const rowHeight = () => parseFloat(getComputedStyle($("people")).getPropertyValue("--row"));

export function show(rows) {
  order = rows;
  draw();
}

export const shown = () => order;

// Whatever the reason: a row that is not on the page yet can be reached.
function go(to) {
  const n = Math.max(0, Math.min(order.length - 1, to));
  if (!order[n]) return;
  const [box, high] = [$("rows"), rowHeight()];
  const head = $("people").tHead.offsetHeight;
  if (n * high < box.scrollTop) box.scrollTop = n * high;
  else if ((n + 1) * high + head > box.scrollTop + box.clientHeight) box.scrollTop = (n + 1) * high + head - box.clientHeight;
  focus = order[n].agent;
  draw();
  lines.find((line) => line.name.textContent === focus)?.name.focus({ preventScroll: true });
}

export function follow(open) {
  opener = open;
  const page = () => Math.max(1, Math.floor($("rows").clientHeight / rowHeight()) - 2);
  $("rows").addEventListener("scroll", () => requestAnimationFrame(draw), { passive: true });
  new ResizeObserver(draw).observe($("rows"));
  $("people").addEventListener("keydown", (event) => {
    if (!event.target.matches(".row")) return;
    const at = order.findIndex((row) => row.agent === event.target.textContent);
    const to = {
      ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page(), PageUp: at - page(), Home: 0, End: order.length - 1,
    }[event.key];
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    go(to);
  });
}

// How many of the rows do what, and how many are over their limit.
export function summary() {
  const count = Object.fromEntries(RANK.map((name) => [name, 0]));
  let over = 0;
  for (const row of order) {
    count[row.doing] += 1;
    over += words.limit(row)[0] === "off";
  }
  const parts = RANK.filter((name) => count[name]).map((name) => `${num(count[name])} ${t(`doing.${name}`)}`);
  return [t("people.counts", { n: order.length }), ...parts, over ? t("people.over", { n: over }) : ""].filter(Boolean).join(" · ");
}
