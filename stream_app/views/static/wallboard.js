// The wallboard: incoming data, what is drawn when, how fresh it is, and user input.

import * as board from "./board.js";
import * as chips from "./chips.js";
import { data, kpisOf, restOf, rows, take, takeKpis, takeTrend } from "./data.js";
import * as details from "./details.js";
import * as dialog from "./dialog.js";
import { $, make, mark, put } from "./dom.js";
import * as explain from "./explain.js";
import { ask, listen, resettle, silence } from "./feed.js";
import { judged } from "./fresh.js";
import * as lists from "./lists.js";
import * as sound from "./sound.js";
import { isColumn } from "./table.js";
import * as tv from "./tv.js";
import * as why from "./why.js";
import { WINDOWS, isFiltered, isTable, isTv, recall, remember, windowName, wish } from "./wish.js";
import { LANGUAGES, speak, t, translate } from "./words.js";

const TREND_MS = 30000;
const NOTICE_MS = 20000;
const GONE_MS = 60000; // after so long without input nobody is assumed to be there
const SAY_MS = 60000; // between two summaries for screen readers

let drawing = false;
let saidAt = -Infinity;
let touchedAt = -Infinity;
let noticedAt = -Infinity;
let summary = "";
let fresh = "";
let alarmed = false; // that the numbers can't be relied on was said

const isAway = () => performance.now() - touchedAt > GONE_MS;
// Somebody is using something on one of the pages: it stays where it is.
const isHeld = (node) => node !== document.activeElement && node.contains(document.activeElement) && !isAway();

// ---- drawing -------------------------------------------------------------------------------------------------

const open = (key) => explain.details(() => rows.get(key), [...kpisOf(rows.get(key)), ...restOf(rows.get(key))], data.all);

function draw() {
  drawing = false;
  board.draw(isHeld, open, changed);
  chips.draw(changed);
  const off = board.off();
  sound.follow(off);
  titled(off.length);
  if ($("summary").textContent !== summary) {
    summary = $("summary").textContent;
    if (performance.now() - saidAt > SAY_MS && fresh === "live") say(summary);
  }
  details.redraw();
  if (wish.why.length && !dialog.isOpen() && why.isShown()) why.openAsked(data.all);
  // An address that names a queue opens its details, as soon as it is there.
  if (wish.details.length && !dialog.isOpen() && !details.isOpen() && rows.has(wish.details.join("\n"))) open(wish.details.join("\n"));
}

function soon() {
  if (drawing || !data.kpis.length) return;
  drawing = true;
  requestAnimationFrame(draw);
}

function redraw() {
  board.touchAll();
  soon();
}

// In the tab's title: whether to look, and at what.
function titled(off) {
  const parts = [off && fresh === "live" ? t("sum.off", { n: off }) : "", isFiltered() ? chips.inWords() : "", t("title")];
  document.title = (fresh === "live" ? "" : "⚠ ") + parts.filter(Boolean).join(" · ");
}

// Visible as well, until somebody does something or has had time to read it.
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
  const { state, text, how, old, alarm, stopped } = judged(data.beat, silence());
  const turned = fresh !== state;
  mark($("age"), state);
  put($("age-text"), text);
  document.body.classList.toggle("stale", alarm !== "");
  $("alarm").hidden = alarm === "";
  put($("alarm"), alarm);
  board.age(how, old);
  lists.trust(alarm && (stopped ? t("unknown.since", { time: stopped }) : t("unknown")));
  details.redraw({ how, old });
  if (turned && (alarm || alarmed)) say(alarm || t("live.again"));
  alarmed = alarm !== "" || (alarmed && state !== "live");
  fresh = state;
  if (turned) {
    titled(board.off().length);
    soon();
  }
  tv.clock(now - Math.max(0, touchedAt));
  if (now - noticedAt > NOTICE_MS) $("notice").hidden = true;
  // Nobody is there to read it, and a screen on a wall has more to show.
  if (isTv() && dialog.isOpen() && isAway()) dialog.close();
  if (isTv() && !dialog.isOpen() && !isHeld($("main")) && board.turn()) soon();
  else if (board.isDue(now)) soon();
}

// ---- input ---------------------------------------------------------------------------------------------------

function changed() {
  remember();
  dress();
  lists.askAnew();
  redraw();
}

function dress() {
  tv.dress();
  sound.draw();
  for (const input of document.querySelectorAll("input[name=window]")) input.checked = input.value === wish.window;
  $("order").value = wish.order;
  $("group").value = wish.group;
  $("rows").setAttribute("aria-pressed", String(isTable()));
  for (const control of [$("group")]) control.closest("label").hidden = !isTable();
  $("order").closest("label").hidden = isTable();
  put($("fold"), `${windowName()} · ${t("fold")}`);
  if ($("filter").value.trim() !== wish.filter.trim()) $("filter").value = wish.filter;
}

async function show() {
  const wrong = recall();
  if (!isColumn(wish.sort)) {
    wrong.push(`sort=${wish.sort}`);
    wish.sort = "";
  }
  if (await speak(wish.lang)) speakAll();
  if (wrong.length) {
    remember();
    notice(t("ignored", { what: wrong.map((one) => one.slice(0, 60)).join(", ") }));
  }
  if (!wish.details.length && details.isOpen()) dialog.close();
  dress();
  lists.askAnew();
  redraw();
}

// The page's own words, once it is known in which language.
function speakAll() {
  translate(document);
  for (const [n, input] of [...document.querySelectorAll("input[name=window]")].entries()) put(input.nextSibling, windowName(WINDOWS[n]));
  $("lang").value = wish.lang;
  board.forget();
  delete $("everyone").kpis;
}

const actions = {
  f: tv.fullScreen,
  t: () => { tv.nextTheme(); changed(); },
  v: () => { wish.view = isTv() ? "desk" : "tv"; changed(); },
  r: () => { wish.view = isTable() ? "desk" : "table"; changed(); },
  "?": () => explain.help(remember, data.kpis, data.all),
  " ": () => { wish.paused = wish.paused === "yes" ? "no" : "yes"; changed(); say(t(wish.paused === "yes" ? "paused" : "resumed")); },
  ArrowLeft: () => turnBy(-1),
  ArrowRight: () => turnBy(1),
};
const ONLY_TV = [" ", "ArrowLeft", "ArrowRight"];

function turnBy(by) {
  board.turnBy(by);
  soon();
  say(board.place());
}

function touched() {
  touchedAt = performance.now();
  tv.clock(0);
  sound.allow();
}

for (const kind of ["keydown", "pointerdown", "pointermove", "wheel"]) addEventListener(kind, touched, { capture: true, passive: true });
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || dialog.isOpen() || wish.keys === "off") return;
  if (event.target.closest("input, select, textarea") || (event.key === " " && event.target.closest("button, a"))) return;
  if (!(event.key in actions) || (ONLY_TV.includes(event.key) && !isTv())) return;
  event.preventDefault();
  actions[event.key]();
});
for (const [id, key] of Object.entries({ full: "f", theme: "t", view: "v", rows: "r", "help-open": "?", pause: " ", back: "ArrowLeft", next: "ArrowRight" })) {
  $(id).addEventListener("click", actions[key]);
}
for (const value of WINDOWS) {
  const label = make("label");
  const input = make("input");
  Object.assign(input, { type: "radio", name: "window", value });
  input.addEventListener("change", () => { wish.window = value; changed(); });
  label.append(input, windowName(value));
  $("window").append(label);
}
for (const [code, name] of Object.entries(LANGUAGES)) $("lang").append(Object.assign(make("option", name), { value: code, lang: code }));
for (const id of ["order", "group"]) $(id).addEventListener("change", (event) => { wish[id] = event.target.value; changed(); });
$("lang").addEventListener("change", (event) => { wish.lang = event.target.value; remember(); show(); });
$("filter").addEventListener("input", (event) => { wish.filter = event.target.value; changed(); });
$("choose").addEventListener("click", () => explain.filters([...rows.values()], changed));
$("dictionary").addEventListener("click", () => explain.dictionary(data.kpis, data.all));
$("controls").addEventListener("submit", (event) => event.preventDefault());
$("short").addEventListener("change", (event) => { wish.short = event.target.checked ? "hide" : "show"; changed(); });
$("sound").addEventListener("click", () => { wish.sound = sound.isOn() ? "off" : "on"; sound.allow(); changed(); resettle(); });
for (const which of lists.WHICH) {
  $(which).querySelector(".rest").addEventListener("click", () => lists.openWhole(which));
  $(`to-${which}`).addEventListener("click", () => lists.jump(which));
}
$("fold").addEventListener("click", () => {
  $("fold").setAttribute("aria-expanded", String($("top").toggleAttribute("data-open")));
});
// The address after the # holds what is shown, so a link within the page must not replace it.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  $("main").focus();
});
addEventListener("hashchange", show);
new ResizeObserver(soon).observe($("main"));

translate(document);
await show();
ask(() => "/v1/kpis", (entries) => { takeKpis(entries); redraw(); });
why.look(() => {
  board.forget();
  redraw();
});
// A page that would sound an alarm has to listen also while it is not seen.
listen((kind, sent) => {
  board.touch(take(kind, sent));
  soon();
  tick();
}, sound.isOn);
ask(() => "/v1/trend", (sent) => { takeTrend(sent); redrawLines(); }, TREND_MS);
lists.follow(soon);
setInterval(tick, 250);
setInterval(board.passTime, 1000);

function redrawLines() {
  board.touch(rows.keys());
  soon();
}
