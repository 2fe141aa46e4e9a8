// The stream itself: it reconnects, also where the browser does not notice that it is dead. Used by pages and by their worker.

const DEAD_MS = 8000; // after so long without data the connection is dead, whatever the browser believes
const AGAIN_MS = 2000;
export const KINDS = ["snapshot", "change", "beat"];
const PATHS = { stream: "/v1/stream", people: "/v1/agents/stream" };

// Calls take(kind, text) for every event of a stream; returns a function that ends it.
export function connect(name, take) {
  let [source, heardAt, timer] = [null, 0, 0];
  const open = () => {
    clearTimeout(timer);
    source?.close();
    const mine = new EventSource(PATHS[name]);
    source = mine;
    heardAt = performance.now();
    for (const kind of KINDS) {
      mine.addEventListener(kind, (event) => {
        if (mine !== source) return;
        heardAt = performance.now();
        take(kind, event.data);
      });
    }
    mine.onerror = () => {
      if (mine === source && mine.readyState === EventSource.CLOSED) timer = setTimeout(open, AGAIN_MS);
    };
  };
  const watch = setInterval(() => performance.now() - heardAt > DEAD_MS && open(), 1000);
  open();
  return () => {
    clearInterval(watch);
    clearTimeout(timer);
    source.close();
    source = null;
  };
}
