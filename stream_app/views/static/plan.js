// The planning page: requests, their answers, and how fresh they are.

import { $, make, mark, put } from "./dom.js";
import { listen, silence } from "./feed.js";
import { judged } from "./fresh.js";
import { known } from "./numbers.js";
import { drawContacts, drawPeople, facts, follow } from "./plan-charts.js";
import { path, recall, remember, wish } from "./plan-wish.js";
import { drawDays, drawGaps, WEEK } from "./plan-week.js";
import { COLUMNS, dated, inWords, many, ofContacts, ofDay, ofHandleTime, ofPeople, ratio } from "./plan-words.js";
import { THEMES } from "./wish.js";

const AGAIN_MS = 60000; // a row becomes final every 15 minutes
const RETRY_MS = 5000;
const DAY_MS = 86400000;
const MOST_DAYS = 42;

const places = new Map(); // "queue\nchannel" → [queue, channel]
let rows = [];
let today = ""; // of the server, in the zone that is shown
let at = null; // the row that the reader points at
let turn = 0;
let timer = null;
let beat = null;
let answered = false;
let loaded = false; // the server has sent what there is, even if it is nothing

// ---- drawing -------------------------------------------------------------------------------------------------

// One row for each interval of the day, from both routes.
function joined(forecast, staffing) {
  const forecasts = new Map((forecast?.rows ?? []).map((row) => [row.start, row]));
  const offset = (row) => row.start.slice(19);
  const several = new Set(staffing.rows.map(offset)).size > 1; // clocks change: an hour occurs twice
  return staffing.rows.map((row) => {
    const from = Date.parse(row.start);
    const { offered = null, actual = null, reforecast = null, low_80 = null, high_80 = null, low_95 = null, high_95 = null } = forecasts.get(row.start) ?? {};
    return {
      time: row.start.slice(11, 16) + (several ? ` ${offset(row)}` : ""), from, to: from + row.minutes * 60000,
      offered, low_80, high_80, low_95, high_95, reforecast,
      actual: row.source === "actual" ? row.offered : actual,
      aht: row.average_handle_time_s, required: row.required, staffed: row.staffed, gap: row.gap,
      service_level: row.service_level, abandonment: row.abandonment, occupancy: row.occupancy, open: row.open, binds: row.binds,
    };
  });
}

function charts() {
  if (!rows.length) return;
  drawContacts($("contacts").querySelector(".chart"), rows);
  drawPeople($("people").querySelector(".chart"), rows);
  point(at);
}

function table() {
  const [head, body] = [$("numbers").querySelector("thead tr"), $("numbers").querySelector("tbody")];
  head.replaceChildren(...COLUMNS.map(([title]) => Object.assign(make("th", title), { scope: "col" })));
  body.replaceChildren(...rows.map((row) => {
    const line = make("tr");
    COLUMNS.forEach(([title, text], n) => {
      const cell = make(n ? "td" : "th", text(row), title === "Gap" && row.gap < 0 ? "few" : "");
      if (!n) cell.scope = "row";
      line.append(cell);
    });
    return line;
  }));
}

function basis(forecast, staffing) {
  const rests = staffing.assumptions;
  const test = forecast?.backtest;
  const model = staffing.model === "deferred" ? "deferred work, by its deadline" : staffing.model.replace("erlang-", "Erlang ").toUpperCase().replace("ERLANG", "Erlang");
  facts($("basis").querySelector(".facts"), [
    ["Forecast", forecast && `${forecast.method}; from ${many(forecast.made_from.intervals, "interval")}, ${forecast.made_from.from.slice(0, 10)} to ${forecast.made_from.to.slice(0, 16).replace("T", " ")}`],
    ["Accuracy", test && `error ${ratio(test.wape)}, repeating the last week ${ratio(test.seasonal_naive_wape)}; ${ratio(test.coverage_80)} within the 80 % interval, ${ratio(test.coverage_95)} within the 95 % interval; from ${many(test.origins, "origin")}, up to ${many(test.weeks, "week")} ahead, ${test.intervals.toLocaleString("en")} intervals`],
    ["Staffing", `${model}; target ${known(rests.service_level) ? ratio(rests.service_level) : "none"} in ${rests.answer_target_s} s (${rests.policy.replaceAll("_", " ")})`],
    ["Assumptions", [
      `shrinkage ${ratio(rests.shrinkage)}`,
      known(rests.occupancy_max) && `occupancy at most ${ratio(rests.occupancy_max)}`,
      known(rests.asa_max_s) && `average speed of answer at most ${rests.asa_max_s} s`,
      known(rests.patience_s) && `patience ${rests.patience_s} s`,
      rests.concurrency > 1 && `${rests.concurrency} contacts at once`,
      rests.calendar ? "planned within business hours" : "always open, as it has no calendar",
    ].filter(Boolean).join(", ")],
    ["Schedule", known(staffing.schedules) ? `version ${staffing.schedules}` : "none imported; use stream-app schedules apply FILE.csv"],
  ]);
}

// Shows the values at one time, in both charts and in the table.
function point(n) {
  at = n !== null && n < rows.length ? n : null;
  for (const [id, words] of [["contacts", ofContacts], ["people", ofPeople]]) {
    $(id).querySelector(".chart").place?.(at);
    put($(id).querySelector(".readout"), at === null ? "" : words(rows[at]));
  }
  const lines = $("numbers").querySelectorAll("tbody tr");
  lines.forEach((line, number) => line.classList.toggle("at", number === at));
  if (at !== null) bring(lines[at]);
}

// Scrolls the table only: the page stays where it is.
function bring(line) {
  const box = $("numbers").querySelector(".scroll");
  const [top, head] = [line.offsetTop, box.querySelector("thead").offsetHeight];
  if (top - head < box.scrollTop || top + line.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = top - head;
}

function display(there) {
  for (const id of ["contacts", "people", "keys", "numbers", "basis"]) $(id).hidden = !there;
  if (!there) for (const id of ["week", "gaps"]) $(id).hidden = true;
  $("problem").hidden = there;
}

function take(forecast, staffing) {
  const day = staffing.date;
  answered = true;
  rows = joined(forecast, staffing);
  $("date").value = day;
  put($("subject"), `${staffing.queue} · ${staffing.channel}, ${dated(day)} (${staffing.tz})`);
  $("tz").placeholder = wish.tz ? "the queue's own" : staffing.tz;
  display(rows.length > 0);
  if (!rows.length) refuse("No actuals and no forecast for this day.");
  table();
  basis(forecast, staffing);
  charts();
  put($("total"), rows.length ? ofDay(rows) : "");
  const doubts = ofHandleTime(staffing.handle_time);
  $("doubts").hidden = !rows.length || !doubts;
  put($("doubts"), doubts);
  const busy = rows.findIndex((row) => row.offered || row.actual || row.staffed);
  if (at === null && busy > 0) bring($("numbers").querySelectorAll("tbody tr")[busy]);
}

function refuse(text) {
  rows = [];
  display(false);
  put($("problem"), text);
}

// ---- requests ------------------------------------------------------------------------------------------------

async function asked(url) {
  const answer = await fetch(url);
  return [answer.ok, await answer.json()];
}

// Days from the server's today to the one that is shown; 0 or less if that day is over.
const daysAhead = (day) => Math.round((Date.parse(day) - Date.parse(today)) / DAY_MS) + 1;

async function read() {
  clearTimeout(timer);
  const mine = (turn += 1);
  let wait = AGAIN_MS;
  if (!wish.queue || document.visibilityState === "hidden") {
    wait = RETRY_MS;
  } else {
    try {
      const [well, staffing] = await asked(path("/v1/staffing", { date: wish.date }));
      let forecast = null;
      if (well) {
        today = staffing.at.slice(0, 10);
        const days = daysAhead(staffing.date);
        if (days >= 1) {
          const [there, answer] = await asked(path("/v1/forecast", { days: String(Math.min(MOST_DAYS, days)) }));
          forecast = there ? answer : null;
        }
      }
      if (mine !== turn) return;
      if (well) {
        take(forecast, staffing);
        await ahead(mine, staffing.assumptions.full_time_h);
      } else {
        if (!answered) put($("subject"), `${wish.queue} · ${wish.channel}`);
        refuse(inWords(staffing));
        if (staffing.status === 503) wait = RETRY_MS;
      }
    } catch {
      wait = RETRY_MS; // the server is unavailable: the age shows it
    }
  }
  if (mine === turn) timer = setTimeout(read, wait);
}

// The coming days: of this queue, and if wanted the gaps of all.
async function ahead(mine, fullTime) {
  const [well, own] = await asked(path("/v1/plan", { days: String(WEEK) }));
  const [there, all] = wish.gaps ? await asked(`/v1/plan?${new URLSearchParams({ days: String(WEEK), ...(wish.tz && { tz: wish.tz }) })}`) : [well, own];
  if (mine !== turn) return;
  drawDays($("week"), well ? own.queues[0] : null, fullTime);
  drawGaps($("gaps"), there ? all : null);
}

function changed() {
  remember();
  dress();
  at = null;
  put($("subject"), wish.queue ? [wish.queue, wish.channel].filter(Boolean).join(" · ") : "Loading the plan…");
  answered = false;
  read();
}

// ---- the choices -----------------------------------------------------------------------------------------------

const keyOf = (queue, channel) => `${queue}\n${channel}`;

function options() {
  if (wish.queue && wish.channel) places.set(keyOf(wish.queue, wish.channel), [wish.queue, wish.channel]);
  const sorted = [...places].sort(([a], [b]) => (a < b ? -1 : 1));
  $("place").replaceChildren(...sorted.map(([key, [queue, channel]]) => new Option(`${queue} · ${channel}`, key)));
  $("place").value = keyOf(wish.queue, wish.channel);
}

function hear(kind, data) {
  beat = { reasons: [], max_age_s: Infinity, ...beat, at: data.at, age_s: data.age_s, stale: data.stale };
  if (kind === "beat") Object.assign(beat, data);
  let news = false;
  for (const { queue, channel } of data.rows ?? []) {
    if (places.has(keyOf(queue, channel))) continue;
    places.set(keyOf(queue, channel), [queue, channel]);
    news = true;
  }
  if (news || kind === "snapshot") {
    const named = [...places.values()].find(([queue]) => queue === wish.queue);
    const [first] = [...places].sort(([a], [b]) => (a < b ? -1 : 1));
    if (first && (!wish.queue || (!wish.channel && named))) {
      [wish.queue, wish.channel] = wish.queue ? named : first[1];
      changed();
    }
    options();
  }
  if (kind === "snapshot") loaded = true;
  if (!places.size) put($("subject"), loaded ? "No contacts yet." : "Nothing read yet.");
  tick();
}

function tick() {
  const { state, text, alarm } = judged(beat, silence());
  mark($("age"), state);
  put($("age-text"), text);
  document.body.classList.toggle("stale", alarm !== "");
  $("alarm").hidden = alarm === "";
  put($("alarm"), alarm);
  document.title = `${state === "live" ? "" : "⚠ "}Plan: contact centre`;
}

// ---- input -----------------------------------------------------------------------------------------------------

function dress() {
  const root = document.documentElement;
  if (wish.theme === "system") delete root.dataset.theme;
  else root.dataset.theme = wish.theme;
  put($("theme"), `Theme: ${wish.theme}`);
}

function show() {
  const wrong = recall();
  $("notice").hidden = !wrong.length;
  if (wrong.length) {
    remember();
    put($("notice"), `The address had unknown values, now corrected: ${wrong.map((one) => one.slice(0, 60)).join(", ")}.`);
  }
  $("tz").value = wish.tz;
  $("date").value = wish.date;
  $("every").checked = wish.gaps === "all";
  options();
  changed();
}

function day(by) {
  const shown = $("date").value || today;
  if (!shown) return;
  const next = new Date(Date.parse(shown) + by * DAY_MS).toISOString().slice(0, 10);
  wish.date = next === today ? "" : next;
  changed();
}

$("place").addEventListener("change", (event) => {
  [wish.queue, wish.channel] = places.get(event.target.value);
  changed();
});
$("date").addEventListener("change", (event) => { wish.date = event.target.value === today ? "" : event.target.value; changed(); });
$("tz").addEventListener("change", (event) => { wish.tz = event.target.value.trim(); changed(); });
$("every").addEventListener("change", (event) => { wish.gaps = event.target.checked ? "all" : ""; remember(); read(); });
$("before").addEventListener("click", () => day(-1));
$("after").addEventListener("click", () => day(1));
$("today").addEventListener("click", () => { wish.date = ""; changed(); });
$("theme").addEventListener("click", () => { wish.theme = THEMES[(THEMES.indexOf(wish.theme) + 1) % THEMES.length]; remember(); dress(); });
$("controls").addEventListener("submit", (event) => event.preventDefault());
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  $("main").focus();
});
for (const id of ["contacts", "people"]) {
  follow($(id).querySelector(".chart"), () => rows.length, point, () => at);
  new ResizeObserver(charts).observe($(id).querySelector(".chart"));
}
$("zones").replaceChildren(...(Intl.supportedValuesOf?.("timeZone") ?? []).map((zone) => new Option(zone)));
addEventListener("hashchange", show);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && read());

show();
listen(hear);
setInterval(tick, 250);
