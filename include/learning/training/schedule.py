"""Reads from the registry and the coverage what is due: points to fit, partitions to announce, partitions to score.

A store file; it decides by names and times alone, and reads no rows.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from include.lake.reading import read_log_states
from include.learning.calibration.selection import N_FOLDS
from include.learning.contracts import TrainingPlan
from include.learning.data.dataset import label_of, training_of
from include.learning.data.labels import read_answers, say_merged_classes, say_undecided, settle_answers
from include.learning.data.splits import training_points
from include.learning.registry import versions
from include.names import Coverage, Stage
from include.partition_keys import partition_bounds, sort_key
from include.problems.schema import Problem
from include.problems.sections.learning import Training
from include.problems.stages import is_retraining
from include.warehouse import training_requests
from include.warehouse.coverage import done_partitions, passed_partitions, settled_prefix
from include.warehouse.tables.runs import COVERAGE


def plan_by_log(connection: Connection, problem: Problem) -> TrainingPlan:
    """Find the training points that the published partitions have reached and no gate has decided."""
    training = training_of(problem)
    prefix = labelled_prefix(problem, settled_prefix(connection, problem.name))
    decided = versions.decided_points(connection, problem.name)
    due = _open_points(prefix, training, decided)
    requests = training_requests.read_open(connection, problem.name) if is_retraining(problem) else []
    asked = _asked_point(prefix, training, decided) if requests and not due else None
    if asked is not None:
        request = requests[0]
        reason = f"The alert {request['alert_id']} of {request['partition_key']} asks for a training through {asked}."
        return TrainingPlan((asked,), " ".join(filter(None, [reason, _say_passed(connection, problem.name, prefix)])))
    if problem.label is not None and problem.label.from_log is not None and not due:
        reason = (
            f"{len(prefix)} partitions are published without a gap and have all their labels from "
            f"{problem.label.from_log}; the first model needs {training.first}, then one comes every {training.every}."
        )
    elif due:
        reason = f"{len(prefix)} partitions are published without a gap; not fitted yet: {', '.join(due)}."
    elif len(prefix) < training.first:
        reason = f"{len(prefix)} partitions are published without a gap; the first model needs {training.first}."
    else:
        reason = (
            f"Every training point up to {prefix[-1]} is decided; the next comes every {training.every} partitions."
        )
    return TrainingPlan(tuple(due), " ".join(filter(None, [reason, _say_passed(connection, problem.name, prefix)])))


def _say_passed(connection: Connection, problem: str, prefix: Sequence[str]) -> str:
    """Name the partitions that the training passes because nothing of them is published, the oldest with its reason."""
    passed = passed_partitions(connection, problem)
    before = [key for key in passed if prefix and sort_key(key) < sort_key(prefix[-1])]
    if not before:
        return ""
    return f"{len(before)} partitions are passed, the first is {before[0]}: {passed[before[0]]}."


def labelled_prefix(problem: Problem, prefix: list[str]) -> list[str]:
    """Name the partitions of a prefix whose labels have all come, as far as they come in another log.

    Args:
        prefix: published partitions without a gap, oldest first.
    """
    label = problem.label
    if label is None or label.from_log is None or label.within is None:
        return prefix
    until = read_log_states(problem)[label.from_log].known_until
    if until is None:
        return []
    ends = {key: partition_bounds(key, problem.source.grain)[1] for key in prefix}
    return [key for key in prefix if ends[key] + label.within <= until]


def _open_points(prefix: Sequence[str], training: Training, decided: set[str]) -> list[str]:
    """Name the training points that wait for a verdict, oldest first.

    One that could not be fitted waits until a later one was decided, which has seen all that it would have seen.
    """
    points = training_points(prefix, training.first, training.every)
    last = max((point for point in points if point in decided), key=sort_key, default=None)
    return [point for point in points if last is None or sort_key(point) > sort_key(last)]


def plan_by_desk(connection: Connection, problem: Problem, round_id: str) -> TrainingPlan:
    """Count the labels that people have given up to this round, and those of each class that measure."""
    minimum = training_of(problem).minimum_labels
    answers = read_answers(connection, problem.name, round_id)
    settled = settle_answers(answers, label_of(problem))
    by_chance = settled[settled["is_random"]]["is_positive"]
    n_rarest = int(min(by_chance.sum(), len(by_chance) - by_chance.sum()))
    is_due = len(settled) >= minimum and n_rarest >= N_FOLDS
    reason = (
        f"{len(settled)} items are labelled up to {round_id} ({minimum} are needed); {n_rarest} of the rarer class "
        f"were chosen by chance ({N_FOLDS} are needed to measure a model)."
    )
    said = [reason, say_undecided(answers, settled), say_merged_classes(label_of(problem))]
    return TrainingPlan((round_id,) if is_due else (), " ".join(filter(None, said)), len(settled))


def _asked_point(prefix: Sequence[str], training: Training, decided: set[str]) -> str | None:
    """Give the newest partition, where an alert may have a model fitted through it before its time; None where not.

    The gate compares on rows that the champion was not fitted on, and there are none before a newer partition.
    """
    if len(prefix) < training.first:
        return None
    is_newer = all(sort_key(prefix[-1]) > sort_key(point) for point in decided)
    return prefix[-1] if is_newer else None


def partitions_to_tell(connection: Connection, problem: Problem, run_id: str) -> dict[str, str | None]:
    """Find partitions that nobody has been told of since their model, or their rows, are what they are.

    Those that no model serves, or whose model is not decided yet, are told of, too: they are watched without one.
    Behind a partition that is still on its way others wait for it, as training does; behind one that failed they do
    not.

    Returns:
        partition to the version that scores it; None where none does.
    """
    training = training_of(problem)
    prefix = settled_prefix(connection, problem.name)
    decided = versions.decided_points(connection, problem.name)
    undecided = _open_points(labelled_prefix(problem, prefix), training, decided)
    announced = _coverage_rows(connection, problem.name, Stage.TRAIN)
    published = _coverage_rows(connection, problem.name, Stage.INGEST)
    is_held_up = any(row["status"] == Coverage.FAILED for row in published.values())
    found: dict[str, str | None] = {}
    for key in done_partitions(connection, problem.name, Stage.INGEST) if is_held_up else prefix:
        is_decided = key in prefix and not (undecided and sort_key(key) > sort_key(undecided[0]))
        version = versions.serving_version(connection, problem.name, key) if is_decided else None
        before = announced.get(key)
        is_new = (
            before is None
            or (before["detail"] != version and is_decided)
            or before["run_id"] == run_id
            or before["updated_at_utc"] < published[key]["updated_at_utc"]
        )
        if is_new:
            found[key] = version
    return found


def newest_round(connection: Connection, problem: Problem) -> dict[str, str]:
    """Find the last round whose model was decided, and the version that serves now; nothing before there is one."""
    rounds = _coverage_rows(connection, problem.name, Stage.TRAIN)
    announced = [key for key, row in rounds.items() if row["status"] == Coverage.DONE]
    version = versions.serving_version(connection, problem.name, "")
    return {max(announced, key=sort_key): version} if announced and version is not None else {}


def stale_partitions(connection: Connection, problem: str, version: str) -> list[str]:
    """Name the published partitions whose predictions are another model's, or older than their rows."""
    scored = versions.read_scored(connection, problem)
    stale = []
    for key, row in _coverage_rows(connection, problem, Stage.INGEST).items():
        before = scored.get(key)
        is_fresh = before and before["model_version"] == version and before["scored_at_utc"] > row["updated_at_utc"]
        if row["status"] == Coverage.DONE and not is_fresh:
            stale.append(key)
    return sorted(stale, key=sort_key)


def _coverage_rows(connection: Connection, problem: str, stage: Stage) -> dict[str, versions.Row]:
    """Read the coverage of one stage by partition."""
    query = select(COVERAGE).where(COVERAGE.c.problem == problem, COVERAGE.c.stage == str(stage))
    return {row["partition_key"]: dict(row) for row in connection.execute(query).mappings()}
