// Asks the model again whenever a value changes, and shows what it says. Answers are text: nothing is put in as markup.
"use strict";

const form = document.getElementById("values");
const WAIT_MS = 250; // after the last change: a slider sends many
const SVG = "http://www.w3.org/2000/svg";
let timer = 0;
let asked = null;

const byId = (id) => document.getElementById(id);
const plain = (name) => String(name).replaceAll("_", " ");
const show = (value) =>
  value === null ? "missing" : typeof value === "number" ? String(Number(value.toPrecision(6))) : value;

function readValues() {
  const values = {};
  for (const field of form.querySelectorAll("[name]")) {
    const isNumber = field.type === "number";
    if (isNumber && field.validity.badInput) throw new Error(`${plain(field.name)} takes a number, or nothing.`);
    values[field.name] = field.value === "" ? null : isNumber ? Number(field.value) : field.value;
  }
  return values;
}

function drawPush(value, largest) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "-100 0 200 14");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const bar = document.createElementNS(SVG, "rect");
  const size = largest > 0 ? (98 * Math.abs(value)) / largest : 0;
  for (const [key, at] of Object.entries({ x: value < 0 ? -size : 0, y: 2, width: size, height: 10 }))
    bar.setAttribute(key, String(at));
  bar.setAttribute("class", value < 0 ? "down" : "up");
  const zero = document.createElementNS(SVG, "line");
  for (const [key, at] of Object.entries({ x1: 0, x2: 0, y1: 0, y2: 14 })) zero.setAttribute(key, String(at));
  zero.setAttribute("class", "zero");
  svg.append(bar, zero);
  return svg;
}

function pushRow([feature, value], largest) {
  const row = document.createElement("div");
  row.className = "push";
  const name = document.createElement("span");
  name.textContent = plain(feature);
  const number = document.createElement("span");
  number.className = "n";
  number.textContent = (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2);
  row.append(name, drawPush(value, largest), number);
  return row;
}

function changeItem(change) {
  const item = document.createElement("li");
  const steps = change.steps.map((step) => `${plain(step.feature)} ${show(step.after)} instead of ${show(step.before)}`);
  item.textContent = `${steps.join(", ")}: ${(100 * change.p_positive).toFixed(1)} of 100`;
  return item;
}

function showAnswer(answer) {
  const largest = Math.max(0, ...answer.contributions.map(([, value]) => Math.abs(value)));
  byId("fault").hidden = true;
  byId("sentence").textContent = answer.sentence;
  byId("probability").value = answer.p_positive;
  byId("action").textContent = answer.action;
  byId("contributions").replaceChildren(...answer.contributions.map((pair) => pushRow(pair, largest)));
  byId("contributions-note").textContent = answer.contributions_note;
  byId("changes").replaceChildren(...answer.changes.map(changeItem));
  byId("changes-note").textContent = answer.changes_note;
}

function showFault(message) {
  byId("fault").textContent = message;
  byId("fault").hidden = false;
}

async function ask() {
  if (asked) asked.abort();
  const own = (asked = new AbortController());
  byId("answer").classList.add("is-waiting");
  try {
    const body = JSON.stringify({ problem: form.dataset.problem, version: form.dataset.version, values: readValues() });
    const headers = { "Content-Type": "application/json" };
    const response = await fetch("ask", { method: "POST", headers, body, signal: own.signal });
    const answer = await response.json();
    if (response.ok) showAnswer(answer);
    else showFault(answer.message || "The question was refused; open the page again.");
  } catch (error) {
    if (error.name === "AbortError") return;
    showFault(error.message);
  }
  if (asked === own) byId("answer").classList.remove("is-waiting");
}

if (form) {
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    const moved = event.target.dataset.moves;
    if (moved) form.elements.namedItem(moved).value = event.target.value;
    else
      for (const slider of form.querySelectorAll("[data-moves]"))
        if (slider.dataset.moves === event.target.name && event.target.value !== "") slider.value = event.target.value;
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  });
  ask();
}
