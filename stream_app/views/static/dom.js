// The only ways in which the page is changed: text and attributes, never markup.

export const $ = (id) => document.getElementById(id);

export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function mark(node, state) {
  if (node.dataset.state !== state) node.dataset.state = state;
}

export function make(tag, text = "", name = "") {
  const node = document.createElement(tag);
  node.textContent = text;
  if (name) node.className = name;
  return node;
}

export function button(text, click) {
  const node = make("button", text);
  node.type = "button";
  node.addEventListener("click", click);
  return node;
}

// A button that shows a sign: what it does, for ears and for a pointer that rests on it.
export function named(node, text) {
  node.setAttribute("aria-label", text);
  node.title = text;
}
