// A sound when a queue goes off target, for who asked for it: twice, and at most once a minute.

import { $, named, put } from "./dom.js";
import { wish } from "./wish.js";
import { t } from "./words.js";

const AGAIN_MS = 60000;
const TONES = [[660, 0], [880, 0.18]]; // Hz, and when

let context = null;
let off = null; // the queues that are off target; null before the first look
let soundedAt = -Infinity;

export const isOn = () => wish.sound === "on";

// Browsers play nothing before somebody has used the page.
export function allow() {
  if (!isOn()) return;
  context ??= new AudioContext();
  if (context.state === "suspended") context.resume().then(draw, () => {});
}

export function draw() {
  const blocked = isOn() && context?.state !== "running";
  named($("sound"), t(blocked ? "sound.blocked" : isOn() ? "sound.on" : "sound.off"));
  put($("sound"), blocked ? "♪ ?" : "♪");
  $("sound").setAttribute("aria-pressed", String(isOn()));
}

// `now` are the queues that are off target; a sound for new ones.
export function follow(now) {
  const fresh = off ? [...now].filter((key) => !off.has(key)) : [];
  off = new Set(now);
  if (!fresh.length || !isOn() || performance.now() - soundedAt < AGAIN_MS) return;
  soundedAt = performance.now();
  play();
}

function play() {
  if (context?.state !== "running") return;
  for (const [pitch, after] of TONES) {
    const [tone, loud] = [context.createOscillator(), context.createGain()];
    const at = context.currentTime + after;
    tone.frequency.value = pitch;
    loud.gain.setValueAtTime(0.0001, at);
    loud.gain.exponentialRampToValueAtTime(0.25, at + 0.02);
    loud.gain.exponentialRampToValueAtTime(0.0001, at + 0.16);
    tone.connect(loud).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.17);
  }
  document.documentElement.dataset.sounded = String(Math.round(soundedAt));
}
