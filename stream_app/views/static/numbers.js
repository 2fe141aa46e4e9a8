// Numbers for people, and what they are judged to be. No page and no clock in here.

export const WORDS = { met: "on target", near: "just off", missed: "missed", none: "no target" };
export const RANK = { missed: 0, near: 1, odd: 2, met: 3, none: 4 };
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

// [state, what is aimed at, its kind, what a person who can't see the colour is told]
export function judge(kpi, value, target, tooGood) {
  const higher = kpi.better === "higher";
  if (known(value) && known(tooGood) && (higher ? value > tooGood : value < tooGood)) {
    return ["odd", `${higher ? "over" : "under"} ${bound(kpi, tooGood)}`, "", higher ? "too high" : "too low"];
  }
  if (!known(target)) return ["none", "no target", "", ""];
  const aim = `${higher ? "≥" : "≤"} ${bound(kpi, target)}`;
  if (!known(value)) return ["none", aim, "target ", ""];
  const past = higher ? target - value : value - target;
  const slack = (kpi.tolerance ?? 0) * (kpi.tolerance_relative ? target : 1);
  const state = past <= 0 ? "met" : past <= slack ? "near" : "missed";
  return [state, aim, "target ", WORDS[state]];
}

// Where it goes: the latest half hour or less against the hour before. [arrow, word], nothing without data.
export function direction(kpi, line) {
  if (!line) return null;
  const mean = (from, to) => {
    let over = 0;
    let under = 0;
    for (let n = from; n < to; n += 1) {
      const value = line.values[n];
      const weight = line.samples ? line.samples[n] : 1;
      if (known(value)) [over, under] = [over + value * weight, under + weight];
    }
    return under ? over / under : null;
  };
  const end = line.values.length;
  const [now, before] = [mean(end - 2, end), mean(end - 6, end - 2)];
  if (now === null || before === null) return null;
  const least = { ratio: 0.02, contacts: 1 }[kpi.unit] ?? 0;
  const slack = kpi.unit === "ratio" ? least : Math.max(least, before * 0.1);
  if (Math.abs(now - before) <= slack) return ["→", "steady"];
  const up = now > before;
  if (kpi.unit === "contacts") return up ? ["↗", "more"] : ["↘", "fewer"];
  return [up ? "↗" : "↘", up === (kpi.better === "higher") ? "better" : "worse"];
}

export function ago(seconds) {
  if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 2880) return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")} h`;
  return `${Math.floor(minutes / 1440)} days`;
}
