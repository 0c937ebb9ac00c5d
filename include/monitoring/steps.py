"""The monitor stage: one function per Airflow task."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from include.errors import BadPartition, MulgilError
from include.names import Coverage, Stage
from include.problems.reading import load_problem
from include.problems.schema import Problem
from include.problems.sections.monitor import Monitor
from include.warehouse import coverage
from include.warehouse.database import open_warehouse
from include.warehouse.steps import step

if TYPE_CHECKING:
    from include.monitoring.alerts import Thresholds


@step(Stage.MONITOR)
def measure_partition(*, problem: str, partition_key: str, run_id: str = "by-hand") -> dict[str, Any]:
    """Measure whether the model is still right, and what moved.

    Log labels: the one partition, and those whose reference has changed since they were measured. Desk labels: every
    published partition, because any of them may have new answers. A problem is measured by one run at a time.

    Args:
        problem: name of the problem.
        partition_key: a data partition (log labels) or a round (desk labels).
        run_id: Airflow run.

    Returns:
        `n_rows` (rows measured), `n_alerts` (findings that `raise_alerts` will raise), `partitions`.

    Raises:
        BadPartition: the partition is not published.
        BadProbabilities: a score is not a probability.
        MulgilError: the problem has no section `monitor`.
    """
    from include.monitoring import alerts, measuring, store

    definition, now = load_problem(problem), datetime.now(UTC)
    monitor = _require_monitor(definition)
    with open_warehouse().begin() as connection:
        store.hold_measures(connection, problem)
        store.describe_problem(connection, definition, now)
        published = coverage.done_partitions(connection, problem, Stage.INGEST)
        is_by_desk = _is_by_desk(definition)
        asked = published if is_by_desk else [_require_published(problem, partition_key, published)]
        answers = store.read_random_answers(connection, definition) if is_by_desk else None
        references = store.read_references(connection, problem)
        measured = measuring.measure(definition, monitor, asked, published, references, answers, now)
        store.replace_measures(connection, problem, measured)
        # Measured, and nobody told yet: `raise_alerts` finishes it.
        coverage.mark(connection, problem, Stage.MONITOR, partition_key, Coverage.RUNNING, run_id=run_id)
    found = alerts.find_alerts(measured.drifts, measured.summaries, _thresholds(monitor))
    return {"n_rows": measured.n_rows, "n_alerts": len(found), "partitions": list(measured.keys)}


@step(Stage.MONITOR)
def raise_alerts(*, problem: str, partition_key: str, run_id: str = "by-hand") -> dict[str, Any]:
    """Bring the problem's alerts in line with what was measured: one for each partition and cause.

    Args:
        problem: name of the problem.
        partition_key: a data partition (log labels) or a round (desk labels).
        run_id: Airflow run.

    Returns:
        `n_alerts` (of this partition; of all partitions for a round), `n_new`, `messages` (at most ten).

    Raises:
        MulgilError: the problem has no section `monitor`.
    """
    from include.monitoring import alerts, store

    definition = load_problem(problem)
    monitor = _require_monitor(definition)
    with open_warehouse().begin() as connection:
        store.hold_measures(connection, problem)
        found = alerts.find_alerts(*store.read_measures(connection, problem), _thresholds(monitor))
        n_new = store.replace_alerts(connection, problem, found, datetime.now(UTC))
        coverage.mark(connection, problem, Stage.MONITOR, partition_key, Coverage.DONE, run_id=run_id)
    own = [row for row in found if _is_by_desk(definition) or row["partition_key"] == partition_key]
    messages = [row["message"] for row in own[:10]]
    return {"n_alerts": len(own), "n_new": n_new, "messages": messages, "n_rows": len(own)}


def _thresholds(monitor: Monitor) -> "Thresholds":
    """Take the problem's own numbers."""
    from include.monitoring.alerts import Thresholds

    return Thresholds(monitor.psi_alert, monitor.ece_alert, monitor.minimum_rows, monitor.action)


def _is_by_desk(definition: Problem) -> bool:
    """Say whether people give the labels, so that runs are about rounds and not about data partitions."""
    return definition.label is not None and definition.label.source == "desk"


def _require_monitor(definition: Problem) -> Monitor:
    """Refuse a problem whose file watches nothing."""
    if definition.monitor is None:
        raise MulgilError(f"{definition.name}.yaml has no section `monitor`; add one, or do not run this stage.")
    return definition.monitor


def _require_published(problem: str, partition_key: str, published: Sequence[str]) -> str:
    """Refuse a partition that has no rows in the lake."""
    if partition_key not in published:
        span = f"{published[0]}..{published[-1]}, {len(published)} in all" if published else "none yet"
        raise BadPartition(
            f"{partition_key!r} of {problem} is not a published partition, so there is nothing to measure. "
            f"Published: {span}. Run `{problem}__ingest` for it first."
        )
    return partition_key
