// Follows Airflow's own switch between light and dark, which it keeps in this browser; without one, the system's.
"use strict";

function followTheme() {
  let theme = null;
  try {
    theme = localStorage.getItem("theme");
  } catch {
    // A browser without storage shows what the system likes.
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

window.addEventListener("storage", (event) => {
  if (event.key === "theme" || event.key === null) followTheme();
});
followTheme();
