// Speaks with the desk's server. What is answered while nobody listens is kept in this browser and sent again;
// each answer has a name of its own, so that sending it twice stores it once.

const TIMEOUT_MS = 20_000;
const MOST_REPLACED = 100;

/** The server said no; the message is for the person. */
export class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** Nobody answered, or not the desk; nothing is known about what became of the request. */
export class Offline extends Error {}

let language = document.documentElement.lang;
let person = "";
export function speak(newLanguage, newPerson) {
  language = newLanguage;
  person = newPerson;
}

export async function get(path, query = {}) {
  return ask(`${path}?${new URLSearchParams(query)}`, { method: "GET" });
}

export async function post(path, body) {
  return ask(path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
}

async function ask(path, options) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), TIMEOUT_MS);
  let answer;
  try {
    const headers = { "Accept-Language": language, ...options.headers };
    answer = await fetch(path, { ...options, headers, signal: stop.signal, credentials: "same-origin" });
  } catch {
    throw new Offline("network");
  } finally {
    clearTimeout(timer);
  }
  const content = await answer.json().catch(() => null);
  if (answer.ok && content !== null) return content;
  if (content?.code && content.code !== "unavailable") throw new Refused(content.code, content.message ?? "");
  // Not the desk's own words: the login that ran out, or a server on its way down or up. What was sent must not be lost.
  throw new Offline([401, 403].includes(answer.status) ? "logged_out" : "server");
}

// ---------------------------------------------------------------- what is not sent yet

const key = () => `mulgil-desk-unsent:${person}`;

export function unsent() {
  try {
    return JSON.parse(localStorage.getItem(key()) ?? "[]");
  } catch {
    return [];
  }
}

function keep(entries) {
  try {
    localStorage.setItem(key(), JSON.stringify(entries));
  } catch {
    // A browser without storage keeps it as long as the page is open: the caller still has it.
  }
}

const forget = (id) => keep(unsent().filter((entry) => entry.body.request_id !== id));

/** Make a name for a request, also where the page is not served over HTTPS. */
export function name() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const sameItem = (one, other) =>
  one.problem === other.problem && one.batch_id === other.batch_id && one.item_id === other.item_id;

/** What is kept about an item: said, and not known to have arrived. */
export const keptFor = (place) => unsent().filter((entry) => sameItem(entry.body, place));

/** Send a write that must not be lost. Offline: it is kept. Refused: it is forgotten, and the caller says so. */
export async function send(path, body) {
  if (!unsent().some((entry) => entry.body.request_id === body.request_id)) keepNew(path, body);
  try {
    const answer = await post(path, body);
    forget(body.request_id);
    return answer;
  } catch (error) {
    if (error instanceof Refused) forget(body.request_id);
    throw error;
  }
}

// The last word about an item counts. What was said before may have arrived or not: the server is told what to replace.
function keepNew(path, body) {
  if (path !== "undo") {
    const earlier = keptFor(body);
    const names = earlier.flatMap((entry) => [entry.body.request_id, ...(entry.body.replaces ?? [])]);
    if (names.length) body.replaces = names.slice(-MOST_REPLACED);
    for (const entry of earlier) forget(entry.body.request_id);
  }
  keep([...unsent(), { path, body }]);
}

/** Send what was kept, oldest first; gives what the server said to each. Stops where nobody answers. */
export async function sendAgain() {
  const outcomes = [];
  // Looked at anew each time: while one is on its way, a person may correct it.
  for (let entry = unsent()[0]; entry; entry = unsent()[0]) {
    try {
      outcomes.push({ ...entry, answer: await send(entry.path, entry.body) });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!keptFor(entry.body).length) outcomes.push({ ...entry, error });
    }
  }
  return outcomes;
}
