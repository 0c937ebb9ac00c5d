"""Reads what monitoring needs from the warehouse, and writes what it found.

What belongs here: queries and transactions of `core`. What does not: any figure.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, tuple_

from include.monitoring.measuring import Measured
from include.names import PARTITION_KEY, Arm
from include.problems.schema import Problem
from include.warehouse.loading import upsert_rows
from include.warehouse.locks import lock_until_commit
from include.warehouse.tables.monitoring import ALERT, CALIBRATION_BIN, CALIBRATION_SUMMARY, FEATURE_DRIFT, PROBLEM
from include.warehouse.tables.review import LABEL, REVIEW_BATCH, REVIEW_ITEM

P_POSITIVE = "p_positive"

Rows = Sequence[Mapping[str, Any]]


def hold_measures(connection: Connection, problem: str) -> None:
    """Keep every other measurement of this problem from writing until the transaction ends.

    A step's own lock is per partition, but a run may measure its neighbours again.
    """
    lock_until_commit(connection, "monitoring", problem)


def describe_problem(connection: Connection, definition: Problem, now: datetime) -> None:
    """Write what the views need to know of the problem's file."""
    row = {
        "problem": definition.name,
        "title": definition.title,
        "owner": definition.owner,
        "grain": definition.source.grain,
        "positive_label": definition.label.positive if definition.label else None,
        "value_unit": definition.value.unit if definition.value else None,
        "minimum_rows": definition.monitor.minimum_rows if definition.monitor else 1,
        "seen_at_utc": now,
    }
    upsert_rows(connection, PROBLEM, [row])


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
    query = (
        select(FEATURE_DRIFT.c.partition_key, FEATURE_DRIFT.c.feature == P_POSITIVE, FEATURE_DRIFT.c.reference)
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
    }
    for table, rows in tables.items():
        connection.execute(delete(table).where(table.c.problem == problem, table.c.partition_key.in_(measured.keys)))
        if rows:
            connection.execute(table.insert(), rows)


def read_measures(connection: Connection, problem: str) -> tuple[Rows, Rows]:
    """Read the rows that may be alerts: columns that moved, and models with an error beyond chance."""
    drifts = select(FEATURE_DRIFT).where(FEATURE_DRIFT.c.problem == problem, FEATURE_DRIFT.c.verdict == "moved")
    table = CALIBRATION_SUMMARY
    summaries = select(table).where(table.c.problem == problem, table.c.ece_ratio > table.c.ece_chance_ratio)
    return (
        [dict(row) for row in connection.execute(drifts).mappings()],
        [dict(row) for row in connection.execute(summaries).mappings()],
    )


def replace_alerts(connection: Connection, problem: str, alerts: Rows, now: datetime) -> int:
    """Make `alerts` the alerts of the problem: those that stood before keep the time they were opened at.

    Returns:
        how many are new.
    """
    key = tuple_(ALERT.c.partition_key, ALERT.c.alert_id)
    query = select(ALERT.c.partition_key, ALERT.c.alert_id, ALERT.c.opened_at_utc).where(
        ALERT.c.problem == problem,
        ALERT.c.action != "review",  # the desk opens and closes its own
    )
    before = {(row.partition_key, row.alert_id): row.opened_at_utc for row in connection.execute(query)}
    wanted = {(row["partition_key"], row["alert_id"]): row for row in alerts}
    gone = [pair for pair in before if pair not in wanted]
    if gone:
        connection.execute(delete(ALERT).where(ALERT.c.problem == problem, key.in_(gone)))
    upsert_rows(connection, ALERT, [{**row, "opened_at_utc": before.get(pair, now)} for pair, row in wanted.items()])
    return len(wanted.keys() - before.keys())


def _same(left: Any, right: Any, *names: str) -> Any:
    """Say that two tables agree in some columns."""
    condition = left.c[names[0]] == right.c[names[0]]
    for name in names[1:]:
        condition = condition & (left.c[name] == right.c[name])
    return condition
