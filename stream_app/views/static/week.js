// Today beside the same weekday a week ago, until the same time of day: from the interval rows that planners read.

import { make } from "./dom.js";
import { num, t } from "./words.js";

const STEP_MS = 900_000;
const AGAIN_MS = 5000;
const COLUMNS = ["offered", "answered", "abandoned"];

export function week() {
  const node = make("div", "", "week");
  node.hidden = true;
  return { node };
}

const local = (moment) => new Date(moment - new Date(moment).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

// The sums of the finished intervals from midnight, on the reader's clock, until `to`; null where one of them has no row.
async function sums(row, from, to) {
  const asked = new URLSearchParams({
    queue: row.queue, channel: row.channel, from: new Date(from).toISOString(), to: new Date(to).toISOString(),
  });
  const total = { offered: 0, answered: 0, abandoned: 0, rows: 0 };
  for (let path = `/v1/intervals?${asked}`; path;) {
    const answer = await fetch(path);
    if (!answer.ok) return null;
    const page = await answer.json();
    for (const one of page.rows) {
      total.rows += 1;
      for (const name of COLUMNS) total[name] += one[name];
    }
    path = page.next ?? "";
  }
  return total.rows === Math.round((to - from) / STEP_MS) ? total : null;
}

export async function drawWeek({ node }, row, isOpen) {
  const now = Date.now();
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  const to = now - (now % STEP_MS);
  if (to <= midnight) return;
  // A week ago by the calendar: where the clocks changed in between, that is not 168 hours.
  const before = (moment) => new Date(moment).setDate(new Date(moment).getDate() - 7);
  let found;
  try {
    found = await Promise.all([sums(row, midnight, to), sums(row, before(midnight), before(to))]);
  } catch {
    return void setTimeout(() => isOpen() && drawWeek({ node }, row, isOpen), AGAIN_MS);
  }
  if (!isOpen()) return;
  node.hidden = false;
  if (!found[0] && !found[1]) return void node.replaceChildren(make("p", t("week.neither"), "lead"));
  const table = make("table");
  const head = table.createTHead().insertRow();
  head.append(...["", ...COLUMNS.map((name) => t(`count.title.${name}`))].map((text) => Object.assign(make("th", text), { scope: "col" })));
  const body = table.createTBody();
  [["today", found[0]], ["week_ago", found[1]]].forEach(([name, its]) => {
    const line = body.insertRow();
    line.append(Object.assign(make("th", t(`week.${name}`)), { scope: "row" }));
    for (const column of COLUMNS) line.append(make("td", its ? num(its[column]) : t("week.unknown")));
  });
  node.replaceChildren(make("p", t("week.lead", { time: local(to).slice(11) }), "lead"), table);
}
