// Sends the forms of the alerts page, and shows what the server says; where it went through, the page is read anew.

const TIMEOUT_MS = 20_000;

for (const form of document.querySelectorAll("form[data-alert]")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.submitter;
    const said = form.querySelector("[role=status]");
    const body = { alert_id: form.dataset.alert, reason: form.elements.reason.value };
    if (button.value === "snooze") body.days = Number(form.elements.days.value);
    for (const one of form.querySelectorAll("button")) one.disabled = true;
    try {
      const answer = await fetch(`${form.dataset.problem}/${button.value}?lang=${document.documentElement.lang}`, {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "Content-Type": "application/json" },
        credentials: "same-origin",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (answer.ok) return location.reload();
      const content = await answer.json().catch(() => ({}));
      said.textContent = content.message ?? content.detail ?? form.dataset.offline;
    } catch {
      said.textContent = form.dataset.offline;
    }
    for (const one of form.querySelectorAll("button")) one.disabled = false;
  });
}
