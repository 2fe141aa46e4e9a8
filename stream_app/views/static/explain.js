// What the numbers mean, help, and what to choose from: the dialog, filled with text.

import { show } from "./dialog.js";
import { $, button, make } from "./dom.js";
import { PLACES, wish } from "./wish.js";
import * as tile from "./details.js";

function api() {
  const link = make("a", "API");
  link.href = "/docs";
  return link;
}

// What everybody may want to read next.
function links(all, kpis) {
  const line = make("p");
  const open = button("Dictionary: what the numbers mean", () => dictionary(kpis, all));
  open.className = "link";
  line.append(open, " · ", api());
  return line;
}

export function dictionary(kpis, all) {
  const titles = new Map(all.map((kpi) => [kpi.name, kpi.title]));
  const meaning = (kpi) => [make("h3", kpi.title), tile.terms([
    ["What", kpi.doc],
    ["Formula", kpi.formula],
    ["Misleads", kpi.misleads],
    ["Read beside it", kpi.pairs.map((name) => titles.get(name) ?? name).join(", ")],
  ])];
  const rest = all.filter((kpi) => !kpis.includes(kpi));
  const line = make("p");
  line.append(api());
  show("What the numbers mean", [...kpis, ...rest].flatMap(meaning).concat(line));
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
  show("Help", [...content.children, links(all, kpis)]);
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
  const all = button("Show all", () => {
    for (const name of Object.keys(PLACES)) wish[name].clear();
    for (const box of $("dialog-body").querySelectorAll("input")) box.checked = false;
    changed();
  });
  show("Filter", [make("p", "Tick nothing to show all.", "lead"), ...parts, all]);
}
