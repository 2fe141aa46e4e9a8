// The page People: what each agent does now, as it changes.

import { $, button, make, mark, put } from "./dom.js";
import { listen, silence } from "./feed.js";
import { judged } from "./fresh.js";
import { known } from "./numbers.js";
import * as table from "./people-table.js";
import { DOING, PLACES, inWords, isDoing, isWanted, recall, remember, toggle, wish } from "./people-wish.js";
import * as words from "./people-words.js";
import { serverNow, tell } from "./server-clock.js";
import { speak, t, translate } from "./words.js";
import { THEMES } from "./wish.js";

const REORDER_MS = 3000; // rows that jump can't be read
const AGAIN_MS = 5000;
const EVERY_MS = 1000; // for how long somebody has done something, counting

const rows = new Map(); // agent → row
let beat = null;
let read = false;
let told = true;
let off = ""; // why nobody is shown
let orderedAt = -Infinity;
let drawing = false;
let opened = null; // whose details are open
let knew = ""; // the names in the filters

// ---- drawing -------------------------------------------------------------------------------------------------

function arrange(now) {
  const before = table.shown();
  const there = [...rows.values()].filter(isWanted);
  const named = new Set(there.map((row) => row.agent));
  const same = before.length === there.length && before.every((row) => named.has(row.agent));
  // What somebody is using stays where it is.
  if ((same && now - orderedAt < REORDER_MS) || (table.isHeld() && orderedAt > 0)) {
    const kept = before.filter((row) => named.has(row.agent)).map((row) => rows.get(row.agent));
    const old = new Set(before.map((row) => row.agent));
    return [...kept, ...there.filter((row) => !old.has(row.agent))];
  }
  orderedAt = now;
  return table.sorted(there, serverNow());
}

function draw() {
  drawing = false;
  options();
  table.show(arrange(performance.now()));
  put($("summary"), read && !off ? table.summary() : "");
  const nobody = off || (!read ? t("people.loading") : table.shown().length ? "" : empty());
  put($("nobody"), nobody);
  $("nobody").hidden = !nobody;
  $("rows").hidden = nobody !== "";
  $("untold").hidden = told || !read;
  details();
}

const empty = () => (inWords() && rows.size ? t("people.nobody", { filters: inWords() }) : t("people.none"));

function soon() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(draw);
}

function anew() {
  orderedAt = -Infinity;
  soon();
}

// The names that there are to choose from.
function options() {
  const found = { queue: new Set(), team: new Set(), site: new Set() };
  for (const row of rows.values()) {
    for (const queue of row.queues) found.queue.add(queue);
    if (row.team) found.team.add(row.team);
    if (row.site) found.site.add(row.site);
  }
  for (const name of PLACES) if (wish[name]) found[name].add(wish[name]);
  const key = JSON.stringify(PLACES.map((name) => [...found[name]].sort()));
  if (key !== knew) {
    knew = key;
    for (const name of PLACES) {
      $(name).replaceChildren(new Option(t("people.every"), ""), ...[...found[name]].sort().map((one) => new Option(one, one)));
    }
  }
  for (const name of PLACES) if ($(name).value !== wish[name]) $(name).value = wish[name];
}

function tick() {
  const { state, text, alarm } = judged(beat, silence());
  mark($("age"), state);
  put($("age-text"), text);
  document.body.classList.toggle("stale", alarm !== "");
  $("alarm").hidden = alarm === "" || off !== "";
  put($("alarm"), alarm);
  document.title = `${state === "live" ? "" : "⚠ "}${t("people.title")}`;
}

// ---- an agent's details ---------------------------------------------------------------------------------------

function open(agent) {
  opened = agent;
  details();
  $("dialog").showModal();
}

function details() {
  const row = rows.get(opened);
  if (!opened || !row) return;
  put($("dialog-name"), row.agent);
  const facts = [
    ["doing", [words.doing(row), words.since(row)].join(" · ")], ["limit", words.limit(row)[1] || t("limit.none")],
    ["state", words.stateOf(row)], ["queues", words.queues(row)], ["slots", words.slots(row) || t("person.untold")],
    ["team", row.team], ["site", row.site], ["today", words.today(row)],
  ];
  const key = JSON.stringify([facts, row.contacts.map(words.contact)]);
  const body = $("dialog-body");
  if (body.key === key) return;
  body.key = key;
  const list = make("dl", "", "facts");
  for (const [name, text] of facts) {
    const line = make("div");
    line.append(make("dt", name === "state" ? t("person.state") : name === "today" ? t("person.today") : t(`col.${name}`)), make("dd", text ?? t("week.unknown")));
    list.append(line);
  }
  const held = make("ul", "", "held");
  for (const one of row.contacts) {
    const line = make("li", `${words.contact(one)}${one.queue ? ` · ${one.queue}` : ""} · `);
    const link = make("a", one.contact_id);
    // The server made the address, and only for the web's protocols.
    if (/^https?:\/\//.test(one.url ?? "")) Object.assign(link, { href: one.url, target: "_blank", rel: "noopener noreferrer" });
    line.append(link);
    held.append(line);
  }
  body.replaceChildren(list, ...(row.contacts.length ? [make("h3", t("col.contacts")), held] : []));
}

// ---- data ----------------------------------------------------------------------------------------------------

function hear(kind, sent) {
  tell(sent.at);
  beat = { max_age_s: Infinity, ...beat, at: sent.at, age_s: sent.age_s, stale: sent.stale };
  if (known(sent.max_age_s)) beat.max_age_s = sent.max_age_s;
  if (kind === "snapshot") rows.clear();
  for (const row of sent.rows ?? []) rows.set(row.agent, row);
  for (const agent of sent.gone ?? []) rows.delete(agent);
  if (kind !== "beat") [read, told] = [true, sent.told];
  if (kind !== "beat") soon();
  tick();
}

// Whether agents are shown here at all: the stream itself can't say why it is refused.
async function begin() {
  try {
    const answer = await fetch("/v1/agents?limit=1");
    if (answer.status === 403) {
      off = `${t("people.off")} ${(await answer.json()).detail}`;
      $("age").hidden = true;
      return soon();
    }
    return listen(hear, () => false, "people");
  } catch {
    return setTimeout(begin, AGAIN_MS);
  }
}

// ---- input ---------------------------------------------------------------------------------------------------

function dress() {
  const root = document.documentElement;
  if (wish.theme === "system") delete root.dataset.theme;
  else root.dataset.theme = wish.theme;
  put($("theme"), t("theme", { name: t(`theme.${wish.theme}`) }));
  document.body.classList.toggle("wall", wish.view === "tv");
  put($("view"), t(wish.view === "tv" ? "view.desk" : "view.tv"));
  if ($("find").value.trim() !== wish.find.trim()) $("find").value = wish.find;
  for (const node of $("doing").querySelectorAll("button")) node.setAttribute("aria-pressed", String(isDoing(node.dataset.one)));
  put($("chosen"), inWords());
  table.drawHead(changed);
}

function changed() {
  remember();
  dress();
  anew();
}

async function show() {
  const wrong = recall(table.isColumn);
  if (await speak(wish.lang)) speakAll();
  $("notice").hidden = !wrong.length;
  if (wrong.length) {
    remember();
    put($("notice"), t("ignored", { what: wrong.map((one) => one.slice(0, 60)).join(", ") }));
  }
  dress();
  anew();
}

function speakAll() {
  translate(document);
  knew = "";
  for (const node of $("doing").querySelectorAll("button")) put(node, t(`doing.${node.dataset.one}`));
}

for (const one of DOING) {
  const node = button(t(`doing.${one}`), () => { toggle(one); changed(); });
  node.dataset.one = one;
  $("doing").append(node);
}
for (const name of PLACES) $(name).addEventListener("change", (event) => { wish[name] = event.target.value; changed(); });
$("find").addEventListener("input", (event) => { wish.find = event.target.value; changed(); });
$("theme").addEventListener("click", () => { wish.theme = THEMES[(THEMES.indexOf(wish.theme) + 1) % THEMES.length]; changed(); });
$("view").addEventListener("click", () => { wish.view = wish.view === "tv" ? "desk" : "tv"; changed(); });
$("fold").addEventListener("click", () => { $("fold").setAttribute("aria-expanded", String($("top").toggleAttribute("data-open"))); });
$("controls").addEventListener("submit", (event) => event.preventDefault());
$("dialog").addEventListener("close", () => { opened = null; });
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  $("main").focus();
});
addEventListener("hashchange", show);

table.follow(open);
translate(document);
await show();
begin();
setInterval(tick, 250);
setInterval(soon, EVERY_MS);
