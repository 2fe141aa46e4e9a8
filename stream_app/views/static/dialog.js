// The one dialog of the page.

import { $ } from "./dom.js";

let over = null;

export const isOpen = () => $("dialog").open;
export const close = () => $("dialog").close();

// `closed` is called when something else is shown, or nothing.
export function show(title, parts, closed = null) {
  const dialog = $("dialog");
  over?.();
  over = closed;
  $("dialog-name").textContent = title;
  $("dialog-body").replaceChildren(...parts);
  if (!dialog.open) dialog.showModal();
  $("dialog-body").scrollTop = 0;
}

$("dialog").addEventListener("close", () => {
  over?.();
  over = null;
});
