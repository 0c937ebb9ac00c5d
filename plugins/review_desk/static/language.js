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
