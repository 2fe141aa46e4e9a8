// Contacts at risk, and contacts to ring back: who, where, how bad, and how long ago. Ids only, nothing of the person.

import { ago } from "./numbers.js";
import { $, make, put } from "./tiles.js";

const AT_DESK = 8;
const COLUMNS = {
  risk: (one) => [one.contact_id, place(one), `${one.predicted_csat.toFixed(1)} of 5`, one.since],
  ring: (one) => [one.contact_id, place(one), ago(one.waited_s) + (one.short ? ", short" : ""), one.abandoned_at],
};
const NONE = { risk: "Nobody is at risk now.", ring: "Nobody gave up within the last hour." };

const place = (one) => `${one.queue} · ${one.channel}`;
const lists = { risk: null, ring: null };

// `answer` is what the server says; its clock is taken, for that of a screen on a wall may be anything.
export function take(which, answer) {
  lists[which] = { contacts: answer.contacts, at: Date.parse(answer.at), heardAt: performance.now() };
}

export const size = (which, isSeen) => lists[which]?.contacts.filter(isSeen).length ?? 0;

export function draw(which, isSeen, fits = AT_DESK) {
  const list = lists[which];
  if (!list) return;
  const seen = list.contacts.filter(isSeen);
  const now = list.at + performance.now() - list.heardAt;
  const body = $(which).querySelector("tbody");
  const shown = seen.slice(0, fits);
  while (body.rows.length > shown.length) body.lastElementChild.remove();
  shown.forEach((one, n) => {
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
  const none = $(which).querySelector(".none");
  const left = seen.length - shown.length;
  $(which).querySelector("table").hidden = !shown.length;
  none.hidden = shown.length > 0 && !left;
  put(none, shown.length ? `and ${left} more` : NONE[which]);
  put($(which).querySelector(".count"), seen.length ? String(seen.length) : "");
}
