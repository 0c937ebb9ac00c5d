"""The trainings that alerts have asked for: `core.alert_event` as those who ask, fit and announce all read it.

What does not belong here: when one is asked for (`include/monitoring/retraining.py`), and what is fitted
(`include/learning/training/schedule.py`).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, select

from include.names import AlertEvent, Stage
from include.warehouse.tables.monitoring import ALERT_EVENT
from include.warehouse.tables.runs import RUN_STEP

Row = dict[str, Any]
PLANNED = "plan_training"  # the step of `train` that looks at what is asked for


def read_open(connection: Connection, problem: str) -> list[Row]:
    """Read the requests whose alert is still open and for which no version was decided yet; the oldest first."""
    later = ALERT_EVENT.alias()
    ended = exists().where(
        later.c.problem == ALERT_EVENT.c.problem,
        later.c.alert_id == ALERT_EVENT.c.alert_id,
        later.c.event_number > ALERT_EVENT.c.event_number,
        later.c.event.in_([AlertEvent.RETRAINED, AlertEvent.CLOSED]),
    )
    return _read(connection, problem, ~ended)


def read_unheard(connection: Connection, problem: str) -> list[Row]:
    """Read the open requests since which no planning went through: Airflow may have lost what told of them."""
    since = RUN_STEP.c.started_at_utc >= ALERT_EVENT.c.happened_at_utc
    heard = exists().where(RUN_STEP.c.problem == ALERT_EVENT.c.problem, *_went_through(), since)
    numbers = {(row["alert_id"], row["event_number"]) for row in read_open(connection, problem)}
    return [row for row in _read(connection, problem, ~heard) if (row["alert_id"], row["event_number"]) in numbers]


def read_plans(connection: Connection, problem: str, since: datetime) -> list[datetime]:
    """Read when trainings of a problem were planned from a time on, UTC; the earliest first.

    A run whose planning is repeated counts when it was planned last.
    """
    ours = (RUN_STEP.c.problem == problem, *_went_through(), RUN_STEP.c.started_at_utc >= since)
    query = select(RUN_STEP.c.started_at_utc).where(*ours).order_by(RUN_STEP.c.started_at_utc)
    return list(connection.scalars(query))


def _went_through() -> tuple[ColumnElement[bool], ...]:
    """Choose the steps that planned a training."""
    return RUN_STEP.c.stage == str(Stage.TRAIN), RUN_STEP.c.step == PLANNED, RUN_STEP.c.status == "done"


def _read(connection: Connection, problem: str, condition: ColumnElement[bool]) -> list[Row]:
    ours = (ALERT_EVENT.c.problem == problem, ALERT_EVENT.c.event == str(AlertEvent.RETRAIN_ASKED))
    order = (ALERT_EVENT.c.happened_at_utc, *ALERT_EVENT.primary_key)
    found = connection.execute(select(ALERT_EVENT).where(*ours, condition).order_by(*order)).mappings()
    return [dict(row) for row in found]
