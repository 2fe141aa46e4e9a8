// The screen on the wall: layout, page turning, full screen, theme, and the lock that keeps it awake.

import { $, make, named, put } from "./dom.js";
import { THEMES, isTv, listsWanted, wish } from "./wish.js";
import { spoken, t } from "./words.js";

const TILE = { width: 306, height: 236 }; // smaller tiles can't be read across a room
const ROW = { width: 560, height: 46 };
const GAP = 10;
const LINE_PX = 50; // height of a line in a list
const FADE_MS = 5000;
const FIRE_S = 5;
const LIST_HEAD_PX = 230;

let page = 0;
let turnedAt = 0;
let awake = null;

// How many fit: a few as tiles as large as possible, many as dense rows in columns, more on several pages.
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

// The pages: queues first, then the lists that are wanted and not empty; turning by hand shows empty ones too. While a queue
// is off target (`isOff` by its place), the screen turns to no page without one: it never looks away from a fire.
export function pagesOf(count, layout, sizes, isOff) {
  const pages = [];
  for (let from = 0; from < Math.max(1, count); from += layout.each) {
    const to = Math.min(count, from + layout.each);
    pages.push({ kind: "queues", from, to, turns: true, off: isOff.slice(from, to).some(Boolean) });
  }
  if (listsWanted()) pages.push({ kind: "risk", turns: sizes.risk > 0 }, { kind: "ring", turns: sizes.ring > 0 });
  if (pages.some((one) => one.off)) for (const one of pages) one.turns = one.off;
  return pages;
}

export const listFits = () => Math.max(3, Math.floor(($("main").clientHeight - $("everyone").offsetHeight - LIST_HEAD_PX) / LINE_PX));

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
  if (wish.paused === "yes" || !pages.length) return false;
  const at = current(pages);
  const isAway = !at.off && pages.some((one) => one.off); // something went off target: there at once, unless just turned by hand
  if (performance.now() - turnedAt < (isAway ? Math.min(wish.every, FIRE_S) : wish.every) * 1000) return false;
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
  const what = at.kind !== "queues" ? t(`${at.kind}.title`) : count ? t("tv.queues", { from: at.from + 1, to: at.to, n: count }) : t("queues.title");
  const turning = pages.filter((one) => one.turns); // others are skipped, but can be looked at
  return at.turns && turning.length > 1 ? `${what} · ${t("tv.page", { page: turning.indexOf(at) + 1, pages: turning.length })}` : what;
}

export function lay(layout) {
  const board = $("board");
  board.dataset.layout = layout.kind;
  board.style.setProperty("--columns", layout.columns);
  board.style.setProperty("--rows", layout.rows);
}

// The columns' names once at the top instead of in every row.
export function heads(layout, names) {
  const box = $("heads");
  box.hidden = layout.kind !== "dense";
  const text = `${layout.columns}\n${names.join("\n")}`;
  if (box.hidden || box.said === text) return;
  box.said = text;
  box.replaceChildren(...Array.from({ length: layout.columns }, () => {
    const line = make("div", "", "line");
    line.append(make("span", t("col.queue")), ...names.map((name) => make("span", name)));
    return line;
  }));
}

// The browser's clock; the buttons and the pointer fade while nobody is there.
export function clock(idleMs) {
  put($("clock"), isTv() ? new Date().toLocaleTimeString(spoken() === "en" ? "en-GB" : spoken(), { hour: "2-digit", minute: "2-digit" }) : "");
  document.body.toggleAttribute("data-idle", isTv() && idleMs > FADE_MS);
}

// ---- theme, full screen, staying awake -----------------------------------------------------------------------

export function dress() {
  const root = document.documentElement;
  if (wish.theme === "system") delete root.dataset.theme;
  else root.dataset.theme = wish.theme;
  document.body.classList.toggle("tv", isTv());
  document.body.classList.toggle("table", wish.view === "table");
  named($("theme"), t("theme", { name: t(`theme.${wish.theme}`) }));
  $("view").textContent = t(isTv() ? "view.desk" : "view.tv");
  $("pause").textContent = t(wish.paused === "yes" ? "resume" : "pause");
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
    // The browser refuses, for example for a page in a frame: it stays as large as it is.
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
    awake = null; // on battery, or without TLS: the screen follows its own settings
  }
}

document.addEventListener("visibilitychange", stayAwake);
document.addEventListener("fullscreenchange", () => {
  $("full").textContent = t(document.fullscreenElement ? "full.exit" : "full");
});
