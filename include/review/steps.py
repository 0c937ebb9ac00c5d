"""The review stage: one function per Airflow task."""
# ruff: noqa: ARG001 - every step is told its run; not every one needs it

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping

from include.errors import MulgilError
from include.names import Arm, Coverage, Stage
from include.problems.reading import load_problem
from include.problems.schema import Problem
from include.problems.sections.review import Review
from include.settings import read_settings
from include.warehouse import coverage
from include.warehouse.database import open_warehouse
from include.warehouse.steps import step


@step(Stage.REVIEW)
def choose_batch(*, problem: str, partition_key: str, run_id: str = "by-hand") -> dict[str, Any]:
    """Open the next batch, if it is time for one: the same wake-up never opens two.

    What the finished rounds teach about people and about choosing is measured first: the newest model has just shown
    it.

    Args:
        problem: name of the problem.
        partition_key: what woke the step: a data partition that was published (cold start), or the round whose labels
            the newest model has learned from.
        run_id: Airflow run.

    Returns:
        `batch_id` (None when no batch is due), `n_items`, `reason`. A run that is repeated while its batch is open
        names that batch again, so that an announcement lost with the first run is made up for.

    Raises:
        MulgilError: the problem has no section `review`.
        BadProbabilities: the predictions are not probabilities.
    """
    from include.review import batches
    from include.review.measuring import measure_review

    definition = load_problem(problem)
    _require_review(definition)
    with open_warehouse().begin() as connection:
        batches.hold_desk(connection, problem)
        measure_review(connection, definition, datetime.now(UTC))
        existing = batches.read_batches(connection, problem)
        for batch in existing:
            if batch["opened_by"] == partition_key and batch["status"] == batches.OPEN:
                return _outcome(batch["batch_id"], batch["n_items"], "opened by this wake-up before")
        reason = _reason_to_wait(connection, definition, existing, partition_key)
        if reason is not None:
            return _outcome(None, 0, reason)
        return _open_batch(connection, definition, len(existing) + 1, partition_key, run_id)


@step(Stage.DEMO_REVIEWER)
def answer_batch(*, problem: str, partition_key: str, run_id: str = "by-hand") -> dict[str, Any]:
    """Answer an open batch from recorded truth, in the name of the demo reviewer.

    Args:
        problem: name of the problem.
        partition_key: the batch.
        run_id: Airflow run.

    Returns:
        `batch_id`, `n_answered` (now), `n_items` (in the batch), `is_for_people`: it is left alone, because recorded
        truth has answered as many rounds as the problem lets it; with `reason`.

    Raises:
        MulgilError: the demo reviewer is off, or truth is missing for some items: those stay unanswered and the batch
            stays open, the others are stored.
        BadPartition: there is no such batch.
    """
    from include.review import batches, demo_reviewer, finishing

    definition, settings, now = load_problem(problem), read_settings(), datetime.now(UTC)
    classes = definition.label.classes if definition.label else []
    demo_reviewer.require_demo_reviewer(settings)
    with open_warehouse().begin() as connection:
        batches.hold_desk(connection, problem)
        batch = batches.find_batch(connection, problem, partition_key)
        limit = _require_review(definition).demo_rounds
        if limit is not None and batch["round_number"] > limit:
            reason = f"{partition_key} waits for people: recorded truth answers {limit} rounds"
            return _answered(batch, 0) | {"is_for_people": True, "reason": reason}
        waiting = batches.read_unanswered(connection, problem, partition_key)
        path = demo_reviewer.truth_path(settings, problem)
        truth = demo_reviewer.read_truth(path, definition.source.key, waiting) if waiting else {}
        answers = {item: label for item, label in truth.items() if label in classes}
        batches.write_answers(
            connection,
            problem,
            partition_key,
            answers,
            classes=classes,
            labelled_by=demo_reviewer.NAME,
            is_demo=True,
            now=now,
        )
        left = [item for item in waiting if item not in answers]
        if finishing.finish_batch_if_complete(connection, problem, partition_key, now, run_id=run_id):
            batches.mark_announced(connection, problem, partition_key, now)
    if left:
        # After the commit: what is known is kept, what is not stays on the desk.
        raise MulgilError(
            f"{len(left)} of {batch['n_items']} items of {partition_key} have no recorded truth among the classes "
            f"{classes} (first: {left[0]!r}, recorded {truth.get(left[0])!r}). The other answers are stored, the batch "
            f"stays open. Add the missing rows to {path.name}, or answer them on the desk."
        )
    return _answered(batch, len(answers)) | {"is_for_people": False}


@step(Stage.DESK_WATCH)
def import_labels(*, problem: str, run_id: str = "by-hand") -> dict[str, Any]:
    """Take the labels of files that were dropped below `labels/<problem>/` in landing, and of those that changed.

    Args:
        problem: name of the problem.
        run_id: Airflow run.

    Returns:
        `n_rows` (answers stored), `n_rejected`, `files` (object key to lines stored and rejected, at most 20).

    Raises:
        BadLanding: landing cannot be reached, or a file vanished before it was read; what was stored before stays.
    """
    from include.engine.objects import list_objects, local_objects
    from include.review import batches, importing

    definition, settings, now = load_problem(problem), read_settings(), datetime.now(UTC)
    _require_review(definition)
    listed = list_objects(settings, importing.label_prefix(problem))
    with open_warehouse().connect() as connection:
        unread = importing.choose_unread(connection, problem, listed)
    rows = []
    for item in unread:
        with (
            local_objects(settings, [item.key]) as files,
            open_warehouse().begin() as connection,
        ):
            batches.hold_desk(connection, problem)
            rows.append(importing.import_file(connection, definition, files[0], now))
    return {
        "n_rows": sum(row["n_stored"] for row in rows),
        "n_rejected": sum(row["n_rejected"] for row in rows),
        "files": {row["object_key"]: [row["n_stored"], row["n_rejected"]] for row in rows[:20]},
    }


@step(Stage.DESK_WATCH)
def watch_desk(*, problem: str, run_id: str = "by-hand") -> dict[str, Any]:
    """Close batches that wait for nothing, escalate overdue ones once, and find announcements that were lost.

    Args:
        problem: name of the problem.
        run_id: Airflow run.

    Returns:
        `keys`: batches to announce as answered; `escalated`: batches that were overdue for the first time; `reason`.
    """
    from include.review import batches, watching

    definition, now = load_problem(problem), datetime.now(UTC)
    _require_review(definition)
    with open_warehouse().begin() as connection:
        batches.hold_desk(connection, problem)
        finished = watching.finish_ready_batches(connection, problem, now, run_id)
        escalated = watching.escalate_overdue(connection, definition, now)
        keys = finished + watching.find_unannounced(connection, problem, now, finished)
        for batch_id in keys:
            batches.mark_announced(connection, problem, batch_id, now)
    reason = f"escalated to {definition.escalation}: {', '.join(escalated)}" if escalated else "nothing to announce"
    return {"keys": keys, "escalated": escalated, "reason": reason, "n_rows": len(keys)}


@step(Stage.REVIEW)
def export_batch(*, problem: str, partition_key: str, run_id: str = "by-hand") -> dict[str, Any]:
    """Write a batch as JSON lines for a team that labels elsewhere, below `exports/` in the home.

    Args:
        problem: name of the problem.
        partition_key: the batch.
        run_id: Airflow run.

    Returns:
        `path` of the file, `n_rows`.

    Raises:
        BadPartition: there is no such batch.
    """
    from include.review import importing

    definition, settings = load_problem(problem), read_settings()
    with open_warehouse().connect() as connection:
        published = coverage.done_partitions(connection, problem, Stage.INGEST)
        lines = importing.export_lines(connection, definition, partition_key, published)
    path = settings.home / "exports" / problem / f"{partition_key}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return {"path": str(path), "n_rows": len(lines)}


def _reason_to_wait(connection: Connection, definition: Problem, existing: list[Any], woken_by: str) -> str | None:
    """Say why no batch is due, or None when one is."""
    from include.review import batches

    for batch in existing:
        if batch["status"] == batches.OPEN:
            return f"{batch['batch_id']} is still open"
    if not batches.is_batch_id(woken_by):
        return _reason_to_wait_at_cold_start(connection, definition.name, existing)
    if not existing or existing[-1]["batch_id"] != woken_by:
        latest = existing[-1]["batch_id"] if existing else "none"
        return f"{woken_by} is not the latest answered batch (that is {latest})"
    limit = _require_review(definition).max_rounds
    return f"all {limit} rounds are answered" if len(existing) >= limit else None


def _reason_to_wait_at_cold_start(connection: Connection, problem: str, existing: list[Any]) -> str | None:
    """Say why a published partition opens no batch, or None when it opens the first."""
    if existing:
        return "a published partition opens only the first batch; later ones wait for a model"
    landed = coverage.read_statuses(connection, problem, Stage.LAND)
    ingested = coverage.read_statuses(connection, problem, Stage.INGEST)
    unsettled = [key for key in landed if ingested.get(key) not in coverage.SETTLED]
    if unsettled:
        return f"{len(unsettled)} of {len(landed)} landed partitions are not settled yet (first: {unsettled[0]})"
    return None


def _open_batch(
    connection: Connection, definition: Problem, round_number: int, woken_by: str, run_id: str
) -> dict[str, Any]:
    """Choose the items of a round and put them on the desk, in the caller's transaction."""
    from include.review import batches, content, opening, planning, stopping

    problem, review, batch_id = definition.name, _require_review(definition), batches.batch_id_of(round_number)
    published = coverage.done_partitions(connection, problem, Stage.INGEST)
    if not published:
        return _outcome(None, 0, "nothing is published, so there is nothing to ask about")
    seed = planning.seed_of(problem, batch_id, definition.training and definition.training.seed)
    earlier = batches.read_batches(connection, problem)
    pool = opening.read_round(connection, definition, published, earlier, seed)
    change_ratio = opening.compare_decisions(connection, problem, published, earlier, pool)
    reason = stopping.reason_to_stop([*(row["decision_change_ratio"] for row in earlier), change_ratio], review.stop)
    if reason is not None:
        return _outcome(None, 0, reason)
    choices = opening.choose_items(connection, definition, published, pool, seed)
    if not choices:
        return _outcome(None, 0, "every published item has a label")
    now = datetime.now(UTC)
    batch = batches.Batch(
        problem=problem,
        batch_id=batch_id,
        round_number=round_number,
        model_version=pool.model_version,
        n_items=len(choices),
        n_pool=pool.n_pool,
        chosen_at_utc=now,
        due_at_utc=now + review.due,
        opened_by=woken_by,
        strategy=review.strategy if pool.model_version else Arm.SPREAD,
        predictions_snapshot_id=pool.snapshot_id,
        decision_change_ratio=change_ratio,
    )
    batches.write_batch(connection, batch, choices)
    content.write_contents(
        connection, problem, batch_id, content.read_contents(definition, published, batch_id, choices)
    )
    coverage.mark(connection, problem, Stage.REVIEW, batch_id, Coverage.WAITING, run_id=run_id)
    return _outcome(batch_id, len(choices), opening.describe_batch(choices, pool))


def _require_review(definition: Problem) -> Review:
    """Refuse a problem whose file asks nobody anything."""
    if definition.review is None:
        raise MulgilError(f"{definition.name}.yaml has no section `review`; add one, or do not run this stage.")
    return definition.review


def _answered(batch: RowMapping, n_answered: int) -> dict[str, Any]:
    """Say what recorded truth did with a batch."""
    return {
        "batch_id": batch["batch_id"],
        "n_answered": n_answered,
        "n_items": batch["n_items"],
        "n_rows": n_answered,
    }


def _outcome(batch_id: str | None, n_items: int, reason: str) -> dict[str, Any]:
    """Say what became of a wake-up."""
    return {"batch_id": batch_id, "n_items": n_items, "reason": reason, "n_rows": n_items}
