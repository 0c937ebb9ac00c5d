// Parts of views that only show: languages, a batch in the list, a cover, and reports.

import { button, make } from "./draw.js";
import { say } from "./state.js";

/** Draw a button for each language. */
export function drawLanguages(languages, current, choose) {
  return languages.map((language) =>
    make("button", {
      type: "button",
      lang: language,
      class: "language",
      text: say(language),
      "aria-pressed": String(language === current),
      click: () => choose(language),
    }),
  );
}

/** Draw a batch in the list; `enter` opens it, `report` shows its people. */
export function drawBatch(batch, enter, report) {
  const when = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  const due = say(batch.is_overdue ? "overdue" : "due", { when: when.format(new Date(batch.due_at_utc)) });
  const settled = say("settled", { n: batch.n_settled, all: batch.n_seats });
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
      batch.is_lead ? make("button", { type: "button", text: say("people"), click: report }) : null,
    ),
  );
}

/** Draw the finished batches that a person answered in; `lookBack` shows how one went. */
export function drawPast(finished, lookBack) {
  if (!finished.length) return [];
  const when = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  const rows = finished.map((batch) =>
    make(
      "li",
      { class: "row" },
      make("span", { dir: "auto", text: batch.title }),
      make("span", { class: "quiet", text: say("batch", { number: batch.round_number }) }),
      make("span", { class: "quiet", text: say("ended", { when: when.format(new Date(batch.answered_at_utc)) }) }),
      button(say("how_it_went"), "", () => lookBack(batch), { class: "plain" }),
    ),
  );
  return [make("h2", { text: say("finished_batches") }), make("ul", { class: "past" }, ...rows)];
}

/** Draw the cover of a sensitive item; nothing of it lies beneath. */
export function drawCover(openCover) {
  return make(
    "div",
    { class: "cover" },
    make("div", { class: "blur", "aria-hidden": "true", text: "▒▒▒▒▒ ▒▒▒▒▒▒▒ ▒▒▒ ▒▒▒▒▒▒▒▒▒ ▒▒▒▒ ▒▒▒▒▒▒ ▒▒ ▒▒▒▒▒▒▒▒ ▒▒▒▒▒ ▒▒▒▒" }),
    make("p", { class: "sentence", text: say("covered") }),
    make("p", { class: "quiet", text: say("covered_why") }),
    button(say("open_cover"), "O", openCover, { class: "main" }),
  );
}

/** Draw how a person did in a finished batch. */
export function drawSummary(summary) {
  const seconds = summary.median_ms === null ? "–" : (summary.median_ms / 1000).toFixed(1);
  const facts = [[summary.n_answered, "summary_answered"], [seconds, "summary_seconds"]];
  if (summary.n_gold) facts.push([`${summary.n_gold_agreed} / ${summary.n_gold}`, "summary_gold"]);
  if (summary.n_shared) facts.push([`${summary.n_shared_agreed} / ${summary.n_shared}`, "summary_shared"]);
  const tiles = facts.map(([number, key]) =>
    make("div", { class: "tile" }, make("b", { text: String(number) }), make("span", { class: "quiet", text: say(key) })),
  );
  return make("div", { class: "tiles" }, ...tiles);
}

/** Draw the items whose known answer is another one. */
export function drawDifferences(differences) {
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

/** Draw the report of people, a row for each. */
export function drawPeople(people) {
  if (!people.length) return [make("p", { class: "quiet", text: say("no_people") })];
  const when = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium" });
  const rows = people.map((row) => [
    row.person,
    String(row.n_answered),
    row.n_gold ? `${row.n_gold_agreed} / ${row.n_gold}` : "–",
    row.median_ms === null ? "–" : (row.median_ms / 1000).toFixed(1),
    when.format(new Date(row.last_at_utc)),
  ]);
  return [drawTable(["person", "n_answered", "known_met", "median_s", "last"], rows)];
}

/** Draw how well people agree: over all, about each class, and each person with the others. */
export function drawAgreement(agreement) {
  const title = make("h3", { text: say("agreement") });
  if (!agreement.length) return [title, make("p", { class: "quiet", text: say("no_agreement") })];
  const figure = (value) => (value === null ? "–" : value.toFixed(2));
  const rows = agreement.map((row) => [
    say(`scope_${row.scope}`, { subject: row.subject }),
    say(row.statistic),
    figure(row.value),
    row.low === null ? "–" : say("interval", { low: figure(row.low), high: figure(row.high) }),
    String(row.n_items),
  ]);
  const note = make("p", { class: "quiet", text: say("agreement_note") });
  return [title, note, drawTable(["whose", "measure", "value", "likely", "n_items"], rows)];
}

function drawTable(columns, rows) {
  const head = columns.map((key) => make("th", { scope: "col", text: say(key) }));
  const lines = rows.map(([first, ...others]) =>
    make("tr", {}, make("th", { scope: "row", text: first }), ...others.map((text) => make("td", { text }))),
  );
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...lines));
  return make("div", { class: "scroll" }, table);
}

/** Say what was answered, and what the model thinks now that it cannot sway anybody. */
export function toldOf(label, model) {
  if (!model) return say("answered", { label });
  return say("answered_model", { label, n: model.n_of_100, positive: model.positive });
}
