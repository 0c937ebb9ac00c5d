// What the page knows, and how it says it: shared by every view.

import { fill } from "./draw.js";

export const state = {
  text: {},
  person: "",
  batches: [],
  finished: [],
  flags: [],
  refused_lines: [],
  batch: null,
  item: null,
  last: null, // the item that undo takes back
  progress: null,
  isBusy: false,
  retryMs: 1000,
};
export const $ = (id) => document.getElementById(id);
export const say = (key, values) => fill(state.text[key] ?? key, values);
export const tell = (sentence) => ($("said").textContent = sentence);

// ---------------------------------------------------------------- how long an item was looked at

const watch = { since: 0, lookedMs: 0 };
export function startWatch() {
  watch.lookedMs = 0;
  watch.since = performance.now();
}
export function readWatch() {
  const running = document.hidden ? 0 : performance.now() - watch.since;
  return Math.round(watch.lookedMs + running);
}
document.addEventListener("visibilitychange", () => {
  if (document.hidden) watch.lookedMs += performance.now() - watch.since;
  else watch.since = performance.now();
});
