"""The alerts of one problem: what is open, what became of it, and the forms that close or snooze one.

What does not belong here: when an alert is opened or closes by itself (`include/monitoring`), words (`texts.py`).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import HTTPException
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from include.errors import AlertRefused
from include.monitoring import alert_history
from include.monitoring.alert_words import name_cause
from include.warehouse import alert_queries
from include.warehouse.database import open_warehouse
from pages.access import User, may_close_alerts
from pages.languages import LANGUAGES
from pages.writes import Name
from reports.texts import TEXTS


class CloseBody(BaseModel):
    """Which alert a person closes, and why."""

    model_config = ConfigDict(extra="forbid")

    alert_id: Name
    reason: Annotated[str, Field(max_length=20_000)]


class SnoozeBody(CloseBody):
    """Which alert a person puts off, why, and for how many days."""

    days: int


def page_values(problem: str, user: User, language: str) -> Mapping[str, object]:
    """Collect what the page shows of a problem's alerts."""
    with open_warehouse().connect() as connection:
        alerts = alert_queries.alerts_of(connection, problem)
        history = alert_queries.alert_history(connection, problem)
    for row in (*alerts, *history):
        row["cause"] = name_cause(language, row["alert_id"])
    other = next(name for name in LANGUAGES if name != language)
    values = {"alerts": alerts, "history": history, "may_close": may_close_alerts(user, problem)}
    return values | {"t": TEXTS[language], "language": language, "other": other}


def snooze(problem: str, body: SnoozeBody, user: User, language: str) -> JSONResponse:
    """Put an alert off for some days.

    Raises:
        HTTPException: 403, the person may not.
    """
    _require_right(user, problem, language)
    now = datetime.now(UTC)
    # A longer time than the calendar has is refused like any other.
    until = now + timedelta(days=min(max(body.days, -1), 10_000))
    try:
        with open_warehouse().begin() as connection:
            alert_history.snooze_alert(
                connection, problem, body.alert_id, person=user.get_name(), reason=body.reason, until=until, now=now
            )
    except AlertRefused as refused:
        return _tell(refused, language)
    return JSONResponse({"done": True})


def close(problem: str, body: CloseBody, user: User, language: str) -> JSONResponse:
    """Close an alert with a reason.

    Raises:
        HTTPException: 403, the person may not.
    """
    _require_right(user, problem, language)
    now = datetime.now(UTC)
    try:
        with open_warehouse().begin() as connection:
            alert_history.close_alert(
                connection, problem, body.alert_id, person=user.get_name(), reason=body.reason, now=now
            )
    except AlertRefused as refused:
        return _tell(refused, language)
    return JSONResponse({"done": True})


def _require_right(user: User, problem: str, language: str) -> None:
    """Refuse whoever may only read.

    Raises:
        HTTPException: 403.
    """
    if not may_close_alerts(user, problem):
        raise HTTPException(403, TEXTS[language]["no_right"])


def _tell(refused: AlertRefused, language: str) -> JSONResponse:
    """Say why nothing was changed, in the person's language."""
    return JSONResponse({"code": refused.code, "message": TEXTS[language][refused.code]}, 422)
