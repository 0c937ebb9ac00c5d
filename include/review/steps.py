"""The review stage: one function per Airflow task."""
# ruff: noqa: ARG001 - every step is told its run; not every one needs it

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, RowMapping

from include.engine.object_store.objects import list_objects, local_objects
from include.errors import MulgilError
from include.names import Coverage, Stage
from include.partition_keys import round_number_of
from include.problems.answer_text import Allowed
from include.problems.reading import load_problem
from include.problems.recorded_truth import truth_path
from include.problems.schema import Problem
from include.problems.sections.review import Review
from include.review import demo_reviewer
from include.review.batches import completion, late_answers, overdue
from include.review.batches import store as batches
from include.review.contracts import (
    ExportedBatch,
    ImportedCorrections,
    ImportedFiles,
    OpenedBatch,
    RecordedAnswers,
    WatchedDesk,
)
from include.review.label_files import all_labels, import_export
from include.review.label_files.csv_records import write_records
from include.review.label_files.jsonl import note_name_of, write_line
from include.review.metrics.store import measure_review
from include.review.selection import open_round
from include.settings import read_settings
from include.warehouse import coverage
from include.warehouse.database import open_warehouse
from include.warehouse.steps import Outcome, step


@step(Stage.REVIEW)
def choose_batch(*, problem: str, partition_key: str, run_id: str = "by-hand") -> Outcome:
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
    definition = load_problem(problem)
    _require_review(definition)
    with open_warehouse().begin() as connection:
        measure_review(connection, definition, datetime.now(UTC))
    with open_warehouse().begin() as connection:
        batches.hold_planning(connection, problem)
        existing = batches.read_batches(connection, problem)
        for batch in existing:
            if batch["opened_by"] == partition_key and batch["status"] == batches.OPEN:
                return OpenedBatch(batch["batch_id"], batch["n_items"], "opened by this wake-up before").to_xcom()
        reason = _reason_to_wait(connection, definition, existing, partition_key)
        if reason is not None:
            return OpenedBatch(None, 0, reason).to_xcom()
        planned = open_round.plan_round(connection, definition, existing, partition_key, datetime.now(UTC))
        if isinstance(planned, str):
            return OpenedBatch(None, 0, planned).to_xcom()
        # Nobody's answer waited while the pool was read: the desk is held only to write what was chosen.
        with open_warehouse().begin() as desk:
            batches.hold_desk(desk, problem)
            open_round.write_round(desk, planned)
            coverage.mark(desk, problem, Stage.REVIEW, planned.batch.batch_id, Coverage.WAITING, run_id=run_id)
        return OpenedBatch(planned.batch.batch_id, len(planned.choices), planned.reason).to_xcom()


@step(Stage.DEMO_REVIEWER)
def answer_batch(*, problem: str, partition_key: str, run_id: str = "by-hand") -> Outcome:
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
        UnknownBatch: there is no such batch.
    """
    definition, settings, now = load_problem(problem), read_settings(), datetime.now(UTC)
    classes = Allowed(definition.label)
    demo_reviewer.require_demo_reviewer(settings)
    with open_warehouse().begin() as connection:
        batches.hold_desk(connection, problem)
        batch = batches.find_batch(connection, problem, partition_key)
        limit = _require_review(definition).demo_rounds
        if limit is not None and batch["round_number"] > limit:
            reason = f"{partition_key} waits for people: recorded truth answers {limit} rounds"
            return RecordedAnswers(partition_key, batch["n_items"], 0, reason).to_xcom()
        waiting = batches.read_unanswered(connection, problem, partition_key)
        path = truth_path(settings, problem)
        truth = demo_reviewer.read_truth(path, definition.source, settings.pii_keys, waiting) if waiting else {}
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
        if completion.finish_batch_if_complete(connection, problem, partition_key, now, run_id=run_id):
            batches.mark_announced(connection, problem, partition_key, now)
    if left:
        # After the commit: what is known is kept, what is not stays on the desk.
        raise MulgilError(
            f"{len(left)} of {batch['n_items']} items of {partition_key} have no recorded truth among the "
            f"classes {list(classes)} (first: {left[0]!r}, recorded {truth.get(left[0])!r}). The other answers are "
            f"stored, the batch stays open. Add the missing rows to {path.name}, or answer them on the desk."
        )
    return RecordedAnswers(partition_key, batch["n_items"], len(answers)).to_xcom()


@step(Stage.DESK_WATCH)
def import_labels(*, problem: str, run_id: str = "by-hand") -> Outcome:
    """Take the labels of files that were dropped below `labels/<problem>/` in landing, and of those that changed.

    Args:
        problem: name of the problem.
        run_id: Airflow run.

    Returns:
        `n_rows` (answers stored), `n_rejected`, `n_second_wanted` (items of the files that want one more person, with
        `reason`), `files` (object key to lines stored and rejected, at most 20).

    Raises:
        MulgilError: the problem has no section `review`.
        BadLanding: landing cannot be reached, or a file vanished before it was read; what was stored before stays.
    """
    definition, settings, now = load_problem(problem), read_settings(), datetime.now(UTC)
    _require_review(definition)
    listed = list_objects(settings, import_export.label_prefix(problem))
    with open_warehouse().connect() as connection:
        unread = import_export.choose_unread(connection, problem, listed)
        published = coverage.done_partitions(connection, problem, Stage.INGEST)
    imported = []
    for item in unread:
        with (
            local_objects(settings, [item.key]) as files,
            open_warehouse().begin() as connection,
        ):
            batches.hold_desk(connection, problem)
            # A time for each file: of several that change one answer, each is kept.
            now = max(datetime.now(UTC), now + timedelta(microseconds=1))
            imported.append(
                import_export.import_file(connection, definition, files[0], now, settings.pii_keys, published)
            )
    return ImportedFiles(tuple(imported)).to_xcom()


@step(Stage.CORRECTIONS)
def import_corrections(*, problem: str, run_id: str = "by-hand") -> Outcome:
    """Take people's corrections of what the log says, from files dropped below `labels/<problem>/` in landing.

    Args:
        problem: whose label section has `corrections: true`.
        run_id: Airflow run.

    Returns:
        an `ImportedCorrections`. A run that is repeated names the partitions of its files again.

    Raises:
        BadLanding: landing cannot be reached, or a file vanished before it was read; what was stored before stays.
    """
    from include.review.label_files import corrections

    definition, settings, now = load_problem(problem), read_settings(), datetime.now(UTC)
    listed = list_objects(settings, import_export.label_prefix(problem))
    with open_warehouse().connect() as connection:
        unread = import_export.choose_unread(connection, problem, listed)
        published = coverage.done_partitions(connection, problem, Stage.INGEST)
    imported = []
    for item in unread:
        with local_objects(settings, [item.key]) as files, open_warehouse().begin() as connection:
            batches.hold_desk(connection, problem)
            taken, changed = corrections.import_corrections_file(
                connection, definition, files[0], now, settings.pii_keys, published
            )
            imported.append(taken)
            for key in changed:
                coverage.mark(connection, problem, Stage.CORRECTIONS, key, Coverage.WAITING, run_id=run_id)
    with open_warehouse().begin() as connection:
        measured = corrections.tell_changed(connection, problem, run_id)
    return ImportedCorrections(tuple(imported), tuple(measured)).to_xcom()


@step(Stage.DESK_WATCH)
def watch_desk(*, problem: str, run_id: str = "by-hand") -> Outcome:
    """Close batches that wait for nothing, escalate overdue ones once, and find announcements that were lost.

    Args:
        problem: name of the problem.
        run_id: Airflow run.

    Returns:
        `keys`: batches to announce as answered; `escalated`: batches that were overdue for the first time; `reason`.

    Raises:
        MulgilError: the problem has no section `review`.
    """
    definition, now = load_problem(problem), datetime.now(UTC)
    _require_review(definition)
    with open_warehouse().begin() as connection:
        batches.hold_desk(connection, problem)
        finished = overdue.finish_ready_batches(connection, problem, now, run_id)
        escalated = overdue.escalate_overdue(connection, definition, now)
        keys = finished + overdue.find_unannounced(connection, problem, now, finished)
        for batch_id in keys:
            batches.mark_announced(connection, problem, batch_id, now)
    return WatchedDesk(tuple(keys), tuple(escalated), definition.escalation).to_xcom()


@step(Stage.REVIEW)
def export_batch(*, problem: str, partition_key: str, run_id: str = "by-hand") -> Outcome:
    """Write a batch as JSON lines and as CSV for a team that labels elsewhere, below `exports/` in the home.

    Args:
        problem: name of the problem.
        partition_key: the batch.
        run_id: Airflow run.

    Returns:
        `path` of the lines (the table is beside it, `.csv`), `n_rows`.

    Raises:
        UnknownBatch: there is no such batch.
    """
    definition, settings = load_problem(problem), read_settings()
    with open_warehouse().connect() as connection:
        published = coverage.done_partitions(connection, problem, Stage.INGEST)
        lines, table = import_export.export_batch(connection, definition, partition_key, published)
    return _write_export(settings.home / "exports" / problem / partition_key, lines, table)


@step(Stage.REVIEW)
def export_labels(*, problem: str, run_id: str = "by-hand") -> Outcome:
    """Write every label of a problem as JSON lines and as CSV, below `exports/` in the home.

    Args:
        problem: name of the problem.
        run_id: Airflow run.

    Returns:
        `path` of the lines (the table is beside it, `.csv`), `n_rows`.
    """
    note_name = note_name_of(load_problem(problem).source.columns)
    with open_warehouse().connect() as connection:
        labels = list(all_labels.read_labels(connection, problem, note_name))
    table = write_records(labels, [*all_labels.NAMES, note_name])
    folder = read_settings().home / "exports" / problem
    return _write_export(folder / "labels", [write_line(label) for label in labels], table)


def _write_export(path: Path, lines: Sequence[str], table: str) -> Outcome:
    """Write lines and the table beside them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_name(f"{path.name}.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    path.with_name(f"{path.name}.csv").write_text(table, encoding="utf-8", newline="")
    return ExportedBatch(path.with_name(f"{path.name}.jsonl"), len(lines)).to_xcom()


def _reason_to_wait(
    connection: Connection, definition: Problem, existing: Sequence[RowMapping], woken_by: str
) -> str | None:
    """Say why no batch is due, or None when one is."""
    for batch in existing:
        if batch["status"] == batches.OPEN:
            return f"{batch['batch_id']} is still open"
    if round_number_of(woken_by) is None:
        return _reason_to_wait_at_cold_start(connection, definition.name, existing)
    if not existing or existing[-1]["batch_id"] != woken_by:
        latest = existing[-1]["batch_id"] if existing else "none"
        return f"{woken_by} is not the latest answered batch (that is {latest})"
    limit = _require_review(definition).max_rounds
    n_asked = len(late_answers.asked_rounds(existing))
    return f"all {limit} rounds are answered" if n_asked >= limit else None


def _reason_to_wait_at_cold_start(connection: Connection, problem: str, existing: Sequence[RowMapping]) -> str | None:
    """Say why a published partition opens no batch, or None when it opens the first."""
    if existing:
        return "a published partition opens only the first batch; later ones wait for a model"
    landed = coverage.read_statuses(connection, problem, Stage.LAND)
    ingested = coverage.read_statuses(connection, problem, Stage.INGEST)
    passed = coverage.passed_partitions(connection, problem)
    unsettled = [key for key in landed if ingested.get(key) not in coverage.SETTLED and key not in passed]
    if unsettled:
        return f"{len(unsettled)} of {len(landed)} landed partitions are not settled yet (first: {unsettled[0]})"
    return None


def _require_review(definition: Problem) -> Review:
    """Refuse a problem whose file asks nobody anything.

    Raises:
        MulgilError: it has no section `review`.
    """
    if definition.review is None:
        raise MulgilError(f"{definition.name}.yaml has no section `review`; add one, or do not run this stage.")
    return definition.review
