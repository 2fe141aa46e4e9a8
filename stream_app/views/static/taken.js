// Who calls whom back, so that two people don't ring one customer. A name is typed once, and kept in this browser.

import * as dialog from "./dialog.js";
import { $, button, make, put } from "./dom.js";
import { clock, t } from "./words.js";

const KEPT = "stream-app.name";
const PATIENCE_MS = 5000; // a server that hangs has not saved it
let again = () => {};
let memory = ""; // where the browser keeps nothing

const mine = () => {
  try {
    return localStorage.getItem(KEPT) ?? memory;
  } catch {
    return memory;
  }
};

function keep(name) {
  memory = name;
  try {
    localStorage.setItem(KEPT, name);
  } catch {
    // a private window: until it is closed
  }
}

// `changed` is called when the list should be asked for again.
export function follow(changed) {
  again = changed;
  $("me").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = $("me-name").value.trim();
    if (!name) return;
    keep(name);
    ask(false);
    if (pending) take(...pending);
    pending = null;
  });
  $("me-change").addEventListener("click", () => ask(true));
  drawName();
}

let pending = null; // what was wanted when there was no name yet

function ask(open) {
  $("me").hidden = !open;
  drawName();
  if (!open) return;
  $("me-name").value = mine();
  $("me-name").focus();
}

function drawName() {
  put($("me-said"), mine() ? t("taken.me", { name: mine() }) : "");
  $("me-change").hidden = !mine();
}

async function take(one, wanted) {
  if (!mine()) {
    pending = [one, wanted];
    if (dialog.isOpen()) dialog.close(); // the name is asked for beside the list
    return ask(true);
  }
  const body = JSON.stringify({ contact_id: one.contact_id, abandoned_at: one.abandoned_at, by: mine(), taken: wanted });
  let answer = null;
  try {
    answer = await fetch("/v1/abandoned/taken", {
      method: "POST", headers: { "Content-Type": "application/json" }, body, signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    // no connection: said below
  }
  put($("taken-said"), answer?.ok ? "" : answer?.status === 409 ? t("taken.by_other") : t("taken.failed"));
  return again();
}

// The last cell of a line: who calls, or a button. `line.one` is the contact that the line is of now.
export function draw(line, one, takes) {
  line.one = one;
  const cell = line.cells[4];
  if (!cell.firstElementChild) {
    const act = button("", () => take(line.one, !line.one.taken));
    act.className = "take";
    cell.append(make("span"), " ", act);
  }
  const [who, act] = cell.children;
  put(who, one.taken ? `${one.taken.by}, ${clock(one.taken.at)}` : "");
  act.hidden = !takes || (one.taken && one.taken.by !== mine());
  put(act, t(one.taken ? "taken.undo" : "taken.take"));
  line.toggleAttribute("data-taken", !!one.taken);
}
