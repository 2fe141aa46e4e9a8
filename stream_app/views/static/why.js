// Why a number is what it is: its formula in words, and the contacts that add up to it.

import { show } from "./dialog.js";
import { button, make, put } from "./dom.js";
import { known, label, written } from "./numbers.js";
import { remember, windowName, wish } from "./wish.js";
import { clock, num, t } from "./words.js";

const PAGE = 50;
const AGAIN_MS = 2000;
let shows = false;
let tell;
// Whether KPIs of the ledger are computed here, once that is known.
export const served = new Promise((resolve) => { tell = resolve; });
let turn = 0;

// Whether contacts may be seen here: otherwise a number is no link. `changed` is called once they may.
export async function look(changed) {
  try {
    const { ok, headers } = await fetch("/v1/kpis", { method: "HEAD" });
    if (!ok) throw new Error("not now");
    shows = headers.get("X-Contacts") === "shown";
    tell(headers.get("X-Ledger") === "served");
    if (shows) changed();
  } catch {
    setTimeout(look, AGAIN_MS, changed);
  }
}

export const isShown = () => shows;
// What was asked last is not waited for any more.
export const leave = () => { turn += 1; };

// Makes a number one that can be opened, where contacts may be seen. `asked` returns what to ask.
export function openable(parts, kpi, channel, asked) {
  const open = button("", () => explain(asked()));
  open.className = "why";
  open.append(...parts);
  open.setAttribute("aria-haspopup", "dialog");
  open.title = t("why.of", { name: label(kpi, channel) });
  return open;
}

// `asked` are the parameters of /v1/why and, as `of`, the KPI.
export function explain({ of, ...asked }) {
  const title = [asked.queue, asked.channel, of ? label(of, asked.channel) : asked.kpi].filter(Boolean).join(" · ");
  const wait = make("p", t("loading"), "lead");
  show(title, [wait], () => {
    leave();
    wish.why = [];
    remember();
  }); // what was open has cleared the address by now
  const mine = (turn += 1);
  const address = [asked.kpi, asked.queue, asked.channel, asked.from || asked.window, asked.to, asked.policy, asked.settled].map((one) => one ?? "");
  while (address.length > 4 && !address.at(-1)) address.pop();
  wish.why = address;
  remember();
  const query = Object.entries({ ...asked, limit: PAGE }).filter(([, value]) => known(value) && value !== "");
  answered(`/v1/why?${new URLSearchParams(query)}`, wait, mine, (found) => {
    wait.replaceWith(...explained(found, of ?? { ...found, level: !found.window }, mine));
  });
}

// Explains what the address asks for.
export function openAsked(all) {
  const [name, queue, channel, first, last, policy, settled] = wish.why;
  const of = all.find((kpi) => kpi.name === name);
  const time = last ? { from: first, to: last } : { window: of?.level ? "" : first };
  explain({ of, kpi: name, queue, channel, policy, settled, ...time });
}

async function answered(path, node, mine, take) {
  try {
    const answer = await fetch(path);
    const found = await answer.json();
    if (mine !== turn) return;
    if (answer.ok) take(found);
    else Object.assign(node, { lang: "en", textContent: found.detail || found.title });
  } catch {
    if (mine === turn) put(node, t("why.failed"));
  }
}

function explained(found, kpi, mine) {
  const amounts = Object.entries(found.figure.amounts ?? {}).map(([currency, amount]) => `${amount} ${currency}`).join(", ");
  const now = make("p", "", "now");
  now.append(make("strong", amounts || written(kpi, found.figure.value)), sums(found));
  return [
    now,
    make("p", when(found), "lead"),
    ...Object.entries(found.formulas).map(([policy, text]) => english("p", policy ? `${policy.replaceAll("_", " ")}: ${text}` : text, "formula")),
    ...unknowns(found.unknown),
    ...termsOf(found, "numerator"),
    ...termsOf(found, "denominator"),
    ...leftOut(found.left_out, kpi),
    ...partsOf(found.parts),
    ...intervalsOf(found.intervals, found),
    ...contacts(found, kpi, mine),
  ];
}

function english(tag, text, name = "") {
  return Object.assign(make(tag, text, name), { lang: "en" });
}

const decimals = (value) => num(value, Number.isInteger(value) ? 0 : Number.isInteger(+(value * 10).toFixed(6)) ? 1 : 3);

function sums({ numerator, denominator }) {
  return known(numerator) && known(denominator) ? ` = ${decimals(numerator)} / ${decimals(denominator)}` : "";
}

function when(found) {
  if (found.begin === found.end) return t("why.now");
  const range = t("why.range", { from: clock(found.begin), to: clock(found.end) });
  return found.window ? `${windowName(found.window)} · ${range}` : range;
}

function unknowns(ranges) {
  if (!ranges.length) return [];
  const all = ranges.map((one) => t("why.range", { from: clock(one.begin), to: clock(one.end) })).join(", ");
  return [make("p", t("why.unknown", { times: all }), "note")];
}

const amount = (one) => `${decimals(one.n)}${one.measured === "seconds" ? " s" : ""}${one.currency ? ` ${one.currency}` : ""}`;

function listOf(lines) {
  const list = make("dl", "", "facts");
  for (const [words, value] of lines) {
    const group = make("div");
    group.append(english("dt", words), make("dd", value));
    list.append(group);
  }
  return list;
}

function termsOf(found, role) {
  const terms = found.terms.filter((one) => one.role === role);
  if (!terms.length) return [];
  return [make("h3", t(`why.${role}`)), listOf(terms.map((one) => [one.words, `${one.sign < 0 ? "− " : ""}${amount(one)}`]))];
}

function leftOut(rules, kpi) {
  const lines = rules.map((one) => [one.rule, [
    kpi.ledger ? num(one.contacts) : t("contacts", { n: one.contacts }), ...one.policies.map((name) => name.replaceAll("_", " ")),
    one.targets_versions.length ? t("why.version", { versions: one.targets_versions.join(", ") }) : "",
  ].filter(Boolean).join(" · ")]);
  return lines.length ? [make("h3", t("why.left_out")), listOf(lines)] : [];
}

// A line that leads to an explanation of its own.
function further(text, path) {
  const asked = Object.fromEntries(new URL(path, location.href).searchParams);
  const open = button(text, () => explain(asked));
  open.className = "link";
  return open;
}

function partsOf(parts) {
  return parts.flatMap((part) => {
    const line = make("p");
    line.append(`${part.queue} · ${part.channel}: `);
    part.of.forEach((one, n) => {
      const value = known(one.value) ? decimals(one.value) : "–";
      line.append(n ? ", " : "", further(`${one.kpi.replaceAll("_", " ")} ${value}`, one.why));
      line.lastChild.lang = "en";
    });
    return line;
  });
}

function intervalsOf(intervals, found) {
  if (!intervals.length) return [];
  const list = make("ul", "", "intervals");
  for (const one of intervals) {
    const line = make("li");
    const text = `${one.queue} · ${one.channel} · ${clock(one.begin)}: ${num(one.value * 100, 1)} % ${one.met ? "≥" : "<"} ${num(one.target * 100, 1)} %`;
    line.append(further(text, one.why));
    list.append(line);
  }
  return [make("h3", t("why.intervals", { n: found.total })), list];
}

// ---- contacts, and what else a KPI of the ledger counts ------------------------------------------------------------

function contacts(found, kpi, mine) {
  const what = kpi.ledger ? "rows" : "contacts";
  if (!found.rows.length) return found.total || found.parts.length ? [] : [make("p", t(`why.no_${what}`), "none")];
  const table = make("table");
  const head = make("tr");
  for (const name of ["contact", "queue", "agent", "at", "adds"]) {
    const own = name === "at" || name === "adds";
    const cell = make("th", t(own ? `why.${name}` : kpi.ledger && name === "contact" ? "why.about" : `col.${name}`));
    cell.scope = "col";
    head.append(cell);
  }
  const [top, body] = [make("thead"), make("tbody")];
  top.append(head);
  table.append(top, body);
  const rest = make("p");
  fill(body, rest, found, mine);
  return [make("h3", t(`why.${what}`, { n: found.total })), table, rest];
}

function fill(body, rest, found, mine) {
  body.append(...found.rows.map(contact));
  rest.replaceChildren();
  if (!found.next) return;
  const more = button(t("why.more"), () => {
    const wait = make("span", t("loading"));
    rest.replaceChildren(wait);
    answered(found.next, wait, mine, (page) => fill(body, rest, page, mine));
  });
  more.className = "link";
  rest.append(more);
}

function contact(one) {
  const line = make("tr");
  const name = make("td", "", "contact");
  if (one.url) {
    const link = make("a", one.contact_id);
    Object.assign(link, { href: one.url, rel: "noreferrer" });
    name.append(link);
  } else name.textContent = one.contact_id ?? "";
  const others = [one.case, one.customer, one.item].filter(Boolean);
  if (others.length) name.append(one.contact_id ? " · " : "", others.join(" · "));
  if (!name.textContent) name.textContent = t("why.forgotten");
  const amounts = Object.entries(one.amounts ?? {}).map(([currency, amount]) => `${amount} ${currency}`).join(", ");
  const adds = known(one.denominator) && known(one.numerator) ? `${decimals(one.numerator)} / ${decimals(one.denominator)}` : known(one.numerator) ? decimals(one.numerator) : "";
  line.append(name, ...[[one.queue, one.channel].filter(Boolean).join(" · "), one.agent ?? "", clock(one.at), amounts || adds].map((text) => make("td", text)));
  return line;
}
