"""Reads from the registry and the coverage what is due: points to fit, partitions to announce, partitions to score.

A store file; it decides by names and times alone, and reads no rows.
"""

from sqlalchemy import Connection, select

from include.learning import registry
from include.learning.calibration_of_models import N_FOLDS
from include.learning.labels import read_answers, settle_answers
from include.learning.rows import label_of, training_of
from include.learning.splitting import training_points
from include.names import Coverage, Stage
from include.problems.schema import Problem
from include.warehouse.coverage import settled_prefix
from include.warehouse.steps import Outcome
from include.warehouse.tables.runs import COVERAGE


def plan_by_log(connection: Connection, problem: Problem) -> Outcome:
    """Find the training points that the published partitions have reached and no gate has decided."""
    training = training_of(problem)
    prefix = settled_prefix(connection, problem.name)
    decided = registry.decided_points(connection, problem.name)
    due = [point for point in training_points(prefix, training.first, training.every) if point not in decided]
    if training.approval == "required":
        due = due[:1]  # the next one is judged against this one, which a person has not answered yet
    if due:
        reason = f"{len(prefix)} partitions are published without a gap; not fitted yet: {', '.join(due)}."
    elif len(prefix) < training.first:
        reason = f"{len(prefix)} partitions are published without a gap; the first model needs {training.first}."
    else:
        reason = (
            f"Every training point up to {prefix[-1]} is decided; the next comes every {training.every} partitions."
        )
    return {"is_due": bool(due), "points": due, "reason": reason, "n_rows": 0}


def plan_by_desk(connection: Connection, problem: Problem, round_id: str) -> Outcome:
    """Count the labels that people have given up to this round, and those of each class that measure."""
    minimum = training_of(problem).minimum_labels
    settled = settle_answers(read_answers(connection, problem.name, round_id), label_of(problem))
    by_chance = settled[settled["is_random"]]["is_positive"]
    n_rarest = int(min(by_chance.sum(), len(by_chance) - by_chance.sum()))
    is_due = len(settled) >= minimum and n_rarest >= N_FOLDS
    reason = (
        f"{len(settled)} items are labelled up to {round_id} ({minimum} are needed); {n_rarest} of the rarer class "
        f"were chosen by chance ({N_FOLDS} are needed to measure a model)."
    )
    points = [round_id] if is_due else []
    return {"is_due": is_due, "points": points, "reason": reason, "n_rows": len(settled)}


def scorable_partitions(connection: Connection, problem: Problem, run_id: str) -> dict[str, str]:
    """Find partitions whose serving model is decided and which nobody has been told of; the model for each."""
    training = training_of(problem)
    prefix = settled_prefix(connection, problem.name)
    decided = registry.decided_points(connection, problem.name)
    undecided = [point for point in training_points(prefix, training.first, training.every) if point not in decided]
    announced = _coverage_rows(connection, problem.name, Stage.TRAIN)
    published = _coverage_rows(connection, problem.name, Stage.INGEST)
    found = {}
    for key in prefix:
        if undecided and key > undecided[0]:
            break
        version = registry.serving_version(connection, problem.name, key)
        before = announced.get(key)
        is_new = (
            before is None
            or before["detail"] != version
            or before["run_id"] == run_id
            or before["updated_at_utc"] < published[key]["updated_at_utc"]
        )
        if version is not None and is_new:
            found[key] = version
    return found


def newest_round(connection: Connection, problem: Problem) -> dict[str, str]:
    """Find the last round whose model was decided, and the version that serves now; nothing before there is one."""
    rounds = _coverage_rows(connection, problem.name, Stage.TRAIN)
    announced = [key for key, row in rounds.items() if row["status"] == Coverage.DONE]
    version = registry.serving_version(connection, problem.name, "")
    return {max(announced): version} if announced and version is not None else {}


def stale_partitions(connection: Connection, problem: str, version: str) -> list[str]:
    """Name the published partitions whose predictions are another model's, or older than their rows."""
    scored = registry.read_scored(connection, problem)
    stale = []
    for key, row in _coverage_rows(connection, problem, Stage.INGEST).items():
        before = scored.get(key)
        is_fresh = before and before["model_version"] == version and before["scored_at_utc"] > row["updated_at_utc"]
        if row["status"] == Coverage.DONE and not is_fresh:
            stale.append(key)
    return sorted(stale)


def _coverage_rows(connection: Connection, problem: str, stage: Stage) -> dict[str, registry.Row]:
    """Read the coverage of one stage by partition."""
    query = select(COVERAGE).where(COVERAGE.c.problem == problem, COVERAGE.c.stage == str(stage))
    return {row["partition_key"]: dict(row) for row in connection.execute(query).mappings()}
