// What the numbers mean, and what is behind a tile: one dialog, filled with text.

import { duration, judge, known, shown } from "./numbers.js";
import { $, make } from "./tiles.js";
import { PLACES, wish } from "./wish.js";

const SERVICE_LEVEL = "service_level";

export const isOpen = () => $("dialog").open;

function show(title, parts) {
  const dialog = $("dialog");
  $("dialog-name").textContent = title;
  $("dialog-body").replaceChildren(...parts);
  if (!dialog.open) dialog.showModal();
  $("dialog-body").scrollTop = 0;
}

function terms(pairs) {
  const list = make("dl", "", "facts");
  for (const [name, text] of pairs) {
    if (!text) continue;
    const group = make("div");
    group.append(make("dt", name), make("dd", text));
    list.append(group);
  }
  return list;
}

function links() {
  const line = make("p");
  const [dictionary, docs] = [make("a", "Dictionary of all KPIs"), make("a", "Interface")];
  dictionary.href = "/v1/kpis";
  docs.href = "/docs";
  line.append(dictionary, " · ", docs);
  return line;
}

const meaning = (kpi, titles) => [
  ["What", kpi.doc],
  ["Formula", kpi.formula],
  ["Misleads", kpi.misleads],
  ["Read beside it", kpi.pairs.map((name) => titles.get(name) ?? name).join(", ")],
];

const titlesOf = (all) => new Map(all.map((kpi) => [kpi.name, kpi.title]));

export function dictionary(kpis, all) {
  const parts = kpis.flatMap((kpi) => [make("h3", kpi.title), terms(meaning(kpi, titlesOf(all)))]);
  show("What the numbers mean", [...parts, links()]);
}

function valueOf(kpi, row) {
  return kpi.level ? row.levels[kpi.name] : row.windows[wish.window]?.[kpi.name]?.value;
}

// A pair's own value stands beside it where the stream tells it.
function beside(kpi, row, kpis, titles) {
  return kpi.pairs.map((name) => {
    const pair = kpis.find((one) => one.name === name);
    const value = pair && valueOf(pair, row);
    return known(value) ? `${titles.get(name)} ${shown(pair, value).join(" ").trim()}` : titles.get(name) ?? name;
  }).join(", ");
}

export function details(row, kpis, all) {
  const titles = titlesOf(all);
  const where = [row.site && `worked at ${row.site}${row.partner ? " (partner)" : ""}`, row.unit && `for ${row.unit}`];
  const policy = row.policy.replaceAll("_", " ");
  const parts = [make("p", [`Service-level policy: ${policy}`, ...where.filter(Boolean)].join(" · "), "lead")];
  for (const kpi of kpis) {
    const figure = row.windows[wish.window]?.[kpi.name];
    const value = valueOf(kpi, row);
    const [state, aim, kind, word] = judge(kpi, value, row.targets[kpi.name], row.too_good[kpi.name]);
    const now = make("p", "", "now");
    const judged = make("span", (word ? `${word}: ` : "") + kind + aim, "state");
    judged.dataset.state = state;
    now.append(make("strong", shown(kpi, value).join(" ").trim()), " ", judged);
    const spread = ["p50", "p90", "p95"].filter((p) => known(figure?.[p]))
      .map((p) => `${p.slice(1)} % in ${duration(figure[p]).join(" ")}`).join(", ");
    parts.push(make("h3", kpi.title), now, terms([
      ["Samples", kpi.level ? "" : String(figure?.samples ?? 0)],
      ["Spread", spread],
      ["Policy", kpi.name === SERVICE_LEVEL ? policy : ""],
      ["What", kpi.doc],
      // Its formula is the policy's; the dictionary has the default one.
      ["Formula", kpi.name === SERVICE_LEVEL ? "" : kpi.formula],
      ["Misleads", kpi.misleads],
      ["Read beside it", beside(kpi, row, kpis, titles)],
    ]));
  }
  show(`${row.queue} · ${row.channel}`, [...parts, links()]);
}

export function help(keysChanged) {
  const content = $("help").content.cloneNode(true);
  const keys = content.querySelector("#keys");
  keys.checked = wish.keys === "on";
  keys.addEventListener("change", () => {
    wish.keys = keys.checked ? "on" : "off";
    keysChanged();
  });
  show("Help", [...content.children]);
}

// One checkbox for every queue, channel, site and unit that there is, and for those that the address names.
export function filters(rows, changed) {
  const parts = [];
  for (const [name, title] of Object.entries(PLACES)) {
    const values = new Set([...rows.map((row) => row[name]).filter(Boolean), ...wish[name]]);
    if (!values.size) continue;
    const group = make("fieldset", "", "choices");
    group.append(make("legend", title));
    for (const value of [...values].sort()) {
      const label = make("label", "", "check");
      const box = make("input");
      Object.assign(box, { type: "checkbox", name, value, checked: wish[name].has(value) });
      box.addEventListener("change", () => {
        if (box.checked) wish[name].add(value);
        else wish[name].delete(value);
        changed();
      });
      label.append(box, ` ${value}`);
      group.append(label);
    }
    parts.push(group);
  }
  const all = make("button", "Show all");
  all.type = "button";
  all.addEventListener("click", () => {
    for (const name of Object.keys(PLACES)) wish[name].clear();
    for (const box of $("dialog-body").querySelectorAll("input")) box.checked = false;
    changed();
  });
  show("Filter", [make("p", "Nothing ticked in a group shows all of it.", "lead"), ...parts, all]);
}
