// What is behind a tile: all its numbers, with what each means. It goes with the stream as long as it is open.

import { show } from "./dialog.js";
import { make, mark, put } from "./dom.js";
import { ask } from "./feed.js";
import { duration, judge, known, shown } from "./numbers.js";
import { WINDOWS, wish } from "./wish.js";

const SERVICE_LEVEL = "service_level";
const PAIRS_MS = 10000;

let open = null;

const written = (kpi, value) => shown(kpi, value).join(" ").trim();
const figureOf = (kpi, row) => (kpi.level ? { value: row.levels[kpi.name] } : row.windows[wish.window]?.[kpi.name] ?? {});

// A list of facts whose texts can change; what is empty is left out.
function facts(titles) {
  const list = make("dl", "", "facts");
  const set = titles.map((title) => {
    const [group, text] = [make("div"), make("dd")];
    group.append(make("dt", title), text);
    list.append(group);
    return (said, live = false) => {
      put(text, said);
      text.classList.toggle("live", live);
      group.hidden = !said;
    };
  });
  return [list, set];
}

export function terms(pairs) {
  const [list, set] = facts(pairs.map(([title]) => title));
  pairs.forEach(([, text], n) => set[n](text));
  return list;
}

// The values of those to be read beside them which the stream does not tell.
function pairsOf(kpis, all) {
  const names = new Set(kpis.flatMap((kpi) => kpi.pairs));
  return all.filter((kpi) => names.has(kpi.name) && !kpi.headline);
}

function section(kpi) {
  const now = make("p", "", "now");
  const [value, judged] = [make("strong"), make("span", "", "state")];
  now.append(value, " ", judged);
  const [list, set] = facts(["Samples", "Spread", "Policy", "What", "Formula", "Misleads", "Read beside it"]);
  return { kpi, value, judged, set, parts: [make("h3", kpi.title), now, list] };
}

function drawSection({ kpi, value, judged, set }, row, { kpis, all, beside }) {
  const figure = figureOf(kpi, row);
  const [state, aim, kind, word] = judge(kpi, figure.value, row.targets[kpi.name], row.too_good[kpi.name], row.open);
  put(value, written(kpi, figure.value));
  put(judged, (word ? `${word}: ` : "") + kind + aim);
  mark(judged, state);
  const spread = ["p50", "p90", "p95"].filter((p) => known(figure[p])).map((p) => `${p.slice(1)} % in ${duration(figure[p]).join(" ")}`);
  const isLevel = kpi.name === SERVICE_LEVEL;
  const pairs = kpi.pairs.map((name) => {
    const pair = all.find((one) => one.name === name);
    if (!pair) return name;
    const own = kpis.includes(pair) ? row : beside;
    const said = own ? figureOf(pair, own) : {};
    const amounts = Object.entries(said.amounts ?? {}).map(([currency, amount]) => `${amount} ${currency}`).join(", ");
    return `${pair.title} ${amounts || (known(said.value) ? written(pair, said.value) : "")}`.trim();
  });
  set[0](kpi.level ? "" : String(figure.samples ?? 0), true);
  set[1](spread.join(", "), true);
  set[2](isLevel ? row.policy.replaceAll("_", " ") : "");
  set[3](kpi.doc);
  set[4]((isLevel && kpi.policies[row.policy]) || kpi.formula);
  set[5](kpi.misleads);
  set[6](pairs.join(", "), true);
}

// `rowOf` gives the row as it is now; `last` stands at the end.
export function details(rowOf, kpis, all, last) {
  const first = rowOf();
  const [lead, when] = [make("p", "", "lead"), make("p", "", "when")];
  const sections = kpis.map(section);
  const pairs = pairsOf(kpis, all);
  const mine = { rowOf, kpis, all, lead, when, sections, first, beside: null };
  const parts = [lead, when, ...sections.flatMap((one) => one.parts), last];
  show(`${first.queue} · ${first.channel}`, parts, () => { open = null; });
  open = mine;
  const path = () => `/v1/now?${new URLSearchParams([
    ["queue", first.queue], ["channel", first.channel], ["window", wish.window], ...pairs.map((kpi) => ["kpi", kpi.name]),
  ])}`;
  ask(path, (now) => {
    if (open !== mine) return false;
    mine.beside = now.rows[0] ?? null;
    redraw();
    return true;
  }, PAIRS_MS);
  redraw();
}

// `fresh` is how far the numbers can be relied on, where that is news.
export function redraw(fresh) {
  if (!open) return;
  open.fresh = fresh ?? open.fresh;
  const row = open.rowOf();
  const shown = row ?? open.first;
  const where = [shown.site && `worked at ${shown.site}${shown.partner ? " (partner)" : ""}`, shown.unit && `for ${shown.unit}`];
  const policy = `Service-level policy: ${shown.policy.replaceAll("_", " ")}`;
  put(open.lead, [policy, ...where, shown.open ? "" : "closed now"].filter(Boolean).join(" · "));
  const window = wish.window === "today" ? "Today" : `Last ${WINDOWS[wish.window]}`;
  const { how = "", old = "age unknown", tail = "" } = open.fresh ?? {};
  put(open.when, row ? `${window} · ${how}${old}${tail}` : "This queue is not there any more.");
  for (const one of open.sections) drawSection(one, shown, open);
  if (row) open.first = row;
}
