// The live page: server-sent events in, tiles out. What the data says only ever becomes text, never markup.

const WINDOWS = ["5m", "15m", "30m", "1h", "today"];
const NAMES = { "5m": "5 min", "15m": "15 min", "30m": "30 min", "1h": "1 h", today: "Today" };
const SHORT = { handle_time: "Handle time", first_response: "First response" };
const WORDS = { met: "on target", near: "just off", missed: "missed", none: "no target" };
const RANK = { missed: 0, near: 1, met: 2, none: 3 };
const SILENT_MS = 3500; // a heartbeat comes every second
const DEAD_MS = 8000; // then the line is dead, whatever the browser believes
const AGAIN_MS = 2000;
const REORDER_MS = 3000; // tiles that jump can't be read

const $ = (id) => document.getElementById(id);
const rows = new Map(); // "queue\nchannel" → row
const cards = new Map(); // the same → what is on the page
const dirty = new Set();
let kpis = [];
let everyone = {};
let beat = null;
let heardAt = 0;
let source = null;
let drawing = false;
let orderedAt = -Infinity;
let wish = { window: "30m", order: "worst", filter: "" };

// ---- numbers for people ------------------------------------------------------------------------------------

// Each gives [number, unit], so that the unit can be small.
function duration(seconds, whole = false) {
  if (seconds < 9.95 && !whole) return [seconds.toFixed(1), "s"];
  const s = Math.round(seconds);
  if (s < 100) return [String(s), "s"];
  const [big, size, unit] = s < 3600 ? [s, 60, "min"] : [Math.floor(s / 60), 60, "h"];
  const rest = big % size;
  return [whole && !rest ? String(big / size) : `${Math.floor(big / size)}:${String(rest).padStart(2, "0")}`, unit];
}

function shown(kpi, value) {
  if (value === null || value === undefined) return ["–", ""];
  if (kpi.unit === "ratio") return [(value * 100).toFixed(value === 0 || value === 1 ? 0 : 1), "%"];
  if (kpi.unit === "seconds") return kpi.level && value < 100 ? [String(Math.floor(value)), "s"] : duration(value);
  return [value.toLocaleString(), ""];
}

function goal(kpi, target) {
  const text = kpi.unit === "ratio" ? `${+(target * 100).toFixed(1)} %` : duration(target, true).join(" ");
  return `target ${kpi.better === "higher" ? "≥" : "≤"} ${text}`;
}

function judge(kpi, value, target) {
  if (value === null || value === undefined || target === undefined) return "none";
  const past = kpi.better === "higher" ? target - value : value - target;
  if (past <= 0) return "met";
  const slack = (kpi.tolerance ?? 0) * (kpi.tolerance_relative ? target : 1);
  return past <= slack ? "near" : "missed";
}

// ---- drawing -----------------------------------------------------------------------------------------------

function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function mark(node, state) {
  if (node.dataset.state !== state) node.dataset.state = state;
}

function figuresIn(list) {
  return kpis.map((kpi) => {
    const node = $("figure").content.firstElementChild.cloneNode(true);
    const [name, value, state, more] = node.children;
    const [number, unit] = value.children;
    const [word, aim] = state.children;
    name.textContent = SHORT[kpi.name] ?? kpi.title;
    name.title = kpi.doc;
    list.append(node);
    return { node, number, unit, state, word, aim, more };
  });
}

function drawFigure(parts, kpi, value, target, samples, p90) {
  const state = judge(kpi, value, target);
  mark(parts.node, state);
  mark(parts.state, state);
  parts.node.toggleAttribute("data-empty", value === null || value === undefined);
  const [number, unit] = shown(kpi, value);
  put(parts.number, number);
  put(parts.unit, unit && ` ${unit}`);
  put(parts.word, state === "none" ? "" : `${WORDS[state]}: `);
  put(parts.aim, target === undefined ? "no target" : goal(kpi, target));
  const more = [];
  if (p90 !== null && p90 !== undefined) more.push(`90 % in ${duration(p90).join(" ")}`);
  if (samples !== undefined && samples > 0) more.push(`of ${samples.toLocaleString()}`);
  put(parts.more, more.join("\n"));
  return state;
}

function drawCard(key) {
  const row = rows.get(key);
  let card = cards.get(key);
  if (!row) {
    card?.node.remove();
    cards.delete(key);
    return;
  }
  if (!card) {
    const node = $("card").content.firstElementChild.cloneNode(true);
    node.querySelector("h2").textContent = row.queue;
    node.querySelector(".channel").textContent = row.channel;
    card = { node, overall: node.querySelector(".overall"), figures: figuresIn(node.querySelector("dl")) };
    cards.set(key, card);
    $("queues").append(node);
    orderedAt = -Infinity;
  }
  const figures = row.windows[wish.window] ?? {};
  card.missed = 0;
  card.state = "none";
  kpis.forEach((kpi, n) => {
    const figure = figures[kpi.name];
    const value = kpi.level ? row.levels[kpi.name] : figure?.value;
    const state = drawFigure(card.figures[n], kpi, value, row.targets[kpi.name], figure?.samples, figure?.p90);
    if (state === "missed") card.missed += 1;
    if (RANK[state] < RANK[card.state]) card.state = state;
  });
  mark(card.node, card.state);
  mark(card.overall, card.state);
  put(card.overall, card.missed > 1 ? `${card.missed} missed` : card.state === "none" ? "no data" : WORDS[card.state]);
  const wanted = `${row.queue} ${row.channel}`.toLowerCase().includes(wish.filter.toLowerCase());
  if (card.node.hidden === wanted) card.node.hidden = !wanted;
}

function drawEveryone() {
  const seen = [...rows].filter(([key]) => cards.get(key) && !cards.get(key).node.hidden);
  const box = $("everyone");
  box.hidden = seen.length === 0;
  if (!box.hidden && !box.figures) box.figures = figuresIn(box.querySelector("dl"));
  if (box.hidden) return;
  kpis.forEach((kpi, n) => {
    let value = null;
    let samples;
    if (kpi.level) {
      const levels = seen.map(([, row]) => row.levels[kpi.name] ?? 0);
      value = kpi.unit === "seconds" ? Math.max(...levels) : levels.reduce((a, b) => a + b, 0);
    } else {
      const parts = seen.map(([, row]) => row.windows[wish.window]?.[kpi.name]).filter((f) => f && f.value !== null);
      samples = parts.reduce((sum, f) => sum + f.samples, 0);
      if (samples > 0) value = parts.reduce((sum, f) => sum + f.value * f.samples, 0) / samples;
    }
    const p90 = wish.filter ? undefined : everyone[wish.window]?.[kpi.name]?.p90;
    drawFigure(box.figures[n], kpi, value, undefined, samples, p90);
    box.figures[n].state.hidden = true; // queues differ in their targets
  });
  const count = { missed: 0, near: 0 };
  for (const [key] of seen) if (cards.get(key).state in count) count[cards.get(key).state] += 1;
  const queues = `${seen.length} ${seen.length === 1 ? "queue" : "queues"}`;
  put($("summary"), `${queues}: ${count.missed} missed, ${count.near} just off`);
}

function reorder(now) {
  if (now - orderedAt < REORDER_MS || $("queues").contains(document.activeElement)) return;
  orderedAt = now;
  const byName = (a, b) => (a < b ? -1 : 1);
  const worst = (a, b) => {
    const [x, y] = [cards.get(a), cards.get(b)];
    return RANK[x.state] - RANK[y.state] || y.missed - x.missed || byName(a, b);
  };
  const keys = [...cards.keys()].sort(wish.order === "worst" ? worst : byName);
  const nodes = keys.map((key) => cards.get(key).node);
  if (nodes.some((node, n) => $("queues").children[n] !== node)) $("queues").append(...nodes);
}

function draw() {
  drawing = false;
  for (const key of dirty) drawCard(key);
  dirty.clear();
  drawEveryone();
  reorder(performance.now());
  $("nothing").hidden = [...cards.values()].some((card) => !card.node.hidden);
  put($("nothing"), rows.size ? "No queue is called so." : "No contact has come yet.");
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

// ---- how fresh ---------------------------------------------------------------------------------------------

function tick() {
  const silent = performance.now() - heardAt;
  const age = beat?.age_s === null || beat?.age_s === undefined ? null : beat.age_s + silent / 1000;
  let state = "live";
  let text = age === null ? "Live" : `Live · ${age.toFixed(1)} s old`;
  let alarm = "";
  if (!beat || silent > SILENT_MS) {
    state = "lost";
    text = beat ? `No connection for ${Math.round(silent / 1000)} s` : "No connection";
    alarm = "Connection lost: these numbers stand still. Trying again…";
  } else if (beat.stale) {
    state = "stale";
    text = age === null ? "Stale, age unknown" : `Stale · ${Math.round(age)} s old`;
    alarm = `Don't rely on these numbers: ${beat.reasons[0]?.replace(/[\d.]+ s old, /, "") ?? "they are stale"}.`;
    alarm = alarm.replace("the data is more than", "they are older than");
  }
  if (!beat && performance.now() < SILENT_MS) [text, alarm] = ["Connecting…", ""];
  mark($("age"), state);
  put($("age-text"), text);
  document.body.classList.toggle("stale", alarm !== "");
  $("alarm").hidden = alarm === "";
  put($("alarm"), alarm);
  document.title = `${state === "live" ? "" : "⚠ "}Live contact centre`;
  if (performance.now() - orderedAt > REORDER_MS) soon();
}

// ---- listening ---------------------------------------------------------------------------------------------

function take(event) {
  heardAt = performance.now();
  const data = JSON.parse(event.data);
  beat = { reasons: beat?.reasons ?? [], ...data };
  if (event.type === "beat") return tick();
  if (event.type === "snapshot") {
    for (const key of rows.keys()) dirty.add(key);
    rows.clear();
    everyone = {};
  }
  for (const row of data.rows) {
    const key = `${row.queue}\n${row.channel}`;
    rows.set(key, row);
    dirty.add(key);
  }
  everyone = { ...everyone, ...data.everyone };
  delete beat.rows;
  soon();
  tick();
}

function listen() {
  source?.close();
  source = new EventSource("/v1/stream");
  const started = performance.now();
  const mine = source;
  for (const kind of ["snapshot", "change", "beat"]) source.addEventListener(kind, take);
  source.onerror = () => {
    if (mine.readyState === EventSource.CLOSED && mine === source) setTimeout(() => mine === source && listen(), AGAIN_MS);
  };
  const watch = setInterval(() => {
    if (mine !== source) clearInterval(watch);
    else if (performance.now() - Math.max(heardAt, started) > DEAD_MS) listen();
  }, 1000);
}

async function learn() {
  try {
    const answer = await fetch("/v1/kpis");
    if (!answer.ok) throw new Error(answer.statusText);
    kpis = (await answer.json()).filter((kpi) => kpi.headline);
    redraw();
  } catch {
    setTimeout(learn, AGAIN_MS);
  }
}

// ---- what people want to see: kept in the address, so that a wallboard can be bookmarked ----------------------

function remember() {
  history.replaceState(null, "", `#${new URLSearchParams(wish)}`);
  redraw();
}

function recall() {
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const name of Object.keys(wish)) if (asked.has(name)) wish[name] = asked.get(name);
  if (!WINDOWS.includes(wish.window)) wish.window = "30m";
  if (wish.order !== "name") wish.order = "worst";
  for (const input of document.querySelectorAll("input[name=window]")) input.checked = input.value === wish.window;
  $("order").value = wish.order;
  $("filter").value = wish.filter;
  redraw();
}

for (const name of WINDOWS) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  Object.assign(input, { type: "radio", name: "window", value: name });
  input.addEventListener("change", () => { wish.window = name; remember(); });
  label.append(input, NAMES[name]);
  $("window").append(label);
}
$("order").addEventListener("change", (event) => { wish.order = event.target.value; remember(); });
$("filter").addEventListener("input", (event) => { wish.filter = event.target.value; remember(); });
$("controls").addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", recall);
recall();
learn();
listen();
setInterval(tick, 250);
