// Which language a person chose: here, or else in Airflow around this frame, or else what the server made of the browser's.

const LANGUAGE = "mulgil-desk-language";
const AIRFLOW_LANGUAGE = "i18nextLng";

export function wantedLanguage() {
  try {
    return localStorage.getItem(LANGUAGE) ?? localStorage.getItem(AIRFLOW_LANGUAGE) ?? document.documentElement.lang;
  } catch {
    return document.documentElement.lang;
  }
}

export function keepLanguage(language) {
  try {
    localStorage.setItem(LANGUAGE, language);
  } catch {
    // Without storage the choice lasts until the page is left.
  }
}

// Korean particles: a text writes both forms, `“{label}”(으로/로)`, and the word before them chooses by its last sound,
// as `particles.py` does on the server.
const PARTICLE = /([\p{L}\p{N}_])([^\p{L}\p{N}_]*)\((이\/가|은\/는|을\/를|과\/와|으로\/로)\)/gu;
const RIEUL = 8;
const FINALS = { 0: 21, 1: RIEUL, 3: 16, 6: 1, 7: RIEUL, 8: RIEUL, l: RIEUL, m: 16, n: 4 };

function finalOf(letter) {
  const code = letter.codePointAt(0);
  return code >= 0xac00 && code <= 0xd7a3 ? (code - 0xac00) % 28 : (FINALS[letter.toLowerCase()] ?? 0);
}

export function placeParticles(sentence) {
  return sentence.replace(PARTICLE, (_, letter, marks, pair) => {
    const [withFinal, without] = pair.split("/");
    const final = finalOf(letter);
    return letter + marks + (final === 0 || (final === RIEUL && pair === "으로/로") ? without : withFinal);
  });
}
