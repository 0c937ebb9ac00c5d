// Parts of views that only show: languages, a batch in the list, a cover, and reports.

import { button, make } from "./draw.js";
import { say, state } from "./state.js";

const FEWEST_ITEMS = 10; // fewer say nothing about how well people agree

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

/** Draw whose answers wait for a lead: `look` shows the report of their problem. */
export function drawWaitingFlags(flags, look) {
  if (!flags?.length) return [];
  const rows = flags.map((row) =>
    make(
      "li",
      { class: "row" },
      make("span", { dir: "auto", text: row.title }),
      make("span", { class: "bad", text: say("flags_wait", { n: row.n_flags }) }),
      button(say("people"), "", () => look(row), { class: "plain" }),
    ),
  );
  return [make("h2", { text: say("flags") }), make("ul", { class: "past" }, ...rows)];
}

/** Draw answers that came faster than anybody reads; `decide` takes a lead's word about them. */
export function drawFlags(flags, decide) {
  if (!flags?.length) return [];
  const rows = flags.map((row) => {
    const values = { person: row.labelled_by, n: row.n_labels, batch: row.batch_id, when: momentOf(row.flagged_at_utc) };
    const decided = row.status === "waiting" ? null : say(`flag_${row.status}`, { person: row.decided_by });
    return make(
      "li",
      {},
      make("p", { text: say("flag_of", values) }),
      make("p", { class: "quiet", text: row.reason }),
      decided ? make("p", { class: "quiet", text: decided }) : null,
      make(
        "div",
        { class: "row" },
        row.status === "accepted" ? null : button(say("flag_accept"), "", () => decide(row, true)),
        row.status === "withdrawn" ? null : button(say("flag_withdraw"), "", () => decide(row, false)),
      ),
    );
  });
  const note = make("p", { class: "quiet", text: say("flags_note") });
  return [make("h3", { text: say("flags") }), note, make("ul", { class: "differences" }, ...rows)];
}

/** Draw the lines of label files that were not taken, and why. */
export function drawRefusedLines(rows) {
  if (!rows?.length) return [];
  const lines = rows.map((row) =>
    make(
      "li",
      {},
      make("p", { dir: "auto", text: say("refused_lines_of", { title: row.title, file: row.object_key, n: row.n_lines, line: row.first_line }) }),
      make("p", { class: "quiet", dir: "auto", text: row.reason }),
    ),
  );
  return [make("h2", { text: say("refused_lines") }), make("ul", { class: "differences" }, ...lines)];
}

const momentOf = (at) =>
  new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" }).format(new Date(at));

/** Draw why other people passed an item on; only a lead is given it. */
export function drawPassed(passed) {
  if (!passed?.length) return null;
  const rows = passed.map((row) =>
    make(
      "li",
      {},
      make("p", { dir: "auto", text: row.reason }),
      make("p", { class: "quiet", text: say(`passed_${row.action}`, { person: row.person, when: momentOf(row.at) }) }),
    ),
  );
  return make(
    "section",
    { class: "passed", "aria-labelledby": "passed" },
    make("h3", { id: "passed", text: say("passed_title") }),
    make("ul", { class: "differences" }, ...rows),
  );
}

/** Draw what people wrote beside their answers of a finished batch. */
export function drawNotes(notes) {
  if (!notes?.length) return [];
  const rows = notes.map((row) =>
    make(
      "li",
      {},
      make("p", { dir: "auto", text: row.note }),
      make("p", { class: "quiet", dir: "auto", text: row.excerpt }),
      make("p", { class: "quiet", text: row.person ? say("note_of", row) : say("note_by_somebody", row) }),
    ),
  );
  return [make("h3", { text: say("notes") }), make("ul", { class: "differences" }, ...rows)];
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

/** Draw whom a lead has blocked, and who else could be; `decide` takes the person and whether to block them. */
export function drawBlocks(people, blocks, decide) {
  const blocked = new Set(blocks.map((row) => row.labelled_by));
  const rows = blocks.map((row) => {
    const values = { person: row.labelled_by, n: row.n_labels, lead: row.blocked_by, when: momentOf(row.blocked_at_utc) };
    return make(
      "li",
      {},
      make("p", { text: say("block_of", values) }),
      make("p", { class: "quiet", dir: "auto", text: row.reason }),
      button(say("unblock", { person: row.labelled_by }), "", () => decide(row.labelled_by, false), { class: "plain" }),
    );
  });
  const others = people
    .filter((row) => !blocked.has(row.person) && row.person !== state.person)
    .map((row) => button(say("block", { person: row.person }), "", () => decide(row.person, true), { class: "plain" }));
  if (!rows.length && !others.length) return [];
  const note = make("p", { class: "quiet", text: say("blocks_note") });
  return [make("h3", { text: say("blocks") }), note, make("ul", { class: "differences" }, ...rows), make("div", { class: "row" }, ...others)];
}

/** Draw items that people do not agree about; `decide` takes a lead's last word. */
export function drawTorn(torn, classes, decide) {
  if (!torn?.length || !classes.length) return [];
  const rows = torn.map((row) => {
    const said = Object.entries(row.said).map(([label, n]) => `${label} ${n}`).join(", ");
    const buttons = classes.map((label) => button(say("last_word", { label }), "", () => decide(row, label), { class: "plain" }));
    return make("li", {}, make("p", { dir: "auto", text: row.excerpt }), make("p", { class: "quiet", text: said }), make("div", { class: "row" }, ...buttons));
  });
  const note = make("p", { class: "quiet", text: say("torn_note") });
  return [make("h3", { text: say("torn") }), note, make("ul", { class: "differences" }, ...rows)];
}

/** Draw what a person answered in a finished batch; `change` takes another answer. */
export function drawOwnAnswers(answers, classes, change) {
  if (!answers?.length || !classes.length) return [];
  const rows = answers.map((row) => {
    const others = classes.filter((label) => label !== row.label);
    const buttons = others.map((label) => button(say("change_to", { label }), "", () => change(row, label), { class: "plain" }));
    const words = make("p", { class: "quiet", text: say("you_answered", { label: row.label }) });
    return make("li", {}, make("p", { dir: "auto", text: row.excerpt }), words, make("div", { class: "row" }, ...buttons));
  });
  const note = make("p", { class: "quiet", text: say("own_answers_note") });
  return [make("details", {}, make("summary", { text: say("own_answers") }), note, make("ul", { class: "differences" }, ...rows))];
}

/** Draw what each answer means, as the problem's file says it. */
export function drawGuidelines(guidelines) {
  if (!guidelines) return null;
  return make("details", { class: "guidelines" }, make("summary", { text: say("guidelines") }), make("p", { class: "sentence", dir: "auto", style: "white-space: pre-line", text: guidelines }));
}

/** Draw how well people agree: over all, about each class, and each person with the others. */
export function drawAgreement(agreement) {
  const title = make("h3", { text: say("agreement") });
  if (!agreement.length) return [title, make("p", { class: "quiet", text: say("no_agreement") })];
  const figure = (value) => (value === null ? "–" : value.toFixed(2));
  const rows = agreement.map((row) => [
    say(`scope_${row.scope}`, { subject: row.subject }),
    say(row.statistic),
    row.value === null && row.n_items < FEWEST_ITEMS ? say("too_few") : figure(row.value),
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
