// Contacts at risk, and contacts to call back: which, where, how bad, and how long ago. Ids only, no personal data.

import { rows } from "./data.js";
import { show } from "./dialog.js";
import { $, button, make, put } from "./dom.js";
import { ask } from "./feed.js";
import { ago, duration } from "./numbers.js";
import * as taken from "./taken.js";
import { isFiltered, isListed, isSearched, query, wish } from "./wish.js";
import { num, t } from "./words.js";

const AT_DESK = 8;
const LISTS_MS = 5000;
export const WHICH = ["risk", "ring"];
const PATHS = {
  risk: () => query("/v1/at-risk", [...rows.values()]),
  ring: () => query("/v1/abandoned", [...rows.values()], wish.short === "hide" ? { short: "no" } : {}),
};
const place = (one) => `${one.queue} · ${one.channel}`;
const waited = (one) => duration(Math.floor(one.waited_s), one.waited_s < 100).join(" ");
const COLUMNS = {
  risk: (one) => [
    one.contact_id, place(one), one.agent ?? t(`visit.${one.state}`), t("of_5", { score: num(one.predicted_csat, 1) }), one.since,
  ],
  ring: (one) => [one.contact_id, place(one), waited(one) + (one.short ? t("ring.short") : ""), one.abandoned_at],
};

const lists = { risk: null, ring: null };
const asking = {}; // which → the requested path, and the function that asks again
let whole = null; // the list that is shown in full
let stopped = ""; // why nothing is known, in words; empty while the numbers can be relied on

// Starts asking for both; `changed` is called with every answer.
export function follow(changed) {
  for (const which of WHICH) {
    const take = (answer) => {
      // The server's clock is used: that of a screen on a wall may be wrong.
      lists[which] = { ...answer, clock: Date.parse(answer.at), heardAt: performance.now() };
      changed();
    };
    asking[which] = { path: PATHS[which](), again: ask(PATHS[which], take, LISTS_MS) };
  }
  taken.follow(() => asking.ring.again());
}

// The selection has changed: the known lists are of the one before.
export function askAnew() {
  for (const [which, asked] of Object.entries(asking)) {
    if (asked.path === PATHS[which]()) continue;
    asked.path = PATHS[which]();
    lists[which] = null;
    asked.again();
  }
}

// Lists that can't be relied on don't say that there is nobody.
export function trust(why) {
  stopped = why;
}

// What is chosen is not there, so there is nothing to ask for.
const isNowhere = (which) => rows.size > 0 && PATHS[which]() === null;

const seenOf = (which) => lists[which]?.contacts.filter(isListed) ?? [];

export const size = (which) => seenOf(which).length;

function newLine(which) {
  const line = make("tr");
  for (const name of $(which).querySelectorAll("thead th")) line.append(make("td", "", name.dataset.cell ?? ""));
  line.cells[0].append(make("a"));
  return line;
}

function fill(body, which, contacts) {
  const now = lists[which].clock + performance.now() - lists[which].heardAt;
  while (body.rows.length > contacts.length) body.lastElementChild.remove();
  contacts.forEach((one, n) => {
    let line = body.rows[n];
    if (!line) body.append((line = newLine(which)));
    const cells = COLUMNS[which](one);
    const when = cells.length - 1;
    const since = ago((now - Date.parse(cells[when])) / 1000);
    cells[when] = which === "ring" ? t("ago", { time: since }) : since;
    cells.forEach((text, at) => put(at ? line.cells[at] : line.cells[0].firstElementChild, text));
    link(line.cells[0].firstElementChild, one.url);
    if (which === "ring") taken.draw(line, one, lists.ring.takes);
  });
}

// Into the contact platform; the server made the address, and only for the web's protocols.
function link(node, url) {
  if (url && /^https?:\/\//.test(url)) {
    if (node.getAttribute("href") === url) return;
    Object.assign(node, { href: url, target: "_blank", rel: "noopener noreferrer" });
  } else if (node.hasAttribute("href")) {
    node.removeAttribute("href");
  }
}

function empty(which) {
  if (stopped) return stopped;
  if (!lists[which]) return t(isNowhere(which) ? `${which}.none.here` : "loading");
  const hidden = which === "ring" && wish.short === "hide" && !isSearched() ? lists.ring.short : 0;
  const none = t(isFiltered() ? `${which}.none.here` : `${which}.none`);
  return hidden ? `${none} ${t("short.hidden", { n: hidden })}` : none;
}

export function draw(which, fits = AT_DESK) {
  const list = lists[which];
  const panel = $(which);
  const [none, more] = [panel.querySelector(".none"), panel.querySelector(".rest")];
  const seen = seenOf(which);
  const shown = seen.slice(0, fits);
  // The search runs here, over what the server sent.
  const total = list && !isSearched() ? list.total : seen.length;
  if (list) fill(panel.querySelector("tbody"), which, shown);
  panel.querySelector("table").hidden = !shown.length;
  none.hidden = shown.length > 0;
  put(none, empty(which));
  more.hidden = total === shown.length;
  put(more, t("and_more", { n: total - shown.length }));
  const count = stopped && !total ? "?" : total ? num(total) : "";
  put(panel.querySelector(".count"), count);
  put($(`to-${which}`), count ? t("filter.group", { name: t(`${which}.title`), n: count }) : t(`${which}.title`));
  if (which === "ring") {
    $("short").checked = wish.short === "hide";
    put($("short-hidden"), wish.short === "hide" && list?.short ? ` ${t("short.hidden", { n: list.short })}` : "");
    panel.querySelector("table").toggleAttribute("data-takes", list?.takes === true);
  }
  if (whole?.which === which) redrawWhole();
}

// Where the lists are below the tiles, there is a way to them.
export function jump(which) {
  $(which).scrollIntoView();
  $(`${which}-name`).focus({ preventScroll: true });
}

// A whole list, in the dialog.
export function openWhole(which) {
  const lead = make("p", "", "lead");
  const table = $(which).querySelector("table").cloneNode(true);
  table.tBodies[0].replaceChildren();
  const copy = button(t("copy"), async () => {
    await navigator.clipboard.writeText(seenOf(which).map((one) => one.contact_id).join("\n"));
    put(copy, t("copied"));
  });
  copy.hidden = !navigator.clipboard; // browsers have one over TLS only; ids can still be selected
  table.hidden = false;
  show(t(`${which}.title`), [lead, copy, table], () => { whole = null; });
  whole = { which, lead, body: table.tBodies[0] };
  redrawWhole();
}

function redrawWhole() {
  const list = lists[whole.which];
  const held = getSelection();
  if (!list || (!held.isCollapsed && whole.body.contains(held.anchorNode))) return; // somebody is about to copy
  const seen = seenOf(whole.which);
  const cut = list.total > list.contacts.length;
  const values = { n: list.contacts.length, total: list.total, seen: seen.length };
  put(whole.lead, !cut ? t("whole.all", { n: seen.length }) : t(isSearched() ? "whole.some" : `whole.${whole.which}`, values));
  fill(whole.body, whole.which, seen);
}
