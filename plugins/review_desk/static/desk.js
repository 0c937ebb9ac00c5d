// The desk itself: which view is shown, what the keys do, and what becomes of an answer.

import { button, drawField, drawModel, fill, make } from "./draw.js";
import { Offline, Refused, get, name, post, send, sendAgain, speak, unsent } from "./post.js";

const LANGUAGE = "mulgil-desk-language";
const AIRFLOW_LANGUAGE = "i18nextLng"; // what the person chose in Airflow around this frame
const MOST_PROGRESS = 10; // answers after which the bar is asked for again instead of counted on
const SKIP_REASONS = ["reason_context", "reason_rule", "reason_field", "reason_language"];

const state = {
  text: {},
  person: "",
  batches: [],
  batch: null,
  item: null,
  last: null, // the item that undo takes back
  progress: null,
  isBusy: false,
  retryMs: 1000,
};
const $ = (id) => document.getElementById(id);
const say = (key, values) => fill(state.text[key] ?? key, values);
const tell = (sentence) => ($("said").textContent = sentence);

// ---------------------------------------------------------------- how long an item was looked at

const watch = { since: 0, lookedMs: 0 };
function startWatch() {
  watch.lookedMs = 0;
  watch.since = performance.now();
}
function readWatch() {
  const running = document.hidden ? 0 : performance.now() - watch.since;
  return Math.round(watch.lookedMs + running);
}
document.addEventListener("visibilitychange", () => {
  if (document.hidden) watch.lookedMs += performance.now() - watch.since;
  else watch.since = performance.now();
});

// ---------------------------------------------------------------- language

function wantedLanguage() {
  try {
    return localStorage.getItem(LANGUAGE) ?? localStorage.getItem(AIRFLOW_LANGUAGE) ?? document.documentElement.lang;
  } catch {
    return document.documentElement.lang;
  }
}

function chooseLanguage(language) {
  try {
    localStorage.setItem(LANGUAGE, language);
  } catch {
    // Without storage the choice lasts until the page is left.
  }
  speak(language, state.person);
  return open();
}

function drawLanguages(languages, current) {
  $("languages").setAttribute("aria-label", say("language"));
  $("languages").replaceChildren(
    ...languages.map((language) =>
      make("button", {
        type: "button",
        lang: language,
        class: "language",
        text: say(language),
        "aria-pressed": String(language === current),
        click: () => chooseLanguage(language),
      }),
    ),
  );
}

// ---------------------------------------------------------------- views

function show(...children) {
  $("main").replaceChildren(...children);
  window.scrollTo(0, 0);
}

async function open() {
  try {
    const desk = await get("batches");
    Object.assign(state, { text: desk.text, person: desk.person, batches: desk.batches });
    speak(desk.language, desk.person);
    document.documentElement.lang = desk.language;
    document.title = $("title").textContent = say("title");
    drawLanguages(desk.languages, desk.language);
    await resend();
    await route();
  } catch (error) {
    await fail(error, open);
  }
}

async function route() {
  const [problem, batchId] = location.hash.slice(2).split("/").map(decodeURIComponent);
  const batch = state.batches.find((one) => one.problem === problem && one.batch_id === batchId);
  state.batch = batch ?? null;
  if (batch && batch.may_answer) await work();
  else showList();
}

function showList() {
  state.item = null;
  const cards = state.batches.map(drawBatch);
  show(
    make("p", { class: "lead", text: say("lead") }),
    make("h2", { id: "list", tabindex: "-1", text: say("my_batches") }),
    cards.length ? make("ul", { class: "batches" }, ...cards) : make("p", { class: "quiet", text: say("no_batches") }),
  );
}

function drawBatch(batch) {
  const when = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  const due = say(batch.is_overdue ? "overdue" : "due", { when: when.format(new Date(batch.due_at_utc)) });
  const settled = say("settled", { n: batch.n_settled, all: batch.n_seats });
  const enter = () => (location.hash = `/${encodeURIComponent(batch.problem)}/${encodeURIComponent(batch.batch_id)}`);
  const word = say(batch.n_settled ? "continue_batch" : "open_batch");
  const action = !batch.may_answer
    ? make("p", { class: "quiet", text: say("read_only") })
    : batch.is_anything_free
      ? make("button", { type: "button", class: "main", text: word, click: enter })
      : make("p", { class: "quiet", text: say("nothing_free") });
  return make(
    "li",
    { class: "card" },
    make("h3", { dir: "auto", text: batch.title }),
    make("p", { class: "quiet", dir: "auto", text: batch.why }),
    make(
      "p",
      { class: "facts" },
      make("span", { text: say("batch", { number: batch.round_number }) }),
      make("span", { class: batch.is_overdue ? "bad" : "", text: due }),
      make("span", { text: settled }),
    ),
    make("progress", { max: String(batch.n_seats), value: String(batch.n_settled), "aria-label": settled }),
    make(
      "div",
      { class: "row" },
      action,
      batch.is_lead ? make("button", { type: "button", text: say("people"), click: () => showPeople(batch) }) : null,
    ),
  );
}

async function work() {
  state.last = null;
  await readProgress();
  state.last = state.progress?.last_item_id ?? null;
  await takeNext();
}

async function takeNext() {
  const { problem, batch_id } = state.batch;
  try {
    const { item } = await post("take", { problem, batch_id });
    showItem(item);
  } catch (error) {
    if (error instanceof Refused && error.code === "finished_batch") return showFinished();
    await fail(error, takeNext);
  }
}

function showItem(item) {
  state.item = item;
  if (!item) return showWaits();
  const heading = make("h2", { id: "item", tabindex: "-1", text: say("item", { number: item.position }) });
  const content = make("article", { class: "content", "aria-labelledby": "item" });
  content.append(
    make("div", { class: "row" }, heading, make("span", { class: "quiet", text: say("from", { partition: item.partition_key }) })),
    item.is_covered ? drawCover() : make("div", {}, ...drawFields(item)),
  );
  show(drawProgress(), make("div", { class: "pair" }, content, drawModel(item.model, state.text, item.is_blind)), drawActions(item));
  heading.focus({ preventScroll: true });
  startWatch();
}

function drawFields(item) {
  if (!item.fields.length) return [make("p", { class: "quiet", text: say("gone") })];
  return item.fields.map((field) => drawField(field, state.text, showWhole));
}

function drawCover() {
  return make(
    "div",
    { class: "cover" },
    make("div", { class: "blur", "aria-hidden": "true", text: "▒▒▒▒▒ ▒▒▒▒▒▒▒ ▒▒▒ ▒▒▒▒▒▒▒▒▒ ▒▒▒▒ ▒▒▒▒▒▒ ▒▒ ▒▒▒▒▒▒▒▒ ▒▒▒▒▒ ▒▒▒▒" }),
    make("p", { class: "sentence", text: say("covered") }),
    make("p", { class: "quiet", text: say("covered_why") }),
    button(say("open_cover"), "O", openCover, { class: "main" }),
  );
}

function drawProgress() {
  const { n_seats, n_settled, n_mine, n_today } = state.progress;
  $("today").textContent = say("today", { n: n_today });
  const words = say("settled", { n: n_settled, all: n_seats });
  return make(
    "div",
    { class: "progress" },
    button(say("back"), "B", goBack, { class: "plain" }),
    make("progress", { max: String(n_seats), value: String(n_settled), "aria-label": `${say("progress")}: ${words}` }),
    make("span", { class: "quiet", text: `${words}, ${say("mine", { n: n_mine })}` }),
  );
}

function drawActions(item) {
  const classes = state.batch.classes.map((label, index) =>
    button(label, index < 9 ? String(index + 1) : "", () => answer(label), {
      class: `answer answer-${index % 4}`,
      disabled: item.is_covered,
    }),
  );
  return make(
    "div",
    { class: "actions" },
    make("div", { class: "answers", role: "group", "aria-label": say("answers") }, ...classes),
    make("textarea", {
      id: "note",
      rows: "1",
      maxlength: "2000",
      placeholder: `${say("note")} (N)`,
      "aria-label": `${say("note")}. ${say("note_hint")}`,
    }),
    make(
      "div",
      { class: "row others" },
      button(say("skip"), "S", () => askReason("skip")),
      button(say("escalate"), "E", () => askReason("escalate")),
      button(say("undo"), "U", undo, { disabled: !state.last }),
      button(say("help"), "?", showKeys, { class: "plain" }),
    ),
  );
}

function showWaits() {
  show(
    drawProgress(),
    make("h2", { id: "item", tabindex: "-1", text: say("waits") }),
    make("p", { text: say("waits_why") }),
    make(
      "div",
      { class: "row" },
      button(say("look_again"), "", takeNext, { class: "main" }),
      button(say("undo"), "U", undo, { disabled: !state.last }),
    ),
  );
  $("item").focus();
}

async function showFinished() {
  const { problem, batch_id } = state.batch;
  state.item = state.last = null;
  try {
    const summary = await get("summary", { problem, batch_id });
    show(
      make("h2", { id: "item", tabindex: "-1", text: say("finished") }),
      make("p", { text: say("finished_why") }),
      drawSummary(summary),
      ...drawDifferences(summary.differences),
      button(say("back"), "B", goBack, { class: "main" }),
    );
    $("item").focus();
  } catch (error) {
    await fail(error, showFinished);
  }
}

function drawSummary(summary) {
  const seconds = summary.median_ms === null ? "–" : (summary.median_ms / 1000).toFixed(1);
  const facts = [[summary.n_answered, "summary_answered"], [seconds, "summary_seconds"]];
  if (summary.n_gold) facts.push([`${summary.n_gold_agreed} / ${summary.n_gold}`, "summary_gold"]);
  if (summary.n_shared) facts.push([`${summary.n_shared_agreed} / ${summary.n_shared}`, "summary_shared"]);
  const tiles = facts.map(([number, key]) =>
    make("div", { class: "tile" }, make("b", { text: String(number) }), make("span", { class: "quiet", text: say(key) })),
  );
  return make("div", { class: "tiles" }, ...tiles);
}

function drawDifferences(differences) {
  if (!differences.length) return [];
  const rows = differences.map((row) =>
    make(
      "li",
      {},
      make("p", { dir: "auto", text: row.excerpt }),
      make("p", { class: "quiet", text: say("you_said", { label: row.label, gold: row.gold_label }) }),
    ),
  );
  return [make("h3", { text: say("differences") }), make("ul", { class: "differences" }, ...rows)];
}

async function showPeople(batch) {
  try {
    const { people } = await get("people", { problem: batch.problem });
    const head = ["person", "n_answered", "known_met", "median_s", "last"].map((key) => make("th", { scope: "col", text: say(key) }));
    const when = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium" });
    const rows = people.map((row) =>
      make(
        "tr",
        {},
        make("th", { scope: "row", text: row.person }),
        make("td", { text: String(row.n_answered) }),
        make("td", { text: row.n_gold ? `${row.n_gold_agreed} / ${row.n_gold}` : "–" }),
        make("td", { text: row.median_ms === null ? "–" : (row.median_ms / 1000).toFixed(1) }),
        make("td", { text: when.format(new Date(row.last_at_utc)) }),
      ),
    );
    const table = make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows));
    show(
      make("h2", { id: "item", tabindex: "-1", text: say("people_title", { title: batch.title }) }),
      people.length ? make("div", { class: "scroll" }, table) : make("p", { class: "quiet", text: say("no_people") }),
      button(say("back"), "B", goBack),
    );
    $("item").focus();
  } catch (error) {
    await fail(error, () => showPeople(batch));
  }
}

// ---------------------------------------------------------------- what people do

const where = () => ({ problem: state.batch.problem, batch_id: state.batch.batch_id, item_id: state.item.item_id });

async function act(path, body, told) {
  if (state.isBusy) return;
  state.isBusy = true;
  $("main").setAttribute("aria-busy", "true");
  try {
    settled(await send(path, body), body, told);
  } catch (error) {
    if (error instanceof Refused && error.code !== "reason_missing" && error.code !== "text_too_long") {
      tell(error.message);
      await takeNext();
    } else {
      await fail(error, resend);
    }
  } finally {
    state.isBusy = false;
    $("main").removeAttribute("aria-busy");
  }
}

function settled(answer, body, told) {
  tell(told(answer.done));
  state.last = body.item_id;
  state.progress.n_settled += 1;
  if (body.label) {
    state.progress.n_mine += 1;
    state.progress.n_today += 1;
  }
  if (answer.is_finished) showFinished();
  else showItem(answer.item);
  if (state.progress.n_settled % MOST_PROGRESS === 0) readProgress().catch(() => undefined);
}

function answer(label) {
  if (!state.item || state.item.is_covered) return;
  const note = $("note")?.value.trim() || null;
  const body = { ...where(), label, note, looked_ms: readWatch(), request_id: name() };
  return act("answer", body, (done) => toldOf(label, done.model));
}

function toldOf(label, model) {
  if (!model) return say("answered", { label });
  return say("answered_model", { label, n: model.n_of_100, positive: model.positive });
}

function passOn(action, reason) {
  const body = { ...where(), action, reason, looked_ms: readWatch(), request_id: name() };
  return act("pass", body, () => say(action === "skip" ? "skipped" : "escalated"));
}

async function undo() {
  if (!state.batch || !state.last || state.isBusy) return tell(say("nothing_to_undo"));
  const { problem, batch_id } = state.batch;
  state.isBusy = true;
  try {
    const { item } = await post("undo", { problem, batch_id, item_id: state.last, request_id: name() });
    tell(say("taken_back"));
    await readProgress();
    state.last = state.progress.last_item_id;
    showItem(item);
  } catch (error) {
    await fail(error, undo);
  } finally {
    state.isBusy = false;
  }
}

async function openCover() {
  if (!state.item?.is_covered) return;
  try {
    showItem((await post("open", where())).item);
  } catch (error) {
    await fail(error, openCover);
  }
}

async function showWhole(field, value, pressed) {
  const { problem, batch_id, item_id } = where();
  try {
    value.textContent = (await get("text", { problem, batch_id, item_id, field })).text;
    pressed.remove();
  } catch (error) {
    await fail(error, () => showWhole(field, value, pressed));
  }
}

async function goBack() {
  const batch = state.batch;
  state.batch = state.item = null;
  if (batch?.may_answer) {
    post("leave", { problem: batch.problem, batch_id: batch.batch_id }).catch(() => undefined);
  }
  if (location.hash.length > 2) location.hash = "/";
  else await open();
}

async function readProgress() {
  const { problem, batch_id } = state.batch;
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  try {
    state.progress = await get("progress", { problem, batch_id, since: midnight.toISOString() });
  } catch (error) {
    state.progress ??= { n_seats: state.batch.n_seats, n_settled: state.batch.n_settled, n_mine: 0, n_today: 0, last_item_id: null };
    throw error;
  }
}

// ---------------------------------------------------------------- dialogs and keys

function showDialog(title, ...children) {
  const dialog = make("dialog", { "aria-labelledby": "dialog-title" });
  dialog.append(make("h2", { id: "dialog-title", text: title }), ...children);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

function askReason(action) {
  if (!state.item) return;
  const reason = make("textarea", { rows: "3", maxlength: "2000", "aria-label": say("reason"), placeholder: say("reason") });
  const finish = (words) => {
    if (!words.trim()) return reason.focus();
    dialog.close();
    passOn(action, words.trim());
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

function showKeys() {
  const classes = (state.batch?.classes ?? []).slice(0, 9).map((label, index) => [String(index + 1), `${say("key_answer")}: ${label}`]);
  const keys = [...classes, ["S", say("skip")], ["E", say("escalate")], ["U", say("undo")], ["N", say("key_note")], ["O", say("key_open")], ["A", say("key_all")], ["B", say("key_back")]];
  const rows = keys.flatMap(([key, words]) => [make("dt", {}, make("kbd", { text: key })), make("dd", { text: words })]);
  const dialog = showDialog(say("keys_title"), make("dl", { class: "keys" }, ...rows), button(say("close"), "Esc", () => dialog.close(), { class: "main" }));
}

const KEYS = {
  s: () => askReason("skip"),
  e: () => askReason("escalate"),
  u: undo,
  n: () => $("note")?.focus(),
  o: openCover,
  a: () => document.querySelector(".field button")?.click(),
  b: goBack,
  "?": showKeys,
};

// The place of a key on the board, so that S is S also where the keyboard writes Korean.
function keyOf(event) {
  if (event.key === "?") return "?";
  const place = /^(?:Key([A-Z])|(?:Digit|Numpad)([1-9]))$/.exec(event.code);
  const written = /^[a-z1-9]$/i.test(event.key) ? event.key : (place?.[1] ?? place?.[2] ?? "");
  return written.toLowerCase();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.target.matches("textarea, input")) {
    if (event.key === "Escape") $("item")?.focus();
    return;
  }
  if (!state.batch) return;
  const key = keyOf(event);
  const label = state.item && state.batch.classes[Number(key) - 1];
  const action = label ? () => answer(label) : KEYS[key];
  if (!action) return;
  event.preventDefault();
  action();
});

// ---------------------------------------------------------------- trouble

async function fail(error, again) {
  if (error instanceof Refused) {
    tell(error.message);
    return;
  }
  if (!(error instanceof Offline)) throw error;
  const banner = $("offline");
  banner.hidden = false;
  banner.textContent =
    error.message === "logged_out" ? say("refused.logged_out") : say("offline", { n: unsent().length });
  setTimeout(() => retry(again), state.retryMs);
  state.retryMs = Math.min(state.retryMs * 2, 30_000);
}

async function retry(again) {
  const wasShown = !$("offline").hidden;
  $("offline").hidden = true;
  await again();
  if (wasShown && $("offline").hidden) {
    state.retryMs = 1000;
    if (!unsent().length && !$("said").textContent) tell(say("online"));
  }
}

async function resend() {
  if (!unsent().length) return;
  try {
    const outcomes = await sendAgain();
    const refused = outcomes.filter((outcome) => outcome.error);
    for (const { body, error } of refused) {
      tell(say("not_stored", { label: body.label ?? body.action, item: body.item_id, reason: error.message }));
    }
    if (!refused.length) tell(say("online"));
    if (state.batch) await work();
  } catch (error) {
    await fail(error, resend);
  }
}

window.addEventListener("online", () => retry(resend));
window.addEventListener("hashchange", open);
speak(wantedLanguage(), "");
open();
