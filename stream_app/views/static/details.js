// The details of a tile: all its numbers and what each means. They follow the stream while the dialog is open.

import { show } from "./dialog.js";
import { make, mark, put } from "./dom.js";
import { ask } from "./feed.js";
import { badge, duration, isWritten, known, label, valueOf, verdict, written } from "./numbers.js";
import { asking } from "./tiles.js";
import { drawWeek, week } from "./week.js";
import { isShown, openable, served } from "./why.js";
import { remember, windowName, wish } from "./wish.js";
import { num, t } from "./words.js";

const SERVICE_LEVEL = "service_level";
const PAIRS_MS = 10000;

let open = null;

export const isOpen = () => open !== null;

// What else is told where people write, and the window of what has one.
const ELSE = { closed_unanswered: "today", pending: null, oldest_unanswered_by_bot: null, reply_service_level: null };
const COUNTS = ["offered", "answered", "abandoned"];
const OF_LEDGER = ["first_contact_resolution", "time_to_resolve"]; // of the last seven days

const figureOf = (kpi, row) => (kpi.level ? { value: row.levels[kpi.name] } : row.windows[wish.window]?.[kpi.name] ?? {});

// A list of facts whose texts can change; empty ones are left out. Where there is one, `opens(n, parts)` makes a fact a link.
function facts(titles, opens = null) {
  const list = make("dl", "", "facts");
  const set = titles.map((title, n) => {
    const [group, cell] = [make("div"), make("dd")];
    const text = opens ? make("span") : cell;
    if (opens) cell.append(opens(n, [text]));
    group.append(make("dt", title), cell);
    list.append(group);
    return (content, live = false, lang = "") => {
      put(text, content);
      if (lang) text.lang = lang; // the dictionary is in English
      text.classList.toggle("live", live);
      group.hidden = !content;
    };
  });
  return [list, set];
}

export function terms(pairs) {
  const [list, set] = facts(pairs.map(([title]) => title));
  pairs.forEach(([, text], n) => set[n](text, false, "en"));
  return list;
}

// The KPIs to read with them that the stream does not carry.
function pairsOf(kpis, all) {
  const names = new Set(kpis.flatMap((kpi) => kpi.pairs));
  return all.filter((kpi) => names.has(kpi.name) && !kpi.ledger && !kpis.includes(kpi));
}

function section(kpi, row) {
  const channel = row.channel;
  const now = make("p", "", "now");
  const [value, judged] = [make("strong"), make("span", "", "state")];
  now.append(isShown() ? openable([value], kpi, channel, () => asking(row, kpi)) : value, " ", judged);
  const [list, set] = facts(["samples", "spread", "policy", "meaning", "formula", "caution", "see_also"].map((one) => t(`fact.${one}`)));
  return { kpi, value, judged, set, parts: [make("h3", label(kpi, channel)), now, list] };
}

function drawSection({ kpi, value, judged, set }, row, { kpis, all, beside }) {
  const figure = figureOf(kpi, row);
  const [state, aim, kind, word] = verdict(kpi, row, wish.window);
  put(value, written(kpi, valueOf(kpi, row, wish.window)));
  put(judged, (word ? `${word}: ` : "") + kind + aim);
  mark(judged, state);
  const spread = ["p50", "p90", "p95"].filter((p) => known(figure[p])).map((p) => t("in_time", { share: p.slice(1), time: duration(figure[p]).join(" ") }));
  const isLevel = kpi.name === SERVICE_LEVEL;
  const pairs = kpi.pairs.map((name) => {
    const pair = all.find((one) => one.name === name);
    if (!pair) return name;
    if (pair.ledger) return label(pair, row.channel);
    const own = kpis.includes(pair) ? row : beside;
    const its = own ? figureOf(pair, own) : {};
    const amounts = Object.entries(its.amounts ?? {}).map(([currency, amount]) => `${amount} ${currency}`).join(", ");
    return `${label(pair, row.channel)} ${amounts || (own ? written(pair, valueOf(pair, own, wish.window)) : "")}`.trim();
  });
  set[0](kpi.level ? "" : num(figure.samples ?? 0), true);
  set[1](spread.join(", "), true);
  set[2](isLevel ? row.policy.replaceAll("_", " ") : "");
  set[3](kpi.doc, false, "en");
  set[4]((isLevel && kpi.policies[row.policy]) || kpi.formula, false, "en");
  set[5](kpi.misleads, false, "en");
  set[6](pairs.join(", "), true, "en");
}

// What needs more than today, where it is computed: `still` says whether the dialog is open.
function lasting(all, { queue, channel }, still) {
  const kpis = all.filter((kpi) => OF_LEDGER.includes(kpi.name));
  const opens = (n, parts) => openable(parts, kpis[n], channel, () => ({ of: kpis[n], kpi: kpis[n].name, queue, channel, window: "7d" }));
  const [list, set] = facts(kpis.map((kpi) => t("in_seven_days", { name: label(kpi, channel) })), isShown() ? opens : null);
  set.forEach((one) => one(""));
  const asked = new URLSearchParams([["window", "7d"], ["queue", queue], ["channel", channel], ...kpis.map((kpi) => ["kpi", kpi.name])]);
  const take = ({ rows: [row], unknown }) => {
    if (!still()) return false;
    kpis.forEach((kpi, n) => {
      const { value, samples } = row?.kpis[kpi.name] ?? {};
      const partly = unknown.length ? ` · ${t("partly_known")}` : "";
      set[n](known(value) ? `${written(kpi, value)} · ${num(samples)}${partly}` : "", true);
    });
    return true;
  };
  served.then((yes) => yes && still() && ask(() => `/v1/ledger?${asked}`, take, PAIRS_MS));
  return list;
}

// `rowOf` returns the current row; `last` is the last element. They have an address, so that they can be sent to a colleague.
export function details(rowOf, kpis, all, last) {
  const first = rowOf();
  const [lead, when, state] = [make("p", "", "lead"), make("p", "", "when"), make("p", "", "state overall")];
  const besides = isWritten(first) ? all.filter((kpi) => kpi.name in ELSE) : [];
  const titles = besides.map((kpi) => label(kpi, first.channel));
  const [list, set] = facts([...["late", ...COUNTS].map((one) => t(`count.title.${one}`)), ...titles]);
  const sections = kpis.map((kpi) => section(kpi, first));
  const pairs = pairsOf(kpis, all);
  const mine = { rowOf, kpis, all, besides, lead, when, state, set, sections, first, beside: null, week: week() };
  const parts = [lead, state, when, list, lasting(all, first, () => open === mine), mine.week.node, ...sections.flatMap((one) => one.parts), last];
  wish.details = [first.queue, first.channel];
  show(`${first.queue} · ${first.channel}`, parts, () => {
    open = null;
    wish.details = [];
    remember();
  });
  remember();
  open = mine;
  const path = () => `/v1/now?${new URLSearchParams([
    ["queue", first.queue], ["channel", first.channel], ["window", wish.window],
    ...(besides.length && wish.window !== "today" ? [["window", "today"]] : []),
    ...[...new Set([...pairs, ...besides])].map((kpi) => ["kpi", kpi.name]),
  ])}`;
  ask(path, (now) => {
    if (open !== mine) return false;
    mine.beside = now.rows[0] ?? null;
    redraw();
    return true;
  }, PAIRS_MS);
  drawWeek(mine.week, first, () => open === mine);
  redraw();
}

// `fresh` is how far the numbers can be relied on, where that has changed.
export function redraw(fresh) {
  if (!open) return;
  open.fresh = fresh ?? open.fresh;
  const row = open.rowOf();
  const shown = row ?? open.first;
  const where = [
    shown.site && t(shown.partner ? "handled_at.partner" : "handled_at", { site: shown.site }),
    shown.unit && t("for_unit", { unit: shown.unit }),
  ];
  const policy = t("policy.long", { name: shown.policy.replaceAll("_", " ") });
  const hours = shown.clock === "business" ? t("by_hours.long") : "";
  put(open.lead, [policy, ...where, hours, shown.open ? "" : t("closed_now")].filter(Boolean).join(" · "));
  const window = wish.window === "today" ? windowName() : t("last", { window: windowName() });
  const { how = "", old = t("age.unknown") } = open.fresh ?? {};
  put(open.when, row ? `${window} · ${how}${old}` : t("queue_gone"));
  const [state, text, more, tail = ""] = badge(shown, wish.window, open.kpis);
  mark(open.state, state);
  put(open.state, [text.replace(/ \+\d+$/, "") + tail, more].filter(Boolean).join(" · ")); // all that is off, not how much more
  const counts = shown.counts?.[wish.window];
  open.set[0](String(shown.late ?? ""), true);
  COUNTS.forEach((name, n) => {
    const short = name === "abandoned" && counts?.abandoned_short ? ` ${t("of_these_short", { n: counts.abandoned_short })}` : "";
    open.set[n + 1](counts ? num(counts[name]) + short : "", true);
  });
  open.besides.forEach((kpi, n) => {
    const value = open.beside && valueOf(kpi, open.beside, ELSE[kpi.name] ?? wish.window);
    open.set[1 + COUNTS.length + n](known(value) ? written(kpi, value) : "", true);
  });
  for (const one of open.sections) drawSection(one, shown, open);
  if (row) open.first = row;
}
