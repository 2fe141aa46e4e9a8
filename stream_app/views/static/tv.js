// The screen on the wall: which layout, which page, how it turns, full screen, theme, and the lock that keeps it awake.

import { $, make, put } from "./dom.js";
import { THEMES, wish } from "./wish.js";

const TILE = { width: 306, height: 236 }; // smaller, and a tile can't be read across a room
const ROW = { width: 560, height: 46 };
const GAP = 10;
const LINE_PX = 50; // of a list
const FADE_MS = 5000;
const LIST_HEAD_PX = 230;

let page = 0;
let turnedAt = 0;
let awake = null;

// How many fit: few as tiles as large as there is room for, many as dense rows in columns, more on several pages.
export function plan(count, width, height) {
  const most = { columns: Math.max(1, Math.floor(width / TILE.width)), rows: Math.max(1, Math.floor(height / TILE.height)) };
  if (count <= most.columns * most.rows || width < ROW.width) {
    let best = null;
    for (let columns = 1; columns <= most.columns; columns += 1) {
      const rows = Math.min(most.rows, Math.max(1, Math.ceil(count / columns)));
      const side = Math.min(width / columns / 1.6, height / rows);
      if ((columns * rows >= count || columns === most.columns) && (!best || side > best.side)) best = { columns, rows, side };
    }
    return { kind: "tiles", columns: best.columns, rows: best.rows, each: best.columns * best.rows };
  }
  const columns = Math.floor((width + GAP) / (ROW.width + GAP));
  const fit = columns * Math.max(1, Math.floor(height / ROW.height) - 1);
  const each = Math.ceil(count / Math.ceil(count / fit));
  return { kind: "dense", columns, rows: Math.ceil(each / columns), each };
}

// The pages: queues first, then the lists that have somebody on them; who turns by hand may see an empty one too.
export function pagesOf(count, layout, sizes) {
  const pages = [];
  for (let from = 0; from < Math.max(1, count); from += layout.each) {
    pages.push({ kind: "queues", from, to: Math.min(count, from + layout.each), turns: true });
  }
  pages.push({ kind: "risk", turns: sizes.risk > 0 }, { kind: "ring", turns: sizes.ring > 0 });
  return pages;
}

export const isTv = () => wish.view === "tv";
export const listFits = () => Math.max(3, Math.floor(($("main").clientHeight - LIST_HEAD_PX) / LINE_PX));

export function current(pages) {
  if (page >= pages.length) page = 0;
  return pages[page];
}

export function step(pages, by) {
  page = (page + by + pages.length) % pages.length;
  turnedAt = performance.now();
}

// Whether it is time for another page, and there is one.
export function turn(pages) {
  if (wish.paused === "yes" || performance.now() - turnedAt < wish.every * 1000) return false;
  turnedAt = performance.now();
  for (let n = 1; n < pages.length; n += 1) {
    const next = (page + n) % pages.length;
    if (pages[next].turns) {
      page = next;
      return true;
    }
  }
  return false;
}

export function place(pages, count) {
  const at = current(pages);
  const names = { risk: "Contacts at risk", ring: "To ring back" };
  const what = names[at.kind] ?? (count ? `Queues ${at.from + 1} to ${at.to} of ${count}` : "Queues");
  const turning = pages.filter((one) => one.turns); // an empty list is no page, but can be looked at
  return at.turns && turning.length > 1 ? `${what} · page ${turning.indexOf(at) + 1} of ${turning.length}` : what;
}

export function lay(layout) {
  const board = $("board");
  board.dataset.layout = layout.kind;
  board.style.setProperty("--columns", layout.columns);
  board.style.setProperty("--rows", layout.rows);
}

// The columns' names once at the top of each, instead of in every row.
export function heads(layout, names) {
  const box = $("heads");
  box.hidden = layout.kind !== "dense";
  const text = `${layout.columns}\n${names.join("\n")}`;
  if (box.hidden || box.said === text) return;
  box.said = text;
  box.replaceChildren(...Array.from({ length: layout.columns }, () => {
    const line = make("div", "", "line");
    line.append(make("span", "Queue"), ...names.map((name) => make("span", name)));
    return line;
  }));
}

// A clock, as of the browser; the buttons fade while nobody is there, and the pointer with them.
export function clock(idleMs) {
  put($("clock"), isTv() ? new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" }) : "");
  document.body.toggleAttribute("data-idle", isTv() && idleMs > FADE_MS);
}

// ---- theme, full screen, staying awake -----------------------------------------------------------------------

export function dress() {
  const root = document.documentElement;
  if (wish.theme === "system") delete root.dataset.theme;
  else root.dataset.theme = wish.theme;
  document.body.classList.toggle("tv", isTv());
  $("theme").textContent = `Theme: ${wish.theme}`;
  $("view").textContent = isTv() ? "Desk" : "TV";
  $("pause").textContent = wish.paused === "yes" ? "Resume" : "Pause";
  $("pause").setAttribute("aria-pressed", String(wish.paused === "yes"));
  stayAwake();
}

export function nextTheme() {
  wish.theme = THEMES[(THEMES.indexOf(wish.theme) + 1) % THEMES.length];
}

export async function fullScreen() {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await document.documentElement.requestFullscreen?.();
  } catch {
    // The browser says no, for example to a page in a frame: it stays as large as it is.
  }
}

async function stayAwake() {
  const wanted = isTv() && document.visibilityState === "visible";
  try {
    if (wanted && !awake) {
      awake = (await navigator.wakeLock?.request("screen")) ?? null;
      awake?.addEventListener("release", () => { awake = null; });
    } else if (!wanted && awake) {
      await awake.release();
    }
  } catch {
    awake = null; // on battery, or without TLS: the screen keeps its own habits
  }
}

document.addEventListener("visibilitychange", stayAwake);
document.addEventListener("fullscreenchange", () => {
  $("full").textContent = document.fullscreenElement ? "Leave full screen" : "Full screen";
});
