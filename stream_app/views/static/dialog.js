// The one dialog of the page. It is a step in the browser's history, so that a phone's back closes it and does not leave the page.

import { $ } from "./dom.js";
import { remember, step } from "./wish.js";

let over = null;
let leaving = false;

const isStep = () => history.state?.dialog === true;
export const isOpen = () => $("dialog").open;
export const close = () => $("dialog").close();

// `closed` is called when something else is shown, or nothing.
export function show(title, parts, closed = null) {
  const dialog = $("dialog");
  over?.();
  over = closed;
  $("dialog-name").textContent = title;
  $("dialog-body").replaceChildren(...parts);
  if (!dialog.open) {
    dialog.showModal();
    if (!isStep()) step({ dialog: true });
  }
  $("dialog-body").scrollTop = 0;
}

function forget() {
  over?.();
  over = null;
}

// What was changed meanwhile is kept: the step before gets the address of the page as it is now, before anybody reads it.
$("dialog").addEventListener("close", () => {
  forget();
  if (!isStep()) return;
  leaving = true;
  history.back();
});
addEventListener("popstate", () => {
  if (isOpen() && !isStep()) {
    forget();
    close();
  } else if (!leaving) {
    return;
  }
  leaving = false;
  remember();
});
