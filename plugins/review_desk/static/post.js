// Speaks with the desk's server. What is answered while nobody listens is kept in this browser and sent again;
// each answer has a name of its own, so that sending it twice stores it once.

const TIMEOUT_MS = 20_000;

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
  if (content?.code && answer.status < 500) throw new Refused(content.code, content.message ?? "");
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

/** Send a write that must not be lost. Offline: it is kept. Refused: it is forgotten, and the caller says so. */
export async function send(path, body) {
  keep([...unsent().filter((entry) => entry.body.request_id !== body.request_id), { path, body }]);
  try {
    const answer = await post(path, body);
    forget(body.request_id);
    return answer;
  } catch (error) {
    if (error instanceof Refused) forget(body.request_id);
    throw error;
  }
}

/** Send what was kept, oldest first; gives what the server said to each. Stops where nobody answers. */
export async function sendAgain() {
  const outcomes = [];
  for (const entry of unsent()) {
    try {
      outcomes.push({ ...entry, answer: await send(entry.path, entry.body) });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      outcomes.push({ ...entry, error });
    }
  }
  return outcomes;
}
