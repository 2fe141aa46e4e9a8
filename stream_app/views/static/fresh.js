// Whether the numbers can be relied on, in words. Why they can't is for whoever runs the service: it is at /readyz.

import { ago } from "./numbers.js";
import { clock, num, t } from "./words.js";

const SILENT_MS = 3500; // a heartbeat comes every second

// `silent` is how long nothing has arrived, in milliseconds. `how` and `old` are shown on every tile.
export function judged(beat, silent) {
  const age = beat?.age_s === null || beat?.age_s === undefined ? null : beat.age_s + silent / 1000;
  const old = age === null ? t("age.unknown") : t("age.old", { age: ago(age) });
  const common = { old, tail: "", stopped: null };
  if (!beat && performance.now() < SILENT_MS) return { ...common, state: "lost", text: t("fresh.connecting"), how: "", alarm: "" };
  // By the server's clock: both sides of the subtraction are of the same moment.
  const stopped = age === null ? null : clock(Date.parse(beat.at) - beat.age_s * 1000);
  if (!beat || silent > SILENT_MS) {
    const text = beat ? t("fresh.lost.for", { seconds: ago(silent / 1000) }) : t("fresh.lost");
    const alarm = stopped ? t("alarm.lost.at", { time: stopped }) : t("alarm.lost");
    return { ...common, stopped, state: "lost", text, how: `${t("how.frozen")} · `, alarm };
  }
  if (beat.stale || (age !== null && age > beat.max_age_s)) {
    const text = age === null ? t("fresh.stale.unknown") : t("fresh.stale", { age: ago(age) });
    const alarm = stopped ? t("alarm.stale.at", { time: stopped }) : t("alarm.stale");
    return { ...common, stopped, state: "stale", text, how: `${t("how.stale")} · `, alarm };
  }
  const live = age === null ? t("fresh.live") : t("fresh.live.age", { age: num(age, 1) });
  return { ...common, state: "live", text: live, how: "", alarm: "" };
}
