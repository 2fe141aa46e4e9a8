// The wallboard: what comes in, what is drawn when, how fresh it is, and what people do to it.

import * as details from "./details.js";
import * as dialog from "./dialog.js";
import { $, make, mark, put } from "./dom.js";
import * as explain from "./explain.js";
import { ask, listen, silence } from "./feed.js";
import { judged } from "./fresh.js";
import * as lists from "./lists.js";
import { SHORT } from "./numbers.js";
import { DENSE, drawCard, drawEveryone, firstStep, inOrder, mostCommon, newCard, worst } from "./tiles.js";
import * as tv from "./tv.js";
import { WINDOWS, isFiltered, isWanted, recall, remember, wish } from "./wish.js";

const REORDER_MS = 3000; // tiles that jump can't be read
const TREND_MS = 30000;
const QUARTER_MS = 900000;
const NOTICE_MS = 20000;
const GONE_MS = 60000; // nobody touched anything for so long: nobody is there
const SAY_MS = 60000; // between two counts that are read out

const rows = new Map(); // "queue\nchannel" → row
const cards = new Map(); // the same → what is on the page
const trends = new Map(); // the same → KPI → line
const dirty = new Set();
let trendFrom = 0;
let quarterAt = NaN; // when the running quarter of the trends began
let usual = ""; // the policy that most queues have
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
let noticedAt = -Infinity;
let fresh = "";

const keyOf = (row) => `${row.queue}\n${row.channel}`;
const isAway = () => performance.now() - touchedAt > GONE_MS;
// Somebody is at something on one of the pages: it stays where it is.
const isHeld = (node) => node !== document.activeElement && node.contains(document.activeElement) && !isAway();

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
    card = newCard(row, kpis, () => explain.details(() => rows.get(key), kpis, all));
    cards.set(key, card);
    $("queues").append(card.node);
    orderedAt = -Infinity;
  }
  const gone = Math.min(1, Math.max(0, (Date.parse(beat?.at) - quarterAt) / QUARTER_MS)) || 0;
  drawCard(card, row, kpis, wish.window, { lines: trends.get(key), from: trendFrom, gone, usual });
}

function arrange(now) {
  // What somebody has at hand stays where it is; on a wall the focus may have been left there by someone who is gone.
  const held = isHeld($("queues"));
  if (order.length && (now - orderedAt < REORDER_MS || (held && orderedAt > 0))) return;
  orderedAt = now;
  const byName = (a, b) => (a < b ? -1 : 1);
  const byState = (a, b) => worst([cards.get(a), a], [cards.get(b), b]);
  order = [...cards.keys()].filter((key) => isWanted(rows.get(key))).sort(wish.order === "worst" ? byState : byName);
  const unwanted = [...cards.keys()].filter((key) => !order.includes(key));
  const nodes = [...order, ...unwanted].map((key) => cards.get(key).node);
  if (nodes.some((node, n) => $("queues").children[n] !== node)) $("queues").append(...nodes);
}

function layOut() {
  const board = $("board");
  const main = $("main");
  const layout = tv.isTv() ? tv.plan(order.length, main.clientWidth - 24, main.clientHeight - 16) : null;
  pages = layout ? tv.pagesOf(order.length, layout, { risk: lists.size("risk"), ring: lists.size("ring") }) : [];
  const at = layout ? tv.current(pages) : null;
  if (layout) tv.lay(layout);
  else delete board.dataset.layout;
  tv.heads(layout ?? { kind: "desk" }, kpis.filter((kpi) => DENSE.includes(kpi.name)).map((kpi) => SHORT[kpi.name] ?? kpi.title));
  const focused = document.activeElement;
  const from = at?.kind === "queues" ? at.from : 0;
  const to = at ? at.to ?? 0 : Infinity;
  const there = new Set(order.slice(from, to));
  for (const [key, card] of cards) if (card.node.hidden === there.has(key)) card.node.hidden = !there.has(key);
  board.hidden = at !== null && at.kind !== "queues";
  for (const which of lists.WHICH) $(which).hidden = at !== null && at.kind !== which;
  // Keys go on from the new page, not from the top.
  if (main.contains(focused) && !focused.checkVisibility() && !dialog.isOpen()) main.focus({ preventScroll: true });
}

function drawSummary() {
  const seen = order.map((key) => rows.get(key)).filter(Boolean);
  const box = $("everyone");
  box.hidden = seen.length === 0 || tv.isTv();
  if (!box.hidden) drawEveryone(box, seen, kpis, wish.window, isFiltered() ? {} : everyone);
  const count = { missed: 0, near: 0, odd: 0, closed: 0 };
  for (const key of order) if (cards.get(key)?.state in count) count[cards.get(key).state] += 1;
  put($("place"), tv.isTv() ? `${WINDOWS[wish.window]} · ${tv.place(pages, order.length)} · ${count.missed} missed` : "");
  const queues = `${seen.length} ${seen.length === 1 ? "queue" : "queues"}`;
  const more = [count.odd && `${count.odd} too low or too high`, count.closed && `${count.closed} closed`].filter(Boolean);
  const text = [`${queues}: ${count.missed} missed`, `${count.near} just off`, ...more].join(", ");
  if ($("summary").textContent !== text) {
    put($("summary"), text);
    if (performance.now() - saidAt > SAY_MS && fresh === "live") say(text);
  }
}

function draw() {
  drawing = false;
  const common = mostCommon([...rows.values()].map((row) => row.policy));
  if (common !== usual) for (const key of rows.keys()) dirty.add(key);
  usual = common;
  for (const key of dirty) redrawCard(key);
  dirty.clear();
  arrange(performance.now());
  order = order.filter((key) => cards.has(key));
  layOut();
  drawSummary();
  for (const which of lists.WHICH) lists.draw(which, tv.isTv() ? tv.listFits() : undefined);
  details.redraw();
  $("nothing").hidden = order.length > 0;
  put($("nothing"), rows.size ? "No queue matches." : "No contact has come yet.");
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

// For eyes as well, until somebody does something or has had time to read it.
function notice(text) {
  noticedAt = performance.now();
  put($("notice"), text);
  $("notice").hidden = false;
  say(text);
}

function say(text) {
  saidAt = performance.now();
  put($("said"), text);
}

// ---- how fresh -----------------------------------------------------------------------------------------------

function tick() {
  const now = performance.now();
  const { state, text, how, old, tail, alarm } = judged(beat, silence());
  mark($("age"), state);
  put($("age-text"), text);
  document.body.classList.toggle("stale", alarm !== "");
  $("alarm").hidden = alarm === "";
  put($("alarm"), alarm);
  for (const card of cards.values()) if (!card.node.hidden) [how, old, tail].forEach((part, n) => put(card.old[n], part));
  details.redraw({ how, old, tail });
  document.title = `${state === "live" ? "" : "⚠ "}Live contact centre`;
  if (fresh && fresh !== state && text !== "Connecting…") say(alarm || "The numbers are live again.");
  fresh = state;
  tv.clock(now - Math.max(0, touchedAt));
  if (now - noticedAt > NOTICE_MS) $("notice").hidden = true;
  // Nobody is there who reads it, and a screen on a wall has more to show.
  if (tv.isTv() && dialog.isOpen() && isAway()) dialog.close();
  if (tv.isTv() && !dialog.isOpen() && !isHeld($("main")) && tv.turn(pages)) soon();
  else if (now - orderedAt > REORDER_MS) soon();
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
  quarterAt = Date.parse(data.starts.at(-1));
  for (const key of rows.keys()) dirty.add(key);
  soon();
}

// ---- what people do ------------------------------------------------------------------------------------------

function changed() {
  remember();
  tv.dress();
  lists.askAnew();
  redraw();
}

function show() {
  const wrong = recall();
  if (wrong.length) {
    remember();
    notice(`Not understood in the address, and corrected: ${wrong.map((one) => one.slice(0, 60)).join(", ")}.`);
  }
  for (const input of document.querySelectorAll("input[name=window]")) input.checked = input.value === wish.window;
  $("order").value = wish.order;
  $("filter").value = wish.filter;
  tv.dress();
  lists.askAnew();
  redraw();
}

const actions = {
  f: tv.fullScreen,
  t: () => { tv.nextTheme(); changed(); },
  v: () => { wish.view = tv.isTv() ? "desk" : "tv"; changed(); },
  "?": () => explain.help(remember, kpis, all),
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

function touched() {
  touchedAt = performance.now();
  tv.clock(0);
}

for (const kind of ["keydown", "pointerdown", "pointermove", "wheel"]) addEventListener(kind, touched, { capture: true, passive: true });
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || dialog.isOpen() || wish.keys === "off") return;
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
$("short").addEventListener("change", (event) => { wish.short = event.target.checked ? "hide" : "show"; changed(); });
for (const which of lists.WHICH) $(which).querySelector(".rest").addEventListener("click", () => lists.openWhole(which));
$("fold").addEventListener("click", () => {
  $("fold").setAttribute("aria-expanded", String($("top").toggleAttribute("data-open")));
});
// The address behind the # says what is shown: a place on the page does not go there.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  $("main").focus();
});
addEventListener("hashchange", show);
new ResizeObserver(soon).observe($("main"));

show();
ask(() => "/v1/kpis", (said) => { all = said; kpis = inOrder(said.filter((kpi) => kpi.headline)); redraw(); });
listen(take);
ask(() => "/v1/trend", takeTrend, TREND_MS);
lists.follow(soon);
setInterval(tick, 250);
