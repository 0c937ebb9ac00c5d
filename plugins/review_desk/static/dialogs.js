// Questions above the page, and the names of keys.

import { button, make } from "./draw.js";
import { say } from "./state.js";

const SKIP_REASONS = ["reason_context", "reason_rule", "reason_field", "reason_language"];

function showDialog(title, ...children) {
  const dialog = make("dialog", { "aria-labelledby": "dialog-title" });
  dialog.append(make("h2", { id: "dialog-title", text: title }), ...children);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Ask why an item is skipped or escalated; `passOn` gets the reason. */
export function askReason(action, passOn) {
  const reason = make("textarea", { rows: "3", maxlength: "2000", "aria-label": say("reason"), placeholder: say("reason") });
  const finish = (words) => {
    if (!words.trim()) return reason.focus();
    dialog.close();
    passOn(words.trim());
  };
  const presets = action === "skip" ? SKIP_REASONS : [];
  const choices = presets.map((key, index) => button(say(key), String(index + 1), () => finish(say(key)), { class: "choice" }));
  const dialog = showDialog(
    say(action === "skip" ? "skip_title" : "escalate_title"),
    ...choices,
    reason,
    make("div", { class: "row" }, button(say("send"), "⏎", () => finish(reason.value), { class: "main" }), button(say("cancel"), "Esc", () => dialog.close())),
  );
  dialog.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const preset = event.target === reason && reason.value ? undefined : choices[Number(event.key) - 1];
    if (event.key === "Enter" && !event.shiftKey && event.target === reason) {
      event.preventDefault();
      finish(reason.value);
    } else if (preset) {
      event.preventDefault();
      preset.click();
    }
  });
  (choices[0] ?? reason).focus();
}

/** Ask a lead why; `finish` takes the words. */
export function askWhy(title, finish) {
  const reason = make("textarea", { rows: "3", maxlength: "2000", "aria-label": title });
  const send = () => {
    if (!reason.value.trim()) return reason.focus();
    dialog.close();
    finish(reason.value.trim());
  };
  const row = make("div", { class: "row" }, button(say("send"), "", send, { class: "main" }), button(say("cancel"), "Esc", () => dialog.close()));
  const dialog = showDialog(title, reason, row);
  reason.focus();
}

/** Show what every key does. */
export function showKeys(labels) {
  const classes = labels.slice(0, 9).map((label, index) => [String(index + 1), `${say("key_answer")}: ${label}`]);
  const keys = [...classes, ["S", say("skip")], ["E", say("escalate")], ["U", say("undo")], ["N", say("key_note")], ["O", say("key_open")], ["A", say("key_all")], ["B", say("key_back")]];
  const rows = keys.flatMap(([key, words]) => [make("dt", {}, make("kbd", { text: key })), make("dd", { text: words })]);
  const dialog = showDialog(say("keys_title"), make("dl", { class: "keys" }, ...rows), button(say("close"), "Esc", () => dialog.close(), { class: "main" }));
}

/** Name a key by its place on the board, so that S is S also where the keyboard writes Korean. */
export function keyOf(event) {
  if (event.key === "?") return "?";
  if (event.key === "Enter") return "enter";
  const place = /^(?:Key([A-Z])|(?:Digit|Numpad)([0-9]))$/.exec(event.code);
  const written = /^[a-z0-9]$/i.test(event.key) ? event.key : (place?.[1] ?? place?.[2] ?? "");
  return written.toLowerCase();
}
