// The dialog's contents: what the numbers mean, help, and filters.

import { show } from "./dialog.js";
import { $, button, make } from "./dom.js";
import { PLACES, showAll, wish } from "./wish.js";
import * as tile from "./details.js";
import { t } from "./words.js";

const MANY = 12; // of more values, a field finds them

function api() {
  const link = make("a", t("api"));
  link.href = "/docs";
  return link;
}

// Links to further reading.
function links(all, kpis) {
  const line = make("p");
  const open = button(t("dictionary"), () => dictionary(kpis, all));
  open.className = "link";
  line.append(open, " · ", api());
  return line;
}

export function dictionary(kpis, all) {
  const titles = new Map(all.map((kpi) => [kpi.name, kpi.title]));
  const heading = (kpi) => Object.assign(make("h3", kpi.title), { lang: "en" });
  const meaning = (kpi) => [heading(kpi), tile.terms([
    [t("fact.meaning"), kpi.doc],
    [t("fact.formula"), kpi.formula],
    [t("fact.caution"), kpi.misleads],
    [t("fact.see_also"), kpi.pairs.map((name) => titles.get(name) ?? name).join(", ")],
  ])];
  const rest = all.filter((kpi) => !kpis.includes(kpi));
  const line = make("p");
  line.append(api());
  show(t("dictionary.title"), [...kpis, ...rest].flatMap(meaning).concat(line));
}

export function details(rowOf, kpis, all) {
  tile.details(rowOf, kpis, all, links(all, kpis));
}

export function help(keysChanged, kpis, all) {
  const content = $("help").content.cloneNode(true);
  const keys = content.querySelector("#keys");
  keys.checked = wish.keys === "on";
  keys.addEventListener("change", () => {
    wish.keys = keys.checked ? "on" : "off";
    keysChanged();
  });
  show(t("help"), [...content.children, links(all, kpis)]);
}

// One checkbox for every known queue, channel, site and unit, and for those in the address; of many, a field finds some, and
// all that are found can be ticked at once.
export function filters(rows, changed) {
  const parts = [];
  for (const name of PLACES) {
    const values = new Set([...rows.map((row) => row[name]).filter(Boolean), ...wish[name]]);
    if (values.size) parts.push(choices(name, [...values].sort(), changed));
  }
  const all = button(t("show_all"), () => {
    showAll();
    for (const box of $("dialog-body").querySelectorAll("input[type=checkbox]")) box.checked = false;
    changed();
  });
  show(t("filter.title"), [make("p", t("filter.lead"), "lead"), ...parts, all]);
}

function choices(name, values, changed) {
  const group = make("fieldset", "", "choices");
  group.append(make("legend", t("filter.group", { name: t(`places.${name}`), n: values.length })));
  const box = make("div", "", "values");
  const labels = values.map((value) => {
    const label = make("label", "", "check");
    const input = make("input");
    Object.assign(input, { type: "checkbox", name, value, checked: wish[name].has(value) });
    input.addEventListener("change", () => {
      if (input.checked) wish[name].add(value);
      else wish[name].delete(value);
      changed();
    });
    label.append(input, ` ${value}`);
    return label;
  });
  box.append(...labels);
  if (values.length > MANY) group.append(finder(name, labels, changed));
  group.append(box);
  return group;
}

function finder(name, labels, changed) {
  const line = make("p", "", "finder");
  const field = make("input");
  Object.assign(field, { type: "search", placeholder: t("filter.find"), autocomplete: "off" });
  field.setAttribute("aria-label", t("filter.find_in", { name: t(`places.${name}`) }));
  const found = () => labels.filter((label) => !label.hidden);
  field.addEventListener("input", () => {
    for (const label of labels) label.hidden = !label.textContent.toLowerCase().includes(field.value.trim().toLowerCase());
  });
  const tick = button(t("filter.tick"), () => {
    for (const label of found()) {
      label.firstElementChild.checked = true;
      wish[name].add(label.firstElementChild.value);
    }
    changed();
  });
  line.append(field, " ", tick);
  return line;
}
