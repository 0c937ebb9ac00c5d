"""Which models there are, how good they were, and which one serves.

A store file over `core.model_version`, `model_event`, `model_metric`, `gate_check`, `learning_curve` and
`scored_partition`. What does not belong here: the models' bytes (`registry/artifacts.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, insert, select, update

from include.errors import UnknownVersion
from include.learning.registry.version_names import point_of
from include.partition_keys import sort_key
from include.settings import Settings
from include.warehouse.loading import replace_rows, upsert_rows
from include.warehouse.tables.explaining import MODEL_NOTE
from include.warehouse.tables.learning import (
    GATE_CHECK,
    LEARNING_CURVE,
    MODEL_CHOICE,
    MODEL_EVENT,
    MODEL_LOG,
    MODEL_METRIC,
    MODEL_VERSION,
    SCORECARD_TERM,
    SCORED_PARTITION,
)

if TYPE_CHECKING:  # its module needs numpy, which a reader of the registry does not
    from include.learning.checks import Check

CANDIDATE, PROMOTED, REJECTED, ROLLED_BACK = "candidate", "promoted", "rejected", "rolled_back"
AWAITING = "awaiting_approval"  # passed every check, and a person has the last word
Row = Mapping[str, Any]


def models_folder(settings: Settings, problem: str) -> Path:
    """Name the folder that holds the stored models of one problem."""
    return Path(settings.models_url) / problem


def save_version(connection: Connection, row: Row, metrics: Sequence[Row], curve: Sequence[Row]) -> None:
    """Register a fitted version with its metrics and its point on the learning curve; a second fit replaces the first.

    Args:
        row: columns of `core.model_version` without `status`: a version that was decided stays decided.
        metrics: rows of candidate, metric, value, low, high, n_rows.
        curve: rows of arm, metric, n_labels, value, low, high.
    """
    where = {"problem": row["problem"], "model_version": row["model_version"]}
    before = find_version(connection, row["problem"], row["model_version"])
    upsert_rows(connection, MODEL_VERSION, [{**row, "status": before["status"] if before else CANDIDATE}])
    replace_rows(connection, MODEL_METRIC, where, [{**where, **metric} for metric in metrics])
    replace_rows(connection, LEARNING_CURVE, where, [{**where, **point} for point in curve])


def change_version(connection: Connection, version: Row, changed: Row) -> None:
    """Change some columns of a registered version, such as where its model lies."""
    keys = (MODEL_VERSION.c.problem == version["problem"], MODEL_VERSION.c.model_version == version["model_version"])
    connection.execute(update(MODEL_VERSION).where(*keys).values(**changed))


def save_choices(connection: Connection, version: Row, choices: Sequence[Row], terms: Sequence[Row]) -> None:
    """Write what a version was chosen from, and the lines of the scorecard that competed; a second fit replaces them.

    Args:
        choices: rows of candidate, calibration, log_loss_nats, n_rows, is_chosen.
        terms: rows of feature, term, odds_ratio, step, vif_ratio.
    """
    where = {"problem": version["problem"], "model_version": version["model_version"]}
    replace_rows(connection, MODEL_CHOICE, where, [{**where, **choice} for choice in choices])
    replace_rows(connection, SCORECARD_TERM, where, [{**where, **term} for term in terms])


def save_notes(connection: Connection, version: Row, notes: Mapping[str, str]) -> None:
    """Write what must be known to read a version's other figures; the same topic again replaces the sentence.

    Args:
        notes: topic to sentence; an empty one takes away what was said before.
    """
    where = {"problem": version["problem"], "model_version": version["model_version"]}
    for topic, note in notes.items():
        about = where | {"topic": topic}
        replace_rows(connection, MODEL_NOTE, about, [about | {"note": note}] if note else [])


def save_logs(connection: Connection, version: Row, logs: Mapping[str, Mapping[str, object]]) -> None:
    """Write how far each other log of the problem was known when a version read it.

    Args:
        logs: name of the log to its columns of `core.model_log`.
    """
    where = {"problem": version["problem"], "model_version": version["model_version"]}
    replace_rows(connection, MODEL_LOG, where, [{**where, "log": log, **row} for log, row in logs.items()])


def read_logs(connection: Connection, problem: str, model_version: str) -> dict[str, Row]:
    """Read how far each other log of the problem was known when a version read it; by the name of the log."""
    where = (MODEL_LOG.c.problem == problem, MODEL_LOG.c.model_version == model_version)
    return {row["log"]: dict(row) for row in connection.execute(select(MODEL_LOG).where(*where)).mappings()}


def find_version(connection: Connection, problem: str, model_version: str) -> Row | None:
    """Read one version, or None when it was never fitted."""
    query = select(MODEL_VERSION).where(
        MODEL_VERSION.c.problem == problem, MODEL_VERSION.c.model_version == model_version
    )
    row = connection.execute(query).mappings().one_or_none()
    return dict(row) if row else None


def read_version(connection: Connection, problem: str, model_version: str) -> Row:
    """Read one version.

    Raises:
        UnknownVersion: it was never fitted.
    """
    row = find_version(connection, problem, model_version)
    if row is None:
        raise UnknownVersion(
            f"{problem} has no model version {model_version!r}; clear `fit_candidates` to fit it again."
        )
    return row


def decided_points(connection: Connection, problem: str) -> set[str]:
    """Name the training points that the gate has decided; while one waits for a person, the champion serves."""
    query = select(MODEL_VERSION.c.model_version).where(
        MODEL_VERSION.c.problem == problem, MODEL_VERSION.c.status != CANDIDATE
    )
    return {point_of(version) for version in connection.execute(query).scalars()}


def list_promoted(connection: Connection, problem: str) -> list[Row]:
    """Read the versions whose last event is a promotion, oldest training point first, then in the order of fitting.

    Returns:
        rows of model_version, serves_from, trained_at_utc, artifact_url, artifact_sha256, heldout_sha256, features.
    """
    newest_first = (
        func.row_number()
        .over(partition_by=MODEL_EVENT.c.model_version, order_by=MODEL_EVENT.c.event_at_utc.desc())
        .label("age_rank")
    )
    last = select(MODEL_EVENT, newest_first).where(MODEL_EVENT.c.problem == problem).subquery()
    query = (
        select(
            MODEL_VERSION.c.model_version,
            MODEL_VERSION.c.trained_at_utc,
            MODEL_VERSION.c.artifact_url,
            MODEL_VERSION.c.artifact_sha256,
            MODEL_VERSION.c.heldout_sha256,
            MODEL_VERSION.c.features,
            last.c.serves_from,
        )
        .join(
            last,
            (last.c.problem == MODEL_VERSION.c.problem) & (last.c.model_version == MODEL_VERSION.c.model_version),
        )
        .where(last.c.age_rank == 1, last.c.event == PROMOTED)
    )
    rows: list[Row] = [dict(row) for row in connection.execute(query).mappings()]
    return sorted(rows, key=_age)


def list_versions(connection: Connection, problem: str) -> list[Row]:
    """Read every version, in the order in which they would serve: by training point, then by time of fitting."""
    query = select(MODEL_VERSION).where(MODEL_VERSION.c.problem == problem)
    rows: list[Row] = [dict(row) for row in connection.execute(query).mappings()]
    return sorted(rows, key=_age)


def _age(row: Row) -> tuple[tuple[int, str], datetime]:
    """Say where a version stands among the others: by training point, round 999 before round 1000; then by its fit."""
    return sort_key(point_of(row["model_version"])), row["trained_at_utc"]


def serving_version(connection: Connection, problem: str, partition_key: str) -> str | None:
    """Name the version that scores one partition: the newest promoted one that may; None where there is none."""
    asked = sort_key(partition_key)
    may = [row for row in list_promoted(connection, problem) if sort_key(row["serves_from"]) <= asked]
    return str(may[-1]["model_version"]) if may else None


def serving_after_round(connection: Connection, problem: str, round_id: str) -> str | None:
    """Name the newest promoted version of this round of labels or an earlier one; None where there is none.

    What a round led to stays what it was when the round is run again after later ones.
    """
    asked = sort_key(round_id)
    known = [row for row in list_promoted(connection, problem) if sort_key(point_of(row["model_version"])) <= asked]
    return str(known[-1]["model_version"]) if known else None


def champion_before(connection: Connection, problem: str, model_version: str) -> Row | None:
    """Read the version that served before one: the newest promoted one of an earlier training point.

    Later ones are left out, so that deciding an old version again gives the old answer.
    """
    point = sort_key(point_of(model_version))
    before = [row for row in list_promoted(connection, problem) if sort_key(point_of(row["model_version"])) < point]
    return before[-1] if before else None


def record_decision(
    connection: Connection,
    version: Row,
    checks: "Sequence[Check]",
    champion_metrics: Sequence[Row],
    *,
    serves_from: str,
    reason: str,
    actor: str,
    now: datetime,
    needs_approval: bool = False,
) -> str:
    """Write the checks of one version and what they led to; deciding the same again adds no event.

    Args:
        champion_metrics: rows of `core.model_metric` about the champion, without the keys.
        needs_approval: whether a person has the last word on a version that passes.

    Returns:
        promoted, rejected or awaiting_approval; rolled_back when a person took it out, which no gate overrules.
    """
    where = {"problem": version["problem"], "model_version": version["model_version"]}
    replace_rows(connection, GATE_CHECK, where, [{**where, **asdict(check)} for check in checks])
    upsert_rows(connection, MODEL_METRIC, [{**where, **metric} for metric in champion_metrics])
    last = last_event(connection, where)
    before = last["event"] if last else None
    if before == ROLLED_BACK:
        return ROLLED_BACK
    verdict = PROMOTED if all(check.is_pass for check in checks) else REJECTED
    if verdict == PROMOTED and needs_approval and before != PROMOTED:
        verdict = AWAITING
    add_event(
        connection,
        {**where, "event": verdict, "actor": actor, "reason": reason, "serves_from": serves_from},
        now=now,
        is_new=before != verdict,
    )
    return verdict


def add_event(connection: Connection, event: Row, *, now: datetime, is_new: bool = True) -> None:
    """Set the status of a version, and add what happened to its history; nothing there is ever changed.

    Args:
        event: problem, model_version, event, actor, reason, serves_from.
        is_new: whether it happened now; else only the status is made to agree.
    """
    keys = (MODEL_VERSION.c.problem == event["problem"], MODEL_VERSION.c.model_version == event["model_version"])
    connection.execute(update(MODEL_VERSION).where(*keys).values(status=event["event"]))
    if is_new:
        connection.execute(insert(MODEL_EVENT), [{**event, "event_at_utc": now}])


def last_event(connection: Connection, where: Row) -> Row | None:
    """Read the newest event about one version, or None before there is one."""
    query = (
        select(MODEL_EVENT)
        .where(*(MODEL_EVENT.c[name] == value for name, value in where.items()))
        .order_by(MODEL_EVENT.c.event_at_utc.desc())
        .limit(1)
    )
    row = connection.execute(query).mappings().one_or_none()
    return dict(row) if row else None


def read_scored(connection: Connection, problem: str) -> dict[str, Row]:
    """Read which model's predictions stand in the lake, by partition."""
    query = select(SCORED_PARTITION).where(SCORED_PARTITION.c.problem == problem)
    return {row["partition_key"]: dict(row) for row in connection.execute(query).mappings()}


def record_scored(connection: Connection, rows: Sequence[Row]) -> None:
    """Write that partitions' predictions stand in the lake."""
    upsert_rows(connection, SCORED_PARTITION, rows)
