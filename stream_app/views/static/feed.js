// What comes from the server: the stream, which comes back by itself, and what is asked for now and then.

const DEAD_MS = 8000; // nothing for so long: the line is dead, whatever the browser believes
const AGAIN_MS = 2000;

let heardAt = 0;
let source = null;

export const silence = () => performance.now() - heardAt;

// Calls take(kind, data) for every event.
export function listen(take) {
  source?.close();
  const mine = new EventSource("/v1/stream");
  const started = performance.now();
  source = mine;
  for (const kind of ["snapshot", "change", "beat"]) {
    mine.addEventListener(kind, (event) => {
      if (mine !== source) return;
      heardAt = performance.now();
      take(kind, JSON.parse(event.data));
    });
  }
  mine.onerror = () => {
    if (mine.readyState === EventSource.CLOSED) setTimeout(() => mine === source && listen(take), AGAIN_MS);
  };
  const watch = setInterval(() => {
    if (mine !== source) clearInterval(watch);
    else if (performance.now() - Math.max(heardAt, started) > DEAD_MS) listen(take);
  }, 1000);
}

// Asks until there is an answer; with a period again and again, as long as the stream lives and somebody looks.
// Gives a function that asks at once, for when the path is another one: answers to the old one are dropped.
// `take` says false when it wants no more.
export function ask(path, take, period = 0) {
  let [turn, timer] = [0, 0];
  async function once(mine) {
    let wait = period || AGAIN_MS;
    if (!period || (silence() < AGAIN_MS && document.visibilityState === "visible")) {
      try {
        const answer = await fetch(path());
        if (!answer.ok) throw new Error(answer.statusText);
        const said = await answer.json();
        if (mine !== turn) return;
        if (take(said) === false || !period) return;
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
