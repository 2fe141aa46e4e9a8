// Data from the server: the stream, which all tabs of a browser share, and periodic requests.

import { connect } from "./stream.js";

const AGAIN_MS = 2000;
const SIGN_MS = 3000; // how often a tab says that it is still there
const SEEN_MS = 9000; // for how long that holds
const UNSEEN_MS = 90000; // browsers slow hidden tabs down to a word a minute

let heardAt = 0;
let [wants, settle] = [() => true, () => {}];

export const silence = () => performance.now() - heardAt;

// Calls take(kind, data) for every event of a stream, while the page is seen, or needs it although it is not.
export function listen(take, unseen = () => false, name = "stream") {
  const hear = (kind, data) => {
    heardAt = performance.now();
    take(kind, data);
  };
  wants = () => document.visibilityState === "visible" || unseen();
  settle = shared(hear, name) ?? alone(hear, name);
  settle();
  document.addEventListener("visibilitychange", () => settle());
  addEventListener("pagehide", () => settle(false));
  addEventListener("pageshow", () => settle());
  setInterval(() => settle(), SIGN_MS);
}

// What is needed has changed.
export const resettle = () => settle();

function shared(hear, name) {
  if (!globalThis.SharedWorker) return null; // some phones: they show one page at a time
  const { port } = new SharedWorker("/static/stream-worker.js", { type: "module", name });
  port.onmessage = ({ data: [kind, data] }) => hear(kind, data);
  const patience = () => (document.visibilityState === "visible" ? SEEN_MS : UNSEEN_MS);
  return (wanted = wants()) => port.postMessage(wanted ? patience() : 0);
}

function alone(hear, name) {
  let end = null;
  return (wanted = wants()) => {
    if (wanted && !end) end = connect(name, (kind, text) => hear(kind, JSON.parse(text)));
    if (wanted || !end) return;
    end();
    end = null;
  };
}

// Asks until there is an answer; with a period, repeatedly while the stream is alive and the page is visible.
// Returns a function that asks at once, for when the path has changed: answers to the old one are dropped.
// `take` returns false when it wants no more.
export function ask(path, take, period = 0) {
  let [turn, timer] = [0, 0];
  async function once(mine) {
    let wait = period || AGAIN_MS;
    if (!period || (silence() < AGAIN_MS && document.visibilityState === "visible")) {
      const where = path();
      if (where === null) {
        timer = setTimeout(once, 250, mine);
        return;
      }
      try {
        const answer = await fetch(where);
        if (!answer.ok) throw new Error(answer.statusText);
        const body = await answer.json();
        if (mine !== turn) return;
        if (take(body) === false || !period) return;
      } catch {
        wait = AGAIN_MS;
      }
    } else {
      wait = Math.min(wait, 500);
    }
    if (mine === turn) timer = setTimeout(once, wait, mine);
  }
  function again() {
    clearTimeout(timer);
    turn += 1;
    once(turn);
  }
  again();
  return again;
}
