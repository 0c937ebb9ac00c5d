// The desk itself: which view is shown, what the keys do, and what becomes of an answer.

import { askReason, askWhy, keyOf, showKeys } from "./dialogs.js";
import { button, drawField, drawModel, make } from "./draw.js";
import { keepLanguage, wantedLanguage } from "./language.js";
import { Offline, Refused, get, keptFor, name, post, send, sendAgain, speak, unsent } from "./post.js";
import { $, readWatch, say, startWatch, state, tell } from "./state.js";
import { drawAgreement, drawBatch, drawBlocks, drawCover, drawDifferences, drawFlags, drawGuidelines, drawLanguages, drawNotes, drawOwnAnswers, drawPassed, drawPast, drawPeople, drawRefusedLines, drawSummary, drawTorn, drawWaitingFlags, toldOf } from "./views.js";

const MOST_PROGRESS = 10; // answers after which the bar is asked for again instead of counted on

// ---------------------------------------------------------------- views

function show(...children) {
  $("main").replaceChildren(...children);
  window.scrollTo(0, 0);
}

function chooseLanguage(language) {
  keepLanguage(language);
  speak(language, state.person);
  return open();
}

async function open() {
  try {
    const desk = await get("batches");
    Object.assign(state, desk);
    speak(desk.language, desk.person);
    document.documentElement.lang = desk.language;
    document.title = $("title").textContent = say("title");
    $("languages").setAttribute("aria-label", say("language"));
    $("languages").replaceChildren(...drawLanguages(desk.languages, desk.language, chooseLanguage));
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
  const cards = state.batches.map((batch) => drawBatch(batch, () => enter(batch), () => showPeople(batch)));
  show(
    make("p", { class: "lead", text: say("lead") }),
    make("h2", { id: "list", tabindex: "-1", text: say("my_batches") }),
    cards.length ? make("ul", { class: "batches" }, ...cards) : make("p", { class: "quiet", text: say("no_batches") }),
    ...drawWaitingFlags(state.flags, showPeople),
    ...drawPast(state.finished, lookBack),
    ...drawRefusedLines(state.refused_lines),
  );
}

function lookBack(batch) {
  state.batch = { ...batch, classes: [], may_answer: false };
  return showFinished();
}

function enter(batch) {
  location.hash = `/${encodeURIComponent(batch.problem)}/${encodeURIComponent(batch.batch_id)}`;
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
    const { item, is_finished } = await post("take", { problem, batch_id });
    if (is_finished) await showFinished();
    else showItem(item);
  } catch (error) {
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
    ...[drawGuidelines(state.batch.guidelines), drawPassed(item.passed)].filter(Boolean),
    item.is_covered ? drawCover(openCover) : make("div", {}, ...drawFields(item)),
  );
  show(drawProgress(), make("div", { class: "pair" }, content, drawModel(item.model, state.text, item.is_blind)), drawActions(item));
  heading.focus({ preventScroll: true });
  startWatch();
}

function drawFields(item) {
  if (!item.fields.length) return [make("p", { class: "quiet", text: say("gone") })];
  return item.fields.map((field) => drawField(field, state.text, showWhole));
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
  state.chosen = new Set();
  const classes = state.batch.classes.map((label, index) =>
    button(label, index < 9 ? String(index + 1) : "", () => press(label), {
      class: `answer answer-${index % 4}`,
      disabled: item.is_covered,
      "aria-pressed": state.batch.is_multiple ? "false" : undefined,
    }),
  );
  if (state.batch.is_multiple) {
    const send = { disabled: item.is_covered };
    classes.push(button(say("none_of_them"), "0", sendNone, { class: "answer", ...send }));
    classes.push(button(say("send_labels"), "⏎", sendLabels, { class: "main", ...send }));
  }
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
      button(say("skip"), "S", () => whyPass("skip")),
      button(say("escalate"), "E", () => whyPass("escalate")),
      button(say("undo"), "U", undo, { disabled: !state.last }),
      button(say("help"), "?", help, { class: "plain" }),
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
      ...drawOwnAnswers(summary.answers, summary.classes, (row, label) => answerAfterwards({ problem, batch_id }, row, label, showFinished)),
      ...drawNotes(summary.notes),
      button(say("back"), "B", goBack, { class: "main" }),
    );
    $("item").focus();
  } catch (error) {
    await fail(error, showFinished);
  }
}

async function showPeople(batch) {
  try {
    const { people, agreement, flags, blocks, torn, classes } = await get("people", { problem: batch.problem });
    show(
      make("h2", { id: "item", tabindex: "-1", text: say("people_title", { title: batch.title }) }),
      ...drawFlags(flags, (flag, isAccepted) => decideFlag(batch, flag, isAccepted)),
      ...drawTorn(torn, classes, (row, label) => answerAfterwards({ problem: batch.problem, batch_id: row.batch_id }, row, label, () => showPeople(batch), true)),
      ...drawPeople(people),
      ...drawBlocks(people, blocks, (person, isBlocked) => askBlock(batch, person, isBlocked)),
      ...drawAgreement(agreement),
      button(say("back"), "B", goBack),
    );
    $("item").focus();
  } catch (error) {
    await fail(error, () => showPeople(batch));
  }
}

async function decideFlag(batch, { batch_id, labelled_by }, is_accepted) {
  try {
    await post("decide", { problem: batch.problem, batch_id, labelled_by, is_accepted });
    tell(say(is_accepted ? "flag_accept_told" : "flag_withdraw_told", { person: labelled_by }));
    await showPeople(batch);
  } catch (error) {
    await fail(error, () => showPeople(batch));
  }
}

async function answerAfterwards({ problem, batch_id }, { item_id }, label, again, is_last_word = false) {
  try {
    await post("afterwards", { problem, batch_id, item_id, label, is_last_word, request_id: name() });
    tell(say(is_last_word ? "last_word_told" : "correction_told", { label }));
    await again();
  } catch (error) {
    await fail(error, again);
  }
}

function askBlock(batch, labelled_by, is_blocked) {
  askWhy(say(is_blocked ? "block_why" : "unblock_why", { person: labelled_by }), async (reason) => {
    try {
      const { n_labels, n_models } = await post("block", { problem: batch.problem, labelled_by, reason, is_blocked });
      const told = { person: labelled_by, n: n_labels, models: n_models };
      tell(say(is_blocked ? "block_told" : "unblock_told", told));
      await showPeople(batch);
    } catch (error) {
      await fail(error, () => showPeople(batch));
    }
  });
}

// ---------------------------------------------------------------- what people do

const where = () => ({ problem: state.batch.problem, batch_id: state.batch.batch_id, item_id: state.item.item_id });

async function act(path, body, told) {
  if (state.isBusy) return;
  state.isBusy = true;
  $("main").setAttribute("aria-busy", "true");
  try {
    await settled(await send(path, body), body, told);
  } catch (error) {
    if (error instanceof Refused && error.code !== "reason_missing" && error.code !== "text_too_long") {
      tell(error.message);
      await takeNext();
    } else {
      if (error instanceof Offline) tell(say("kept", { label: body.label ?? say(body.action) }));
      await fail(error, recover);
    }
  } finally {
    state.isBusy = false;
    $("main").removeAttribute("aria-busy");
  }
}

async function settled(answer, body, told) {
  tell(told(answer.done));
  state.last = body.item_id;
  if (body.label) for (const count of ["n_settled", "n_mine", "n_today"]) state.progress[count] += 1;
  else await readProgress().catch(() => undefined); // a skip settles nothing, an escalation perhaps two answers
  if (answer.is_finished) showFinished();
  else showItem(answer.item);
  if (state.progress.n_settled % MOST_PROGRESS === 0) readProgress().catch(() => undefined);
}

function answer(label) {
  if (!state.item || state.item.is_covered) return;
  const note = $("note")?.value.trim() || null;
  const body = { ...where(), label, note, looked_ms: readWatch(), request_id: name() };
  return act("answer", body, (done) => toldOf(wordsOf(label), done.model));
}

/** One class is an answer at once; of several labels each press adds or removes one. */
function press(label) {
  if (!state.batch.is_multiple) return answer(label);
  if (!state.item || state.item.is_covered) return undefined;
  if (!state.chosen.delete(label)) state.chosen.add(label);
  const place = state.batch.classes.indexOf(label);
  document.querySelectorAll(".answers button")[place]?.setAttribute("aria-pressed", String(state.chosen.has(label)));
  return undefined;
}

const sendLabels = () =>
  answer(JSON.stringify(state.batch.classes.filter((label) => state.chosen.has(label))));

const sendNone = () => answer("[]");

function passOn(action, reason) {
  const body = { ...where(), action, reason, looked_ms: readWatch(), request_id: name() };
  return act("pass", body, () => say(action === "skip" ? "skipped" : "escalated"));
}

function whyPass(action) {
  if (state.item) askReason(action, (reason) => passOn(action, reason));
}

/** Write an answer as people read it: of several labels with a comma between them. */
function wordsOf(label) {
  if (!state.batch?.is_multiple) return label;
  return JSON.parse(label).join(", ") || say("none_of_them");
}

const help = () => showKeys(state.batch?.classes ?? []);

async function undo() {
  // What was said about the item in front of us and is still on its way is what a person means.
  const item_id = state.item && keptFor(where()).length ? state.item.item_id : state.last;
  if (!state.batch || !item_id || state.isBusy) return tell(say("nothing_to_undo"));
  const { problem, batch_id } = state.batch;
  state.isBusy = true;
  try {
    const { item } = await send("undo", { problem, batch_id, item_id, request_id: name() });
    await takenBack(item);
  } catch (error) {
    await fail(error, recover);
  } finally {
    state.isBusy = false;
  }
}

async function takenBack(item) {
  tell(say("taken_back"));
  await readProgress();
  state.last = state.progress.last_item_id;
  if (item) showItem(item);
  else await takeNext();
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

// ---------------------------------------------------------------- keys

const KEYS = {
  s: () => whyPass("skip"),
  e: () => whyPass("escalate"),
  u: undo,
  n: () => $("note")?.focus(),
  o: openCover,
  a: () => document.querySelector(".field button")?.click(),
  b: goBack,
  "?": help,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.target.matches("textarea, input")) {
    if (event.key === "Escape") $("item")?.focus();
    return;
  }
  const key = keyOf(event);
  if (!state.batch && key !== "b") return;
  const label = state.item && state.batch.classes[Number(key) - 1];
  const several = state.item && state.batch.is_multiple ? { 0: sendNone, enter: sendLabels }[key] : undefined;
  if (several && event.target.matches("button") && key === "enter") return;
  const action = label ? () => press(label) : (several ?? KEYS[key]);
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

// Another tab may have sent what this one kept.
async function recover() {
  try {
    if (unsent().length) await resend();
    else if (state.batch) await work();
  } catch (error) {
    await fail(error, recover);
  }
}

async function resend() {
  if (!unsent().length) return;
  try {
    const outcomes = await sendAgain();
    const refused = outcomes.filter((outcome) => outcome.error);
    for (const { path, body, error } of refused) {
      const label = body.label ?? say(body.action ?? path);
      tell(say("not_stored", { label, item: body.item_id, reason: error.message }));
    }
    const last = outcomes.at(-1);
    const isTakenBack = last?.path === "undo" && !last.error && last.body.batch_id === state.batch?.batch_id;
    if (isTakenBack) return await takenBack(last.answer.item);
    if (!refused.length) tell(say("online"));
    if (state.batch) await work();
  } catch (error) {
    await fail(error, resend);
  }
}

window.addEventListener("online", () => retry(recover));
window.addEventListener("hashchange", open);
speak(wantedLanguage(), "");
open();
