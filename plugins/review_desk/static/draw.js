// Makes elements. Text is only ever set as text, so that nothing an item says can become a part of the page.

import { placeParticles } from "./language.js";

const SVG = "http://www.w3.org/2000/svg";
const DIRECTION_MARKS = /[\u202A-\u202E\u2066-\u2069]/;
const MOST_REASONS = 8;

/** Make an element: attributes by name, `text` as text, functions as listeners, children in order. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** Put values into a sentence. */
export function fill(sentence, values = {}) {
  const filled = sentence.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
  return placeParticles(filled);
}

export function button(label, hint, press, attributes = {}) {
  const keycap = hint ? make("kbd", { text: hint, "aria-hidden": "true" }) : null;
  return make(
    "button",
    { type: "button", click: press, "aria-keyshortcuts": hint || undefined, ...attributes },
    make("span", { text: label }),
    keycap,
  );
}

/** Draw 100 dots, so many of them filled: a share that people see instead of reading it. */
export function drawArray(n, label) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 100 100");
  picture.setAttribute("class", "array");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", label);
  for (let index = 0; index < 100; index += 1) {
    const dot = document.createElementNS(SVG, "circle");
    dot.setAttribute("cx", String(5 + 10 * (index % 10)));
    dot.setAttribute("cy", String(5 + 10 * Math.floor(index / 10)));
    dot.setAttribute("r", "3.6");
    dot.setAttribute("class", index < n ? "dot is-in" : "dot");
    picture.append(dot);
  }
  return picture;
}

/** Show what the model says: the dots, how undecided it is, and what pushed it. */
export function drawModel(view, text, isBlind) {
  const side = make("aside", { class: "model", "aria-labelledby": "model-title" });
  side.append(make("h3", { id: "model-title", text: text.model }));
  if (!view) {
    side.append(make("p", { class: "quiet", text: isBlind ? text.blind : text.no_model }));
    return side;
  }
  const n = view.n_of_100;
  const count = (key, many) => fill(text[many === 1 ? `${key}_one` : key], { n: many, label: view.positive });
  const sentence = count("of_100", n);
  side.append(drawArray(n, sentence));
  side.append(make("p", { class: "sentence", text: sentence }));
  side.append(make("p", { class: "quiet", text: count("of_100_rest", 100 - n) }));
  if (view.classes?.length) side.append(drawClasses(view.classes));
  side.append(drawEntropy(view, text));
  if (view.reasons.length) side.append(...drawReasons(view, text));
  return side;
}

/** Draw how many of 100 are of each class, the likeliest first. */
function drawClasses(classes) {
  const rows = classes.map((one) =>
    make(
      "li",
      {},
      make("bdi", { text: one.name }),
      make("progress", { max: "100", value: String(one.n_of_100), "aria-label": `${one.name}: ${one.n_of_100} / 100` }),
      make("span", { class: "way", text: String(one.n_of_100) }),
    ),
  );
  return make("ul", { class: "reasons" }, ...rows);
}

function drawEntropy(view, text) {
  const share = Math.round((100 * view.entropy_nats) / (view.most_entropy_nats ?? Math.LN2));
  const words = fill(text.entropy, { share });
  const title = fill(text.entropy_title, { nats: view.entropy_nats.toFixed(2) });
  return make(
    "p",
    { class: "entropy", title },
    make("meter", { min: "0", max: "100", value: String(share), "aria-label": `${words}; ${title}` }),
    make("span", { text: words }),
  );
}

function drawReasons(view, text) {
  const reasons = view.reasons.slice(0, MOST_REASONS);
  const most = Math.max(...reasons.map((reason) => Math.abs(reason.contribution)), 1e-9);
  const rows = reasons.map((reason) => {
    const toward = reason.contribution > 0;
    const way = fill(toward ? text.toward : text.away, { label: view.positive });
    const size = String(Math.round((100 * Math.abs(reason.contribution)) / most));
    return make(
      "li",
      { class: toward ? "toward" : "away" },
      make("bdi", { text: reason.feature }),
      make("progress", { max: "100", value: size, "aria-label": `${way}: ${reason.contribution.toFixed(2)}` }),
      make("span", { class: "way", text: toward ? "▲" : "▼", title: way, "aria-hidden": "true" }),
    );
  });
  return [make("h4", { text: text.reasons }), make("ul", { class: "reasons" }, ...rows)];
}

/** Show one field: a text in its own reading direction, or a value with its unit. */
export function drawField(field, text, showAll) {
  const label = field.description || field.name;
  const box = make("div", { class: field.kind === "text" ? "field is-text" : "field" });
  box.append(make("h3", { text: label, title: field.name }));
  if (field.value === null || field.value === "") {
    box.append(make("p", { class: "quiet", text: text.empty }));
    return box;
  }
  const value = make("div", { class: "value", dir: "auto", text: field.value, "data-field": field.name });
  box.append(value);
  if (field.unit && field.kind !== "text") box.append(make("span", { class: "quiet", text: field.unit }));
  if (DIRECTION_MARKS.test(field.value)) box.append(make("p", { class: "notice", text: text.direction_marks }));
  if (field.n_characters > field.value.length) {
    const n = new Intl.NumberFormat(document.documentElement.lang);
    box.append(
      make("p", { class: "quiet", text: fill(text.cut, { n: n.format(field.value.length) }) }),
      button(fill(text.show_all, { n: n.format(field.n_characters) }), "A", (event) =>
        showAll(field.name, value, event.currentTarget),
      ),
    );
  }
  return box;
}
