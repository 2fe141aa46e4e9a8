// The wallboard: what comes in, what is drawn when, how fresh it is, and what people do to it.

import * as explain from "./explain.js";
import { ask, listen, silence } from "./feed.js";
import * as lists from "./lists.js";
import { RANK, SHORT, ago } from "./numbers.js";
import { $, DENSE, drawCard, drawEveryone, drawTrends, firstStep, inOrder, make, mark, newCard, put } from "./tiles.js";
import * as tv from "./tv.js";
import { WINDOWS, isFiltered, isWanted, recall, remember, wish } from "./wish.js";

const SILENT_MS = 3500; // a heartbeat comes every second
const REORDER_MS = 3000; // tiles that jump can't be read
const LISTS_MS = 5000;
const TREND_MS = 30000;
const GONE_MS = 60000; // nobody touched anything for so long: nobody is there
const SAY_MS = 60000; // between two counts that are read out

const rows = new Map(); // "queue\nchannel" → row
const cards = new Map(); // the same → what is on the page
const trends = new Map(); // the same → KPI → line
const dirty = new Set();
let trendFrom = 0;
let order = []; // keys of what is wanted, as shown
let pages = [];
let kpis = [];
let all = [];
let everyone = {};
let beat = null;
let drawing = false;
let orderedAt = -Infinity;
let saidAt = -Infinity;
let touchedAt = -Infinity;
let fresh = "";

const keyOf = (row) => `${row.queue}\n${row.channel}`;
// A contact of a queue that has no row can only be told by what it says itself.
const isSeen = (one) => isWanted(rows.get(keyOf(one)) ?? { site: null, unit: null, ...one });

// ---- drawing -------------------------------------------------------------------------------------------------

function redrawCard(key) {
  const row = rows.get(key);
  let card = cards.get(key);
  if (!row) {
    card?.node.remove();
    cards.delete(key);
    return;
  }
  if (!card) {
    card = newCard(row, kpis, () => explain.details(rows.get(key), kpis, all));
    cards.set(key, card);
    $("queues").append(card.node);
    drawTrends(card, kpis, trends.get(key), trendFrom);
    orderedAt = -Infinity;
  }
  drawCard(card, row, kpis, wish.window);
}

function arrange(now) {
  // What somebody has at hand stays where it is; on a wall the focus may have been left there by someone who is gone.
  const held = $("queues").contains(document.activeElement) && now - touchedAt < GONE_MS;
  if (order.length && (now - orderedAt < REORDER_MS || (held && orderedAt > 0))) return;
  orderedAt = now;
  const byName = (a, b) => (a < b ? -1 : 1);
  const worst = (a, b) => {
    const [x, y] = [cards.get(a), cards.get(b)];
    return RANK[x.state] - RANK[y.state] || y.missed - x.missed || byName(a, b);
  };
  order = [...cards.keys()].filter((key) => isWanted(rows.get(key))).sort(wish.order === "worst" ? worst : byName);
  const unwanted = [...cards.keys()].filter((key) => !order.includes(key));
  const nodes = [...order, ...unwanted].map((key) => cards.get(key).node);
  if (nodes.some((node, n) => $("queues").children[n] !== node)) $("queues").append(...nodes);
}

function layOut() {
  const board = $("board");
  const main = $("main");
  const layout = tv.isTv() ? tv.plan(order.length, main.clientWidth - 24, main.clientHeight - 16) : null;
  pages = layout ? tv.pagesOf(order.length, layout, { risk: lists.size("risk", isSeen), ring: lists.size("ring", isSeen) }) : [];
  const at = layout ? tv.current(pages) : null;
  if (layout) tv.lay(layout);
  else delete board.dataset.layout;
  tv.heads(layout ?? { kind: "desk" }, kpis.filter((kpi) => DENSE.includes(kpi.name)).map((kpi) => SHORT[kpi.name] ?? kpi.title));
  const from = at?.kind === "queues" ? at.from : 0;
  const to = at ? at.to ?? 0 : Infinity;
  const there = new Set(order.slice(from, to));
  for (const [key, card] of cards) if (card.node.hidden === there.has(key)) card.node.hidden = !there.has(key);
  board.hidden = at !== null && at.kind !== "queues";
  for (const which of ["risk", "ring"]) $(which).hidden = at !== null && at.kind !== which;
}

function drawSummary() {
  const seen = order.map((key) => rows.get(key)).filter(Boolean);
  const box = $("everyone");
  box.hidden = seen.length === 0 || tv.isTv();
  if (!box.hidden) drawEveryone(box, seen, kpis, wish.window, isFiltered() ? {} : everyone);
  const count = { missed: 0, near: 0, odd: 0 };
  for (const key of order) if (cards.get(key)?.state in count) count[cards.get(key).state] += 1;
  put($("place"), tv.isTv() ? `${WINDOWS[wish.window]} · ${tv.place(pages, order.length)} · ${count.missed} missed` : "");
  const queues = `${seen.length} ${seen.length === 1 ? "queue" : "queues"}`;
  const text = `${queues}: ${count.missed} missed, ${count.near} just off${count.odd ? `, ${count.odd} too good` : ""}`;
  if ($("summary").textContent !== text) {
    put($("summary"), text);
    if (performance.now() - saidAt > SAY_MS && fresh === "live") say(text);
  }
}

function draw() {
  drawing = false;
  for (const key of dirty) redrawCard(key);
  dirty.clear();
  arrange(performance.now());
  order = order.filter((key) => cards.has(key));
  layOut();
  drawSummary();
  for (const which of ["risk", "ring"]) lists.draw(which, isSeen, tv.isTv() ? tv.listFits() : undefined);
  $("nothing").hidden = order.length > 0;
  put($("nothing"), rows.size ? "No queue is called so, or is in what was chosen." : "No contact has come yet.");
}

function soon() {
  if (drawing || !kpis.length) return;
  drawing = true;
  requestAnimationFrame(draw);
}

function redraw() {
  for (const key of rows.keys()) dirty.add(key);
  orderedAt = -Infinity;
  soon();
}

function say(text) {
  saidAt = performance.now();
  put($("said"), text);
}

// ---- how fresh -----------------------------------------------------------------------------------------------

function tick() {
  const silent = silence();
  const age = beat?.age_s === null || beat?.age_s === undefined ? null : beat.age_s + silent / 1000;
  let state = "live";
  let text = age === null ? "Live" : `Live · ${age.toFixed(1)} s old`;
  let how = "";
  const old = age === null ? "age unknown" : ago(age);
  let alarm = "";
  if (!beat || silent > SILENT_MS) {
    state = "lost";
    text = beat ? `No connection for ${Math.round(silent / 1000)} s` : "No connection";
    how = "stands still · ";
    alarm = "Connection lost: these numbers stand still. Trying again…";
  } else if (beat.stale || (age !== null && age > beat.max_age_s)) {
    state = "stale";
    text = age === null ? "Stale, age unknown" : `Stale · ${Math.round(age)} s old`;
    how = "stale · ";
    const late = `they are older than ${beat.max_age_s} s`;
    const reason = beat.reasons[0];
    alarm = `Don't rely on these numbers: ${!reason || reason.startsWith("the data is") ? late : reason}.`;
  }
  if (!beat && performance.now() < SILENT_MS) [text, alarm] = ["Connecting…", ""];
  mark($("age"), state);
  put($("age-text"), text);
  document.body.classList.toggle("stale", alarm !== "");
  $("alarm").hidden = alarm === "";
  put($("alarm"), alarm);
  const parts = [how, old, age === null ? "" : " old"];
  for (const card of cards.values()) if (!card.node.hidden) parts.forEach((part, n) => put(card.old[n], part));
  document.title = `${state === "live" ? "" : "⚠ "}Live contact centre`;
  if (fresh && fresh !== state && text !== "Connecting…") say(alarm || "The numbers are live again.");
  fresh = state;
  if (tv.isTv() && !explain.isOpen() && tv.turn(pages)) soon();
  else if (performance.now() - orderedAt > REORDER_MS) soon();
}

// ---- what comes in -------------------------------------------------------------------------------------------

function take(kind, data) {
  beat = { reasons: [], max_age_s: Infinity, ...beat, at: data.at, age_s: data.age_s, stale: data.stale };
  if (kind === "beat") {
    Object.assign(beat, data);
    return tick();
  }
  if (kind === "snapshot") {
    for (const key of rows.keys()) dirty.add(key);
    rows.clear();
    everyone = {};
  }
  for (const row of data.rows) {
    rows.set(keyOf(row), row);
    dirty.add(keyOf(row));
  }
  everyone = { ...everyone, ...data.everyone };
  soon();
  tick();
}

function takeTrend(data) {
  trends.clear();
  for (const row of data.rows) trends.set(keyOf(row), row.kpis);
  trendFrom = firstStep(trends.values(), kpis);
  for (const [key, card] of cards) drawTrends(card, kpis, trends.get(key), trendFrom);
}

// ---- what people do ------------------------------------------------------------------------------------------

function changed() {
  remember();
  tv.dress();
  redraw();
}

function show() {
  recall();
  for (const input of document.querySelectorAll("input[name=window]")) input.checked = input.value === wish.window;
  $("order").value = wish.order;
  $("filter").value = wish.filter;
  tv.dress();
  redraw();
}

const actions = {
  f: tv.fullScreen,
  t: () => { tv.nextTheme(); changed(); },
  v: () => { wish.view = tv.isTv() ? "desk" : "tv"; changed(); },
  "?": () => explain.help(remember),
  " ": () => { wish.paused = wish.paused === "yes" ? "no" : "yes"; changed(); say(wish.paused === "yes" ? "Paused" : "Turning"); },
  ArrowLeft: () => turnBy(-1),
  ArrowRight: () => turnBy(1),
};
const ONLY_TV = [" ", "ArrowLeft", "ArrowRight"];

function turnBy(by) {
  tv.step(pages, by);
  soon();
  say(tv.place(pages, order.length));
}

for (const kind of ["keydown", "pointerdown"]) addEventListener(kind, () => { touchedAt = performance.now(); }, true);
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || explain.isOpen() || wish.keys === "off") return;
  if (event.target.closest("input, select, textarea") || (event.key === " " && event.target.closest("button, a"))) return;
  if (!(event.key in actions) || (ONLY_TV.includes(event.key) && !tv.isTv())) return;
  event.preventDefault();
  actions[event.key]();
});
for (const [id, key] of Object.entries({ full: "f", theme: "t", view: "v", "help-open": "?", pause: " ", back: "ArrowLeft", next: "ArrowRight" })) {
  $(id).addEventListener("click", actions[key]);
}
for (const [value, name] of Object.entries(WINDOWS)) {
  const label = make("label");
  const input = make("input");
  Object.assign(input, { type: "radio", name: "window", value });
  input.addEventListener("change", () => { wish.window = value; changed(); });
  label.append(input, name);
  $("window").append(label);
}
$("order").addEventListener("change", (event) => { wish.order = event.target.value; changed(); });
$("filter").addEventListener("input", (event) => { wish.filter = event.target.value; changed(); });
$("choose").addEventListener("click", () => explain.filters([...rows.values()], changed));
$("dictionary").addEventListener("click", () => explain.dictionary(kpis, all));
$("controls").addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", show);
new ResizeObserver(soon).observe($("main"));

show();
ask("/v1/kpis", (said) => { all = said; kpis = inOrder(said.filter((kpi) => kpi.headline)); redraw(); });
listen(take);
ask("/v1/trend", takeTrend, TREND_MS);
ask("/v1/at-risk", (said) => { lists.take("risk", said); soon(); }, LISTS_MS);
ask("/v1/abandoned", (said) => { lists.take("ring", said); soon(); }, LISTS_MS);
setInterval(tick, 250);
