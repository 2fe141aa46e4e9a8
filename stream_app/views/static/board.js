// The tiles: which there are, in what order, and where.

import * as chips from "./chips.js";
import { data, gone, kpiOf, kpisOf, kpisOfAll, restOf, rows, stateOf, trends, worst } from "./data.js";
import * as dialog from "./dialog.js";
import { $, mark, put } from "./dom.js";
import * as lists from "./lists.js";
import { label } from "./numbers.js";
import * as table from "./table.js";
import { DENSE, drawCard, drawEveryone, drawStaff, mostCommon, newCard } from "./tiles.js";
import * as tv from "./tv.js";
import { isFiltered, isTable, isTv, isWanted, listsWanted, windowName, wish } from "./wish.js";
import { t } from "./words.js";

const REORDER_MS = 3000; // tiles that jump can't be read

const cards = new Map(); // "queue\nchannel" → what is on the page
const dirty = new Set();
let usual = ""; // the policy that most queues have
let order = []; // keys of the wanted queues, as shown
let pages = [];
let orderedAt = -Infinity;

export const place = () => tv.place(pages, order.length);
export const turnBy = (by) => tv.step(pages, by);
export const turn = () => tv.turn(pages);
export const isDue = (now) => now - orderedAt > REORDER_MS;
// The queues on show that are off target.
export const off = () => order.filter((key) => rows.has(key) && stateOf(rows.get(key), wish.window) === "off");

export function touch(keys) {
  for (const key of keys) dirty.add(key);
}

export function touchAll() {
  touch(rows.keys());
  orderedAt = -Infinity;
}

export function forget() {
  for (const card of cards.values()) card.node.remove();
  cards.clear();
  table.forget();
}

// Once a second: for how long agents have done what they do.
export function passTime() {
  for (const [key, card] of cards) if (!card.node.hidden && rows.has(key)) drawStaff(card, rows.get(key));
  table.passTime();
}

export function age(how, old) {
  for (const card of cards.values()) if (!card.node.hidden) [how, old, ""].forEach((part, n) => put(card.old[n], part));
}

// `held` says whether somebody is using a part of the page; `open` opens a row's details.
export function draw(held, open, changed) {
  const common = mostCommon([...rows.values()].map((row) => row.policy));
  if (common !== usual) touch(rows.keys());
  usual = common;
  arrange(performance.now(), held);
  const isRows = isTable();
  $("queues").hidden = isRows;
  $("table").hidden = !isRows || !order.length;
  if (isRows) table.draw(order, dirty, open, changed);
  else for (const key of [...dirty]) drawTile(key, open);
  if (!isRows) settle();
  dirty.clear();
  layOut();
  drawSummary();
  for (const which of lists.WHICH) lists.draw(which, isTv() ? tv.listFits() : undefined);
  $("nothing").hidden = order.length > 0;
  if (!order.length) chips.drawNothing([...rows.values()], data.read, changed);
}

function drawTile(key, open) {
  const row = rows.get(key);
  let card = cards.get(key);
  if (!row) return;
  const kpis = kpisOf(row);
  if (card && kpis.some((kpi, n) => kpi !== card.kpis[n])) {
    card.node.remove(); // it has other numbers now
    card = null;
  }
  if (!card) {
    card = newCard(row, kpis, restOf(row), () => open(key));
    cards.set(key, card);
    $("queues").append(card.node);
  }
  drawCard(card, row, data.carried, wish.window, { lines: trends.get(key), from: data.from, gone: gone(), usual });
}

function arrange(now, held) {
  const there = [...rows.keys()].filter((key) => isWanted(rows.get(key)));
  const known = new Set(order);
  const same = there.length === order.length && there.every((key) => known.has(key));
  // What somebody is using stays where it is; on a wall the focus may have been left there by someone who is gone.
  if (order.length && orderedAt > 0 && ((same && now - orderedAt < REORDER_MS) || held($("board")))) {
    order = order.filter((key) => rows.has(key));
    return;
  }
  orderedAt = now;
  order = there.sort(wish.order === "worst" ? worst(wish.window) : (a, b) => (a < b ? -1 : 1));
}

// The tiles in their order, those that are not wanted behind them.
function settle() {
  for (const [key, card] of cards) {
    if (rows.has(key)) continue;
    card.node.remove();
    cards.delete(key);
  }
  const wanted = order.filter((key) => cards.has(key));
  const there = new Set(wanted);
  const nodes = [...wanted, ...[...cards.keys()].filter((key) => !there.has(key))].map((key) => cards.get(key).node);
  if (nodes.some((node, n) => $("queues").children[n] !== node)) $("queues").append(...nodes);
}

function layOut() {
  const board = $("board");
  const main = $("main");
  $("everyone").hidden = !order.length || isTable();
  const strip = isTv() && !$("everyone").hidden ? $("everyone").offsetHeight + 4 : 0;
  const layout = isTv() ? tv.plan(order.length, main.clientWidth - 24, main.clientHeight - 16 - strip) : null;
  const isOff = order.map((key) => rows.has(key) && stateOf(rows.get(key), wish.window) === "off");
  pages = layout ? tv.pagesOf(order.length, layout, { risk: lists.size("risk"), ring: lists.size("ring") }, isOff) : [];
  const at = layout ? tv.current(pages) : null;
  if (layout) tv.lay(layout);
  else delete board.dataset.layout;
  const dense = data.kpis.filter((kpi) => DENSE.includes(kpi.name));
  const all = order.map((key) => rows.get(key)).filter(Boolean);
  const headed = kpisOfAll(all) === data.kpis ? (kpi) => kpi : (kpi) => kpiOf(kpi.name, all[0]) ?? kpi;
  tv.heads(layout ?? { kind: "desk" }, dense.map((kpi) => label(headed(kpi), "", true)));
  const focused = document.activeElement;
  const there = new Set(at ? order.slice(at.from ?? 0, at.to ?? 0) : order);
  for (const [key, card] of cards) if (card.node.hidden === there.has(key)) card.node.hidden = !there.has(key);
  board.hidden = at !== null && at.kind !== "queues";
  for (const which of lists.WHICH) $(which).hidden = at ? at.kind !== which : !listsWanted();
  $("jump").hidden = at !== null || !listsWanted() || !order.length;
  main.toggleAttribute("data-wide", !listsWanted());
  // Keyboard navigation continues from the new page, not from the top.
  if (main.contains(focused) && !focused.checkVisibility() && !dialog.isOpen()) main.focus({ preventScroll: true });
}

// Draws how many are in which state; returns it in words.
function drawSummary() {
  const seen = order.map((key) => rows.get(key)).filter(Boolean);
  const box = $("everyone");
  if (!box.hidden) drawEveryone(box, seen, kpisOfAll(seen), wish.window, isFiltered() ? {} : data.everyone, kpiOf);
  put($("everyone-name"), isFiltered() ? chips.inWords() : t("all_queues"));
  const count = {};
  for (const row of seen) count[stateOf(row, wish.window)] = (count[stateOf(row, wish.window)] ?? 0) + 1;
  const [off, near] = [count.off ?? 0, count.near ?? 0];
  const filtered = isFiltered() ? [chips.inWords()] : [];
  const counted = isTv() && order.length ? [place(), t("sum.off", { n: off })] : []; // nothing on show is not nothing off target
  put($("place"), isTv() ? [...filtered, windowName(), ...counted].join(" · ") : windowName());
  const names = new Set(seen.map((row) => row.queue)).size;
  const queues = names === seen.length ? t("sum.queues", { n: names }) : t("sum.places", { n: names, places: seen.length });
  const closed = (count.closed ?? 0) + (count.closed_waiting ?? 0);
  const more = ["recovering", "too_good", "few"].map((name) => count[name] && t(`sum.${name}`, { n: count[name] }));
  more.push(closed && t("sum.closed", { n: closed }));
  put($("summary"), `${queues}: ${[t("sum.off", { n: off }), t("sum.near", { n: near }), ...more].filter(Boolean).join(", ")}`);
  mark(box, off ? "off" : "none");
}
