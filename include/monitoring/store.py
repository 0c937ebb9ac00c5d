"""Reads what monitoring needs from the warehouse, and writes what it found.

What belongs here: queries and transactions of `core`. What does not: any figure.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, delete, func, or_, select, tuple_

from include.monitoring import alerts
from include.monitoring.alerts import TOO_FEW_ROWS
from include.monitoring.classes import MeasuredClasses
from include.monitoring.lateness import LATE
from include.monitoring.measurements import OF_NUMBERS, Measured, MeasuredTwoSides
from include.monitoring.quantities import MeasuredQuantities
from include.names import PARTITION_KEY, Arm, Stage
from include.problems.schema import Problem
from include.warehouse.loading import upsert_rows
from include.warehouse.locks import lock_until_commit
from include.warehouse.predicates import is_one_of
from include.warehouse.tables.classes import CLASS_CALIBRATION
from include.warehouse.tables.learning import GATE_CHECK, MODEL_VERSION
from include.warehouse.tables.monitoring import (
    ALERT,
    CALIBRATION_BIN,
    CALIBRATION_CURVE,
    CALIBRATION_SUMMARY,
    FEATURE_DRIFT,
    PERFORMANCE_ESTIMATE,
)
from include.warehouse.tables.quality import PARTITION_AUDIT
from include.warehouse.tables.quantities import QUANTITY_QUALITY
from include.warehouse.tables.review import LABEL, REVIEW_BATCH, REVIEW_ITEM
from include.warehouse.tables.runs import RUN_STEP

P_POSITIVE = "p_positive"

Rows = Sequence[Mapping[str, Any]]


def hold_measures(connection: Connection, problem: str) -> None:
    """Keep every other measurement of this problem from writing until the transaction ends.

    A step's own lock is per partition, but a run may measure its neighbours again.
    """
    lock_until_commit(connection, "monitoring", problem)


def is_withdrawn(connection: Connection, problem: str, partition_key: str) -> bool:
    """Say whether everything that landed for a partition was withdrawn."""
    ours = (PARTITION_AUDIT.c.problem == problem, PARTITION_AUDIT.c.partition_key == partition_key)
    return connection.scalar(select(PARTITION_AUDIT.c.verdict).where(*ours)) == "withdrawn"


def read_random_answers(connection: Connection, definition: Problem) -> list[dict[str, Any]]:
    """Read the answers from which a desk problem's models can be judged fairly, with what the model had said before.

    Only items that chance chose: the entropy arm shows the items a model is worst at, so it would look bad on them
    alone. And only the probability from before the answer: later models have learned from the answer itself. Of several
    answers to one item the majority counts; a tie is no answer.

    Returns:
        `_partition_key`, `model_version`, `p_positive` and `is_positive`, one for each item.
    """
    positive = definition.label.positive if definition.label else None
    n_positive = func.count().filter(LABEL.c.label == positive)
    query = (
        select(
            REVIEW_ITEM.c.partition_key.label(PARTITION_KEY),
            REVIEW_BATCH.c.model_version,
            REVIEW_ITEM.c.p_positive,
            (2 * n_positive > func.count()).label("is_positive"),
        )
        .join(REVIEW_BATCH, _same(REVIEW_ITEM, REVIEW_BATCH, "problem", "batch_id"))
        .join(LABEL, _same(REVIEW_ITEM, LABEL, "problem", "batch_id", "item_id"))
        .where(REVIEW_ITEM.c.problem == definition.name, REVIEW_ITEM.c.arm == Arm.RANDOM)
        .where(REVIEW_ITEM.c.p_positive.is_not(None), REVIEW_BATCH.c.model_version.is_not(None))
        .group_by(*REVIEW_ITEM.primary_key, REVIEW_ITEM.c.partition_key, REVIEW_ITEM.c.p_positive)
        .group_by(REVIEW_BATCH.c.model_version)
        .having(2 * n_positive != func.count())
        .order_by(REVIEW_ITEM.c.batch_id, REVIEW_ITEM.c.item_id)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def read_references(connection: Connection, problem: str) -> dict[tuple[str, str], str]:
    """Read what each measured partition was compared with.

    Returns:
        partition and either "" (the columns of the log) or `p_positive` (a model's scores) to the reference's text.
    """
    feature = FEATURE_DRIFT.c.feature
    is_score = or_(feature == P_POSITIVE, feature.startswith(f"{P_POSITIVE}: "), feature.startswith(OF_NUMBERS))
    query = (
        select(FEATURE_DRIFT.c.partition_key, is_score, FEATURE_DRIFT.c.reference)
        .where(FEATURE_DRIFT.c.problem == problem)
        .distinct()
    )
    return {(key, P_POSITIVE if is_score else ""): text for key, is_score, text in connection.execute(query)}


def replace_measures(connection: Connection, problem: str, measured: Measured) -> None:
    """Replace everything that was measured of some partitions, in the caller's transaction."""
    tables = {
        FEATURE_DRIFT: measured.drifts,
        CALIBRATION_BIN: measured.bins,
        CALIBRATION_SUMMARY: measured.summaries,
        CALIBRATION_CURVE: measured.curves if isinstance(measured, MeasuredTwoSides) else [],
        PERFORMANCE_ESTIMATE: measured.estimates if isinstance(measured, MeasuredTwoSides) else [],
        CLASS_CALIBRATION: measured.by_class if isinstance(measured, MeasuredClasses) else [],
        QUANTITY_QUALITY: measured.quantities if isinstance(measured, MeasuredQuantities) else [],
    }
    for table, rows in tables.items():
        connection.execute(
            delete(table).where(table.c.problem == problem, is_one_of(table.c.partition_key, measured.keys))
        )
        if rows:
            connection.execute(table.insert(), rows)


def read_measures(connection: Connection, problem: str) -> tuple[Rows, Rows]:
    """Read the rows that may be alerts: columns that moved, and models with an error beyond chance."""
    drifts = select(FEATURE_DRIFT).where(FEATURE_DRIFT.c.problem == problem, FEATURE_DRIFT.c.verdict == "moved")
    summaries = []
    for table in (CALIBRATION_SUMMARY, CLASS_CALIBRATION):
        is_beyond_chance = or_(
            table.c.ece_ratio > table.c.ece_chance_ratio,
            table.c.ece_equal_count_ratio > table.c.ece_equal_count_chance_ratio,
        )
        query = select(table).where(table.c.problem == problem, is_beyond_chance)
        summaries += [dict(row) for row in connection.execute(query).mappings()]
    table = QUANTITY_QUALITY
    is_surely_off = or_(table.c.coverage_high < table.c.stated_ratio, table.c.coverage_low > table.c.stated_ratio)
    query = select(table).where(table.c.problem == problem, is_surely_off)
    summaries += [dict(row) for row in connection.execute(query).mappings()]
    return [dict(row) for row in connection.execute(drifts).mappings()], summaries


def count_watched(connection: Connection, problem: str, features: Sequence[str]) -> dict[tuple[str, str], int]:
    """Count the columns that were measured in each partition, by the cause that their moves would be.

    Args:
        features: of `monitor.features`; others are watched no longer. What the models say always is.
    """
    query = select(FEATURE_DRIFT.c.partition_key, FEATURE_DRIFT.c.feature).where(
        FEATURE_DRIFT.c.problem == problem, FEATURE_DRIFT.c.verdict != TOO_FEW_ROWS
    )
    measured = [(row.partition_key, row.feature) for row in connection.execute(query)]
    return alerts.count_watched(pair for pair in measured if alerts.is_watched(pair[1], features))


def read_served_off(connection: Connection, problem: str) -> Rows:
    """Read by which checks of its calibration the version in production was off when the gate let it serve.

    Only a first model may: `training.gate.first` is serve_with_alert.

    Returns:
        rows of model_version, trained_through, check_name, value, bound and detail; none where it was not off.
    """
    newest_first = (MODEL_VERSION.c.trained_through.desc(), MODEL_VERSION.c.trained_at_utc.desc())
    serving = (
        select(MODEL_VERSION.c.problem, MODEL_VERSION.c.model_version, MODEL_VERSION.c.trained_through)
        .where(MODEL_VERSION.c.problem == problem, MODEL_VERSION.c.status == "promoted")
        .order_by(*newest_first)
        .limit(1)
        .subquery()
    )
    asked = (GATE_CHECK.c.check_name, GATE_CHECK.c.value, GATE_CHECK.c.bound, GATE_CHECK.c.detail)
    query = (
        select(serving.c.model_version, serving.c.trained_through, *asked)
        .join(
            GATE_CHECK,
            (GATE_CHECK.c.problem == serving.c.problem) & (GATE_CHECK.c.model_version == serving.c.model_version),
        )
        .where(GATE_CHECK.c.check_name.startswith("is_calibrated", autoescape=True))
        .where(GATE_CHECK.c.is_pass, GATE_CHECK.c.value > GATE_CHECK.c.bound)
        .order_by(GATE_CHECK.c.check_name)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def read_first_look(connection: Connection, problem: str) -> datetime | None:
    """Read when it was first looked for what landed of a problem; None before that."""
    ours = (RUN_STEP.c.problem == problem, RUN_STEP.c.stage == str(Stage.LAND))
    began: datetime | None = connection.scalar(select(func.min(RUN_STEP.c.started_at_utc)).where(*ours))
    return began


def replace_alerts(connection: Connection, problem: str, found: Rows, now: datetime, *, is_late: bool = False) -> int:
    """Make `found` the alerts of the problem: those that stood before keep the time they were opened at.

    Args:
        is_late: whether they are about partitions that did not arrive; those and the measured ones are looked for
            apart, and leave one another alone.

    Returns:
        how many are new.
    """
    key = tuple_(ALERT.c.partition_key, ALERT.c.alert_id)
    query = select(ALERT.c.partition_key, ALERT.c.alert_id, ALERT.c.opened_at_utc).where(
        ALERT.c.problem == problem,
        ALERT.c.action != "review",  # the desk opens and closes its own
        (ALERT.c.alert_id == LATE) == is_late,
    )
    before = {(row.partition_key, row.alert_id): row.opened_at_utc for row in connection.execute(query)}
    wanted = {(row["partition_key"], row["alert_id"]): row for row in found}
    gone = [pair for pair in before if pair not in wanted]
    if gone:
        connection.execute(delete(ALERT).where(ALERT.c.problem == problem, key.in_(gone)))
    upsert_rows(connection, ALERT, [{**row, "opened_at_utc": before.get(pair, now)} for pair, row in wanted.items()])
    return len(wanted.keys() - before.keys())


def _same(left: Table, right: Table, *names: str) -> ColumnElement[bool]:
    """Say that two tables agree in some columns."""
    condition = left.c[names[0]] == right.c[names[0]]
    for name in names[1:]:
        condition = condition & (left.c[name] == right.c[name])
    return condition
