// The server's clock: that of a screen on a wall may be wrong. It stands still when the server says nothing any more.

const STILL_MS = 5000;

let [at, heardAt] = [NaN, 0];

export function tell(moment) {
  at = Date.parse(moment);
  heardAt = performance.now();
}

export const serverNow = () => at + Math.min(STILL_MS, performance.now() - heardAt);

// Seconds since a moment that the server named; null where it is not known.
export const secondsSince = (moment) => (moment && !Number.isNaN(at) ? Math.max(0, (serverNow() - Date.parse(moment)) / 1000) : null);
