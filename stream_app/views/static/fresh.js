// Whether the numbers can be relied on, in words.

import { ago } from "./numbers.js";

const SILENT_MS = 3500; // a heartbeat comes every second

// `silent` is for how long nothing has come, in milliseconds. `how` and `old` stand on every tile.
export function judged(beat, silent) {
  const age = beat?.age_s === null || beat?.age_s === undefined ? null : beat.age_s + silent / 1000;
  const old = age === null ? "age unknown" : ago(age);
  const tail = age === null ? "" : " old";
  if (!beat && performance.now() < SILENT_MS) return { state: "lost", text: "Connecting…", how: "", old, tail, alarm: "" };
  if (!beat || silent > SILENT_MS) {
    const text = beat ? `No connection for ${Math.round(silent / 1000)} s` : "No connection";
    const alarm = "Connection lost: these numbers stand still. Trying again…";
    return { state: "lost", text, how: "stands still · ", old, tail, alarm };
  }
  if (beat.stale || (age !== null && age > beat.max_age_s)) {
    const text = age === null ? "Stale, age unknown" : `Stale · ${old} old`;
    const late = `they are older than ${beat.max_age_s} s`;
    const reason = beat.reasons[0];
    const alarm = `Don't rely on these numbers: ${!reason || reason.startsWith("the data is") ? late : reason}.`;
    return { state: "stale", text, how: "stale · ", old, tail, alarm };
  }
  return { state: "live", text: age === null ? "Live" : `Live · ${age.toFixed(1)} s old`, how: "", old, tail, alarm: "" };
}
