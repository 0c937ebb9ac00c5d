"""Keeps which objects were withdrawn, by whom and why; forgets what was measured of a partition that they leave empty.

An object is withdrawn by its bytes: other bytes in its place are another object. What does not belong here: what ingest
leaves out (`include/lake/sources.py`), and which objects a form means (`include/landing/withdrawal/`).
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, delete, select, update
from sqlalchemy.sql.elements import SQLCoreOperations

from include.names import Stage
from include.warehouse.predicates import is_one_of
from include.warehouse.tables.classes import CLASS_CALIBRATION, FILLED_LABEL
from include.warehouse.tables.landing import LANDING_OBJECT, LANDING_PARTITION, WITHDRAWAL
from include.warehouse.tables.learning import LABEL_MATCH, SCORED_PARTITION
from include.warehouse.tables.monitoring import (
    ALERT,
    CALIBRATION_BIN,
    CALIBRATION_CURVE,
    CALIBRATION_SUMMARY,
    FEATURE_DRIFT,
    PERFORMANCE_ESTIMATE,
)
from include.warehouse.tables.quantities import QUANTITY_QUALITY
from include.warehouse.tables.runs import COVERAGE

MEASURED = (
    CALIBRATION_BIN,
    CALIBRATION_CURVE,
    CALIBRATION_SUMMARY,
    PERFORMANCE_ESTIMATE,
    CLASS_CALIBRATION,
    FEATURE_DRIFT,
    ALERT,
    SCORED_PARTITION,
    LABEL_MATCH,
    QUANTITY_QUALITY,
    FILLED_LABEL,
)


def is_withdrawn() -> ColumnElement[bool]:
    """Say of rows of `core.landing_object` whether their bytes are withdrawn."""
    ours = WITHDRAWAL.c.problem == LANDING_OBJECT.c.problem
    same = (WITHDRAWAL.c.object_key == LANDING_OBJECT.c.object_key) & (
        WITHDRAWAL.c.fingerprint == LANDING_OBJECT.c.fingerprint
    )
    return select(WITHDRAWAL.c.run_id).where(ours, same, WITHDRAWAL.c.restored_at_utc.is_(None)).exists()


def find_withdrawn(connection: Connection, problem: str, partition_key: str) -> dict[str, int]:
    """Name the withdrawn objects that have records of a partition, with how many."""
    query = (
        select(LANDING_OBJECT.c.object_key, LANDING_PARTITION.c.n_rows)
        .join(
            LANDING_PARTITION,
            (LANDING_PARTITION.c.problem == LANDING_OBJECT.c.problem)
            & (LANDING_PARTITION.c.object_key == LANDING_OBJECT.c.object_key),
        )
        .where(LANDING_PARTITION.c.problem == problem, LANDING_PARTITION.c.partition_key == partition_key)
        .where(is_withdrawn())
        .order_by(LANDING_OBJECT.c.object_key)
    )
    return dict(connection.execute(query).all())


def are_still_there(connection: Connection, problem: str, partition_key: str) -> bool:
    """Say whether the lake may still hold rows of objects that were withdrawn from a partition."""
    query = select(WITHDRAWAL.c.run_id).where(*_not_left(problem, partition_key), WITHDRAWAL.c.n_rows > 0).limit(1)
    return connection.execute(query).first() is not None


def partitions_to_leave(connection: Connection, problem: str) -> set[str]:
    """Name the partitions of which the lake may still hold rows of objects that were withdrawn."""
    is_open = (WITHDRAWAL.c.left_at_utc.is_(None), WITHDRAWAL.c.restored_at_utc.is_(None), WITHDRAWAL.c.n_rows > 0)
    return set(connection.scalars(select(WITHDRAWAL.c.partition_key).where(WITHDRAWAL.c.problem == problem, *is_open)))


def note_left(connection: Connection, problem: str, partition_key: str, now: datetime) -> None:
    """Write that a partition was ingested without what was withdrawn from it."""
    connection.execute(update(WITHDRAWAL).where(*_not_left(problem, partition_key)).values(left_at_utc=now))


def forget_partitions(connection: Connection, problem: str, partition_keys: Collection[str]) -> None:
    """Take out what was measured of partitions without rows; if one fills again, everybody is told anew."""
    for table in MEASURED:
        connection.execute(delete(table).where(*_of(table, problem, partition_keys)))
    told = COVERAGE.c.stage.in_([str(Stage.TRAIN), str(Stage.MONITOR)])
    connection.execute(delete(COVERAGE).where(*_of(COVERAGE, problem, partition_keys), told))


def _not_left(problem: str, partition_key: str) -> tuple[SQLCoreOperations[bool], ...]:
    """Select what was withdrawn from a partition, and was not left out yet."""
    return (
        WITHDRAWAL.c.problem == problem,
        WITHDRAWAL.c.partition_key == partition_key,
        WITHDRAWAL.c.left_at_utc.is_(None),
        WITHDRAWAL.c.restored_at_utc.is_(None),
    )


def _of(table: Table, problem: str, partition_keys: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    """Select the rows of some partitions."""
    return (table.c.problem == problem, is_one_of(table.c.partition_key, partition_keys))
