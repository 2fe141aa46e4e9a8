// What the page says, in the language of its reader. Every string is in a catalogue, words-….js; {n} and the like are filled in.

import en from "./words-en.js";

export const LANGUAGES = { en: "English", de: "Deutsch" };

let words = en;
let language = "en";
let plurals = new Intl.PluralRules("en");
const formats = new Map();

export const spoken = () => language;

// The browser's first language that there is a catalogue for, or the one that the address asks for.
export async function speak(wanted) {
  const asked = wanted === "system" ? navigator.languages.map((one) => one.slice(0, 2)) : [wanted];
  const found = asked.find((one) => one in LANGUAGES) ?? "en";
  if (found === language) return false;
  words = found === "en" ? en : (await import(`./words-${found}.js`)).default;
  language = found;
  plurals = new Intl.PluralRules(found);
  formats.clear();
  document.documentElement.lang = found;
  return true;
}

export const has = (key) => key in en;

// With a number `n` there may be two forms: key.one and key.other.
export function t(key, values = {}) {
  const form = typeof values.n === "number" ? `${key}.${plurals.select(values.n)}` : key;
  const text = words[form] ?? words[`${key}.other`] ?? words[key] ?? en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? num(values[name]) : values[name] ?? ""));
}

// A number with so many decimals.
export function num(value, digits = 0) {
  let format = formats.get(digits);
  if (!format) {
    const exact = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    format = new Intl.NumberFormat(language, exact);
    formats.set(digits, format);
  }
  return format.format(value);
}

// The time of day in the reader's zone, with the date where it is another day.
export function clock(moment) {
  const at = new Date(moment);
  const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  const day = at.toDateString() === new Date().toDateString() ? {} : { day: "numeric", month: "short" };
  return at.toLocaleString(language === "en" ? "en-GB" : language, { ...day, ...time });
}

// Fills what the page itself holds: data-word is its text, data-word-… one of its attributes.
export function translate(root) {
  const all = [...root.querySelectorAll("*")];
  for (const node of all) {
    for (const { name, value } of [...node.attributes]) {
      if (name === "data-word") node.textContent = t(value);
      else if (name.startsWith("data-word-")) node.setAttribute(name.slice(10), t(value));
    }
    if (node instanceof HTMLTemplateElement) translate(node.content);
  }
}
