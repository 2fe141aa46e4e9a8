// Contacts at risk, and contacts to ring back: who, where, how bad, and how long ago. Ids only, nothing of the person.

import { show } from "./dialog.js";
import { $, button, make, put } from "./dom.js";
import { ask } from "./feed.js";
import { ago } from "./numbers.js";
import { isFiltered, isListed, isSearched, query, wish } from "./wish.js";

const AT_DESK = 8;
const LISTS_MS = 5000;
export const WHICH = ["risk", "ring"];
const PATHS = {
  risk: () => query("/v1/at-risk"),
  ring: () => query("/v1/abandoned", wish.short === "hide" ? { short: "no" } : {}),
};
const COLUMNS = {
  risk: (one) => [one.contact_id, place(one), `${one.predicted_csat.toFixed(1)} of 5`, one.since],
  ring: (one) => [one.contact_id, place(one), ago(one.waited_s) + (one.short ? ", short" : ""), one.abandoned_at],
};
const NONE = { risk: "Nobody is at risk now", ring: "Nobody gave up within the last hour" };

const place = (one) => `${one.queue} · ${one.channel}`;
const lists = { risk: null, ring: null };
const asking = {}; // which → the path that is asked for, and how to ask again
let whole = null; // which of them is shown completely

// Begin to ask for both; `changed` is called with every answer.
export function follow(changed) {
  for (const which of WHICH) {
    const take = (said) => {
      // The server's clock is taken: that of a screen on a wall may be anything.
      lists[which] = { ...said, clock: Date.parse(said.at), heardAt: performance.now() };
      changed();
    };
    asking[which] = { path: PATHS[which](), again: ask(PATHS[which], take, LISTS_MS) };
  }
}

// Others are wanted: what is known is of those of before.
export function askAnew() {
  for (const [which, asked] of Object.entries(asking)) {
    if (asked.path === PATHS[which]()) continue;
    asked.path = PATHS[which]();
    lists[which] = null;
    asked.again();
  }
}

const seenOf = (which) => lists[which]?.contacts.filter(isListed) ?? [];

export const size = (which) => seenOf(which).length;

function fill(body, which, contacts) {
  const now = lists[which].clock + performance.now() - lists[which].heardAt;
  while (body.rows.length > contacts.length) body.lastElementChild.remove();
  contacts.forEach((one, n) => {
    let line = body.rows[n];
    if (!line) {
      line = make("tr");
      line.append(make("td", "", "contact"), make("td"), make("td"), make("td"));
      body.append(line);
    }
    const cells = COLUMNS[which](one);
    const since = ago((now - Date.parse(cells[3])) / 1000);
    cells[3] = which === "ring" ? `${since} ago` : since;
    cells.forEach((text, at) => put(line.cells[at], text));
  });
}

const shortOnes = (n) => `${n} short ${n === 1 ? "one" : "ones"}`;

function empty(which) {
  const hidden = which === "ring" && wish.short === "hide" && !isSearched() ? lists.ring.short : 0;
  return `${NONE[which]}${isFiltered() ? " in this selection" : ""}${hidden ? `, apart from ${shortOnes(hidden)}` : ""}.`;
}

export function draw(which, fits = AT_DESK) {
  const list = lists[which];
  const panel = $(which);
  const [none, more] = [panel.querySelector(".none"), panel.querySelector(".rest")];
  const seen = seenOf(which);
  const shown = seen.slice(0, fits);
  // What people look for is looked for here, in what the server gave.
  const total = list && !isSearched() ? list.total : seen.length;
  if (list) fill(panel.querySelector("tbody"), which, shown);
  panel.querySelector("table").hidden = !shown.length;
  none.hidden = shown.length > 0;
  put(none, list ? empty(which) : "Reading the list…");
  more.hidden = total === shown.length;
  put(more, `and ${(total - shown.length).toLocaleString("en")} more`);
  put(panel.querySelector(".count"), total ? total.toLocaleString("en") : "");
  if (which === "ring") {
    $("short").checked = wish.short === "hide";
    put($("short-hidden"), wish.short === "hide" && list?.short ? ` ${shortOnes(list.short)} hidden.` : "");
  }
  if (whole?.which === which) redrawWhole();
}

// All of a list, in the dialog.
export function openWhole(which) {
  const lead = make("p", "", "lead");
  const table = $(which).querySelector("table").cloneNode(true);
  const copy = button("Copy the ids", async () => {
    await navigator.clipboard.writeText(seenOf(which).map((one) => one.contact_id).join("\n"));
    put(copy, "Copied");
  });
  copy.hidden = !navigator.clipboard; // browsers have one over TLS only; ids can be selected all the same
  table.hidden = false;
  show(which === "risk" ? "Contacts at risk" : "To ring back", [lead, copy, table], () => { whole = null; });
  whole = { which, lead, body: table.tBodies[0] };
  redrawWhole();
}

function redrawWhole() {
  const list = lists[whole.which];
  const held = getSelection();
  if (!list || (!held.isCollapsed && whole.body.contains(held.anchorNode))) return; // somebody is about to copy
  const seen = seenOf(whole.which);
  const part = `${whole.which === "ring" ? "newest" : "worst"} ${list.contacts.length} of ${list.total.toLocaleString("en")}.`;
  const cut = list.total > list.contacts.length;
  put(whole.lead, !cut ? `${seen.length} in all.` : isSearched() ? `${seen.length} among the ${part}` : `The ${part}`);
  fill(whole.body, whole.which, seen);
}
