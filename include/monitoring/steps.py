"""The monitor stage, and what labels from another log re-open: one function per Airflow task."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from include.errors import MulgilError, NotInLake
from include.handover import XCom
from include.lake.contracts import MatchedLabels, Settled
from include.monitoring.contracts import SHOWN_MESSAGES, MeasuredPartitions, Message, RaisedAlerts
from include.names import Coverage, Stage
from include.problems.reading import load_problem
from include.problems.schema import Problem
from include.problems.sections.monitor import Monitor
from include.warehouse import coverage, problem_description, training_requests
from include.warehouse.database import open_warehouse
from include.warehouse.steps import Outcome, step

if TYPE_CHECKING:  # its module needs the engine, which a DAG file does not
    from include.monitoring.measurements import Measured, Rows


@step(Stage.MONITOR)
def measure_partition(*, problem: str, partition_key: str, run_id: str = "by-hand") -> Outcome:
    """Measure whether the model is still right, and what moved; the second without any model, too.

    A data partition: that one, and those whose reference has changed since they were measured. A round of labels: every
    published partition, because any of them may have new answers. A problem is measured by one run at a time.

    Args:
        problem: name of the problem.
        partition_key: a data partition, or where people label a round.
        run_id: Airflow run.

    Returns:
        `n_rows` (rows measured), `n_alerts` (findings that `raise_alerts` will raise), `partitions`.

    Raises:
        NotInLake: the partition is not published.
        BadProbabilities: a score is not a probability.
        MulgilError: the problem has no section `monitor`.
    """
    from include.monitoring import alerts, store

    definition, now = load_problem(problem), datetime.now(UTC)
    monitor = _require_monitor(definition)
    with open_warehouse().begin() as connection:
        store.hold_measures(connection, problem)
        problem_description.describe_problem(connection, definition, now)
        published = coverage.done_partitions(connection, problem, Stage.INGEST)
        is_round = _is_by_desk(definition) and partition_key not in published
        # Nothing is left to measure of what was withdrawn; others may have been compared with it.
        is_withdrawn = store.is_withdrawn(connection, problem, partition_key)
        is_data = not is_round and not is_withdrawn
        asked = [_require_published(problem, partition_key, published)] if is_data else list(published) * is_round
        measured, summaries = _measure(connection, definition, monitor, asked, published, now)
        store.replace_measures(connection, problem, measured)
        # Measured, and nobody told yet: `raise_alerts` finishes it.
        coverage.mark(connection, problem, Stage.MONITOR, partition_key, Coverage.RUNNING, run_id=run_id)
    found = alerts.find_alerts(measured.drifts, summaries, alerts.thresholds_of(monitor))
    return MeasuredPartitions(tuple(measured.keys), measured.n_rows, len(found)).to_xcom()


@step(Stage.MONITOR)
def raise_alerts(*, problem: str, partition_key: str, run_id: str = "by-hand") -> Outcome:
    """Bring the problem's alerts in line with what was measured: one for each partition and cause, its features inside.

    Args:
        problem: name of the problem.
        partition_key: a data partition, or where people label a round.
        run_id: Airflow run.

    Returns:
        `n_alerts` (of this partition; of all partitions for a round), `n_new`, `messages` (at most ten), `asked`
        (partitions whose alert asks for a training that nobody has planned yet).

    Raises:
        MulgilError: the problem has no section `monitor`.
    """
    from include.monitoring import alert_history, alerts, store

    definition = load_problem(problem)
    monitor = _require_monitor(definition)
    with open_warehouse().begin() as connection:
        store.hold_measures(connection, problem)
        thresholds = alerts.thresholds_of(monitor)
        drifts, summaries = store.read_measures(connection, problem)
        n_watched = store.count_watched(connection, problem, monitor.features)
        found = alerts.find_alerts(alerts.still_watched(drifts, monitor.features), summaries, thresholds, n_watched)
        found += alerts.served_off_alerts(problem, store.read_served_off(connection, problem), thresholds)
        now = datetime.now(UTC)
        n_new = store.replace_alerts(connection, problem, found, now)
        if monitor.arrives_within is None:  # nothing is promised any more, and nobody else would end what was late
            store.replace_alerts(connection, problem, [], now, is_late=True)
        alert_history.bring_up_to_date(connection, problem, monitor, now)
        asked = _list_asked(connection, problem)
        coverage.mark(connection, problem, Stage.MONITOR, partition_key, Coverage.DONE, run_id=run_id)
    own = [row for row in found if _is_by_desk(definition) or row["partition_key"] == partition_key]
    messages = tuple(str(row["message"]) for row in own[:SHOWN_MESSAGES])
    return RaisedAlerts(len(own), n_new, messages, asked).to_xcom()


@step(Stage.ALERT_WATCH)
def watch_alerts(*, problem: str, run_id: str = "by-hand") -> Outcome:  # noqa: ARG001
    """Look at what the clock alone brings about: partitions that did not land in time, alerts that waited too long.

    Returns:
        `n_rows` (partitions that are late), `n_events` (what happened to alerts now), `events` (at most ten), `asked`
        (as of `raise_alerts`: what Airflow lost is announced again).

    Raises:
        MulgilError: the problem has no section `monitor`.
    """
    from include.monitoring import alert_history, lateness, store

    definition, now = load_problem(problem), datetime.now(UTC)
    monitor = _require_monitor(definition)
    within, late = monitor.arrives_within, []
    with open_warehouse().begin() as connection:
        store.hold_measures(connection, problem)
        if within is not None:
            late = lateness.late_alerts(
                problem,
                coverage.read_statuses(connection, problem, Stage.LAND),
                definition.source.grain,
                within=within,
                since=store.read_first_look(connection, problem) or now,
                now=now,
                action=monitor.action,
                closed=alert_history.read_closed(connection, problem, lateness.LATE),
            )
        store.replace_alerts(connection, problem, late, now, is_late=True)
        events = alert_history.bring_up_to_date(connection, problem, monitor, now)
        asked = _list_asked(connection, problem)
    told = [f"{row['alert_id']} {row['event']}: {row['reason']}" for row in events[:SHOWN_MESSAGES]]
    return {"n_rows": len(late), "n_events": len(events), "events": told, "asked": list(asked)}


@step(Stage.MONITOR)
def tell_alerts(
    *,
    problem: str,
    send: Callable[[Message], None],
    pages_url: str,
    run_id: str = "by-hand",  # noqa: ARG001
) -> Outcome:
    """Send the messages about alerts that nobody was told of yet, to those whom `monitor.tell` names.

    A message that its server does not take is sent again by a later run, eight times within half a day; then it is
    given up, with the reason on the page of alerts and in `make doctor`. That never makes this step red.

    Args:
        send: gives one message to its notifier; raises where no server took it.
        pages_url: address of the Reports page; empty where nobody knows it.

    Returns:
        `n_rows` (messages that a server took), `n_silent` (never sent: the alert ended while it was snoozed, or nobody
        had heard of it), `n_given_up`, `n_waiting` (for a later run), `errors` (at most ten).

    Raises:
        MulgilError: the problem has no section `monitor`.
    """
    from include.monitoring import alert_outbox

    monitor, now = _require_monitor(load_problem(problem)), datetime.now(UTC)
    if monitor.tell is None:  # since this run began
        return {"n_rows": 0}
    link = f"{pages_url}/alerts/{problem}" if pages_url else ""
    told = alert_outbox.tell_waiting(open_warehouse(), problem, monitor.tell, send, link=link, now=now)
    return asdict(told) | {"n_rows": told.n_told, "errors": told.errors[:SHOWN_MESSAGES]}


def _measure(
    connection: Connection,
    definition: Problem,
    monitor: Monitor,
    asked: Sequence[str],
    published: Sequence[str],
    now: datetime,
) -> "tuple[Measured, Rows]":
    """Measure partitions in the way of the problem's label; give also the rows that may be alerts about a model."""
    from include.monitoring import class_answers, classes, measurements, quantities, store

    references = store.read_references(connection, definition.name)
    label, is_by_desk = definition.label, _is_by_desk(definition)
    if label is not None and label.quantity is not None:
        numbers = quantities.measure(definition, label.quantity, monitor, asked, published, references, now)
        return numbers, numbers.quantities
    if label is not None and label.kind in ("several_classes", "several_labels"):
        said = class_answers.read_class_answers(connection, definition.name, label) if is_by_desk else None
        by_class = classes.measure(definition, label, monitor, asked, published, references, said, now)
        return by_class, by_class.by_class
    answers = store.read_random_answers(connection, definition) if is_by_desk else None
    measured = measurements.measure(definition, monitor, asked, published, references, answers, now)
    return measured, measured.summaries


@step(Stage.LABELS)
def list_measured_again(*, problem: str, partition_key: str, matched: XCom, run_id: str = "by-hand") -> Outcome:  # noqa: ARG001
    """Name the scored partitions whose labels may be others now, so that they are measured again.

    Args:
        matched: what `match_labels` returned.

    Returns:
        a `Settled`.
    """
    return Settled(MatchedLabels.from_xcom(matched).measured, "no scored partition has other labels now").to_xcom()


@step(Stage.LABELS)
def list_labelled(*, problem: str, partition_key: str, matched: XCom, run_id: str = "by-hand") -> Outcome:  # noqa: ARG001
    """Name the newest partition whose labels may be others now, so that a training that waited for them begins.

    Args:
        matched: what `match_labels` returned.

    Returns:
        a `Settled`.
    """
    return Settled(MatchedLabels.from_xcom(matched).newest, "no partition has other labels now").to_xcom()


def _list_asked(connection: Connection, problem: str) -> tuple[str, ...]:
    """Name the partitions whose alert asks for a training that nobody has planned yet; each once."""
    return tuple(dict.fromkeys(row["partition_key"] for row in training_requests.read_unheard(connection, problem)))


def _is_by_desk(definition: Problem) -> bool:
    """Say whether people give the labels, so that runs are about rounds and not about data partitions."""
    return definition.label is not None and definition.label.source == "desk"


def _require_monitor(definition: Problem) -> Monitor:
    """Refuse a problem whose file watches nothing.

    Raises:
        MulgilError: it has no section `monitor`.
    """
    if definition.monitor is None:
        raise MulgilError(f"{definition.name}.yaml has no section `monitor`; add one, or do not run this stage.")
    return definition.monitor


def _require_published(problem: str, partition_key: str, published: Sequence[str]) -> str:
    """Refuse a partition that has no rows in the lake.

    Raises:
        NotInLake: it has none.
    """
    if partition_key not in published:
        span = f"{published[0]}..{published[-1]}, {len(published)} in all" if published else "none yet"
        raise NotInLake(
            f"{partition_key!r} of {problem} is not a published partition, so there is nothing to measure. "
            f"Published: {span}. Run `{problem}__ingest` for it first."
        )
    return partition_key
