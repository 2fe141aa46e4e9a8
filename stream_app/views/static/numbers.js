// Numbers for people, and what they are judged to be. No page and no clock in here.

export const WORDS = { met: "on target", near: "just off", missed: "missed", none: "no target", closed: "closed" };
export const RANK = { missed: 0, near: 1, odd: 2, met: 3, none: 4, closed: 5 };
export const SHORT = {
  handle_time: "Handle time", first_response: "First response", backlog: "Waiting", oldest_waiting: "Oldest",
  abandonment: "Abandoned",
};

export const known = (value) => value !== null && value !== undefined;

// Each gives [number, unit], so that the unit can be small.
export function duration(seconds, whole = false) {
  if (seconds < 9.95 && !whole) return [seconds.toFixed(1), "s"];
  const s = Math.round(seconds);
  if (s < 100) return [String(s), "s"];
  const [big, size, unit] = s < 3600 ? [s, 60, "min"] : [Math.floor(s / 60), 60, "h"];
  const rest = big % size;
  return [whole && !rest ? String(big / size) : `${Math.floor(big / size)}:${String(rest).padStart(2, "0")}`, unit];
}

export function shown(kpi, value) {
  if (!known(value)) return ["–", ""];
  if (kpi.unit === "ratio") return [(value * 100).toFixed(value === 0 || value === 1 ? 0 : 1), "%"];
  if (kpi.unit === "seconds") return kpi.level && value < 100 ? [String(Math.floor(value)), "s"] : duration(value);
  return [value.toLocaleString("en"), ""];
}

function bound(kpi, value) {
  if (kpi.unit === "ratio") return `${+(value * 100).toFixed(1)} %`;
  return kpi.unit === "seconds" ? duration(value, true).join(" ") : value.toLocaleString("en");
}

// How far past its target, in the unit of its tolerance, rounded as the alert rules round: both agree at the very edge.
function past(kpi, value, target) {
  let far = kpi.better === "higher" ? target - value : value - target;
  if (kpi.tolerance_relative && target) far /= target;
  else if (kpi.tolerance_relative && far > 0) far = Infinity;
  return Math.round(far * 1e4) / 1e4;
}

// How many times its tolerance, or its target where nothing is tolerated, a value is past the target.
export function excess(kpi, value, target) {
  if (!known(value) || !known(target)) return 0;
  return Math.max(0, past(kpi, value, target) / (kpi.tolerance || (kpi.tolerance_relative ? 1 : target) || 1));
}

// [state, what is aimed at, its kind, what a person who can't see the colour is told]
// What is closed aims at something too, but nobody is there to be judged.
export function judge(kpi, value, target, tooGood, open = true) {
  const higher = kpi.better === "higher";
  if (open && known(value) && known(tooGood) && (higher ? value > tooGood : value < tooGood)) {
    return ["odd", `${higher ? "over" : "under"} ${bound(kpi, tooGood)}`, "", higher ? "too high" : "too low"];
  }
  if (!known(target)) return ["none", "no target", "", ""];
  const aim = `${higher ? "≥" : "≤"} ${bound(kpi, target)}`;
  if (!known(value) || !open) return ["none", aim, "target ", ""];
  const far = past(kpi, value, target);
  const state = far <= 0 ? "met" : far <= (kpi.tolerance ?? 0) ? "near" : "missed";
  return [state, aim, "target ", WORDS[state]];
}

export function ago(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 2880) return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")} h`;
  return `${Math.floor(minutes / 1440)} days`;
}
