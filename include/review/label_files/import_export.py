"""Takes labels from files in landing, and gives batches as files.

A store file around `label_files/jsonl.py`. A file is read once; when it changes it is read again.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Connection, select

from include.engine.object_store.objects import LocalObject, RawObject
from include.lake.reading import open_rows
from include.names import LATE_ARMS, PARTITION_KEY, ROW_KEY, Arm, events_table
from include.partition_keys import sort_key
from include.problems.answer_text import Allowed
from include.problems.schema import Problem
from include.review import demo_reviewer
from include.review.batches import assignments, blocks, late_answers
from include.review.batches import store as batches
from include.review.batches.assignments import Place
from include.review.contracts import ImportedFile
from include.review.label_files.csv_records import write_records
from include.review.label_files.jsonl import (
    PREFIX,
    FileAnswer,
    Rejected,
    batch_lines,
    named_items,
    note_name_of,
    read_lines,
)
from include.review.row_names import name_rows
from include.review.selection.content import clean_text
from include.review.selection.pool import count_items, only_keys
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.review import LABEL_FILE, REVIEW_ITEM

SHOWN_REASONS = 20
TABLE = ".csv"


def label_prefix(problem: str) -> str:
    """Say where in landing the label files of a problem are dropped."""
    return f"{PREFIX}/{problem}/"


def choose_unread(connection: Connection, problem: str, listed: Sequence[RawObject]) -> list[RawObject]:
    """Keep the files that are new or changed since they were read, the oldest first: the newest has the last word."""
    query = select(LABEL_FILE.c.object_key, LABEL_FILE.c.version).where(LABEL_FILE.c.problem == problem)
    known = {row.object_key: row.version for row in connection.execute(query)}
    unread = [item for item in listed if known.get(item.key) != item.version]
    return sorted(unread, key=lambda item: (item.changed_at or datetime.min.replace(tzinfo=UTC), item.key))


def import_file(
    connection: Connection,
    problem: Problem,
    file: LocalObject,
    now: datetime,
    keys: Sequence[str],
    published: Sequence[str],
) -> ImportedFile:
    """Store the answers of one file, and write down how many lines were not taken and why; in the caller's transaction.

    A line that names a batch answers it; one that names none is a label that existed already.

    Args:
        keys: secrets of the keyed hash for identifiers, the newest first.
        published: partitions, in which labels without a batch find their rows.

    Returns:
        how many lines were stored and rejected, as `core.label_file` keeps it.
    """
    classes = Allowed(problem.label)
    existing = batches.read_batches(connection, problem.name)
    is_open = {batch["batch_id"]: batch["status"] == batches.OPEN for batch in existing}
    opened = [key for key, waits in is_open.items() if waits]
    content, name, is_table = file.path.read_bytes(), partial(name_rows, problem.source, keys), is_table_file(file.key)
    rows = _find_rows(problem, named_items(content, name, is_table=is_table, only_without_batch=True), published)
    answers, rejected = read_lines(
        content,
        name_rows=name,
        classes=classes,
        open_items=_read_items(connection, problem.name, opened) | {Arm.IMPORTED: frozenset(rows)},
        closed_batches=frozenset(key for key, waits in is_open.items() if not waits),
        reserved_names=frozenset({demo_reviewer.NAME}),
        not_for=_read_not_for(connection, problem.name, opened),
        is_table=is_table,
        without_batch=Arm.IMPORTED,
        on_desk=late_answers.read_on_desk(connection, problem.name),
        blocked=blocks.read_blocked(connection, problem.name),
        note_name=note_name_of(problem.source.columns),
    )
    _store(connection, problem.name, [one for one in answers if one.batch_id != Arm.IMPORTED], classes, now)
    late = [_late(one, rows, now) for one in answers if one.batch_id == Arm.IMPORTED]
    if late:
        count_pool = partial(_count_pool, connection, problem, published)
        late_answers.record_late_answers(connection, problem.name, late, Arm.IMPORTED, now, count_pool)
    imported = ImportedFile(file.key, len(answers), len(rejected), _count_waiting(connection, problem.name, answers))
    read = {"problem": problem.name, "version": file.seen.version, "imported_at_utc": now}
    upsert_rows(connection, LABEL_FILE, [asdict(imported) | read | {"reasons": count_reasons(rejected)}])
    return imported


def is_table_file(object_key: str) -> bool:
    """Say whether a label file is CSV, by its name."""
    return object_key.lower().endswith(TABLE)


def _find_rows(problem: Problem, items: Collection[str], published: Sequence[str]) -> dict[str, str]:
    """Find published rows by their names; give the partition of each, the earliest of several."""
    if not items or not published:
        return {}
    found = only_keys(open_rows(events_table(problem.name), published), items).select(ROW_KEY, PARTITION_KEY)
    rows = sorted(found.to_pyarrow().to_pylist(), key=lambda row: sort_key(row[PARTITION_KEY]), reverse=True)
    return {row[ROW_KEY]: row[PARTITION_KEY] for row in rows}


def _late(answer: FileAnswer, rows: Mapping[str, str], now: datetime) -> late_answers.LateAnswer:
    """Write down a label that existed already; where the file says no time, it is from when it was read."""
    note = clean_text(answer.note) if answer.note else None
    partition_key = rows[answer.item_id]
    return late_answers.LateAnswer(
        answer.item_id, partition_key, answer.labelled_by, answer.label, answer.labelled_at or now, note
    )


def _count_pool(connection: Connection, problem: Problem, published: Sequence[str]) -> int:
    """Count the published items without a label."""
    return count_items(problem.name, published, batches.read_taken(connection, problem.name))


def export_batch(
    connection: Connection, problem: Problem, batch_id: str, partitions: Sequence[str]
) -> tuple[list[str], str]:
    """Read a batch to be filled in, each item with what the lake has of it, masked as it is there.

    Args:
        partitions: published partitions.

    Returns:
        JSON lines, and the same as a table, with a column for each field.

    Raises:
        UnknownBatch: there is no such batch.
    """
    batches.find_batch(connection, problem.name, batch_id)
    query = (
        select(REVIEW_ITEM.c.item_id)
        .where(REVIEW_ITEM.c.problem == problem.name, REVIEW_ITEM.c.batch_id == batch_id)
        .where(REVIEW_ITEM.c.arm.not_in(LATE_ARMS))
        .order_by(REVIEW_ITEM.c.position)
    )
    keys = list(connection.scalars(query))
    rows = open_rows(events_table(problem.name), partitions)
    columns = [name for name in problem.source.stored if name in rows.columns]
    found = only_keys(rows, keys).select(ROW_KEY, *columns).to_pyarrow().to_pylist()
    fields = {row[ROW_KEY]: {name: row[name] for name in columns} for row in found}
    items = [{"batch_id": batch_id, "item_id": key, "fields": fields.get(key)} for key in keys]
    named = ("batch_id", "item_id", "label", "labelled_by")
    shown = [name for name in columns if name not in named]
    cells = [{**(fields.get(key) or {}), "batch_id": batch_id, "item_id": key} for key in keys]
    for row in cells:
        row |= dict.fromkeys(("label", "labelled_by"))
    return batch_lines(items, Allowed(problem.label)), write_records(cells, [*named[:2], *shown, *named[2:]])


def _store(
    connection: Connection, problem: str, answers: Sequence[FileAnswer], classes: Allowed, now: datetime
) -> None:
    """Store answers, person by person and batch by batch, as the desk stores them."""
    by_place: dict[tuple[str, str], list[FileAnswer]] = defaultdict(list)
    for answer in answers:
        by_place[answer.batch_id, answer.labelled_by].append(answer)
    for (batch_id, person), said in sorted(by_place.items()):
        batches.write_answers(
            connection,
            problem,
            batch_id,
            {answer.item_id: answer.label for answer in said},
            notes={answer.item_id: clean_text(answer.note) for answer in said if answer.note},
            classes=classes,
            labelled_by=person,
            is_demo=False,
            now=now,
        )


def _read_items(connection: Connection, problem: str, batch_ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """Read the items that some batches ask about."""
    items: dict[str, set[str]] = {batch_id: set() for batch_id in batch_ids}
    query = select(REVIEW_ITEM.c.batch_id, REVIEW_ITEM.c.item_id).where(
        REVIEW_ITEM.c.problem == problem,
        REVIEW_ITEM.c.batch_id.in_(batch_ids),
        # What came late, a lead's last word among it, was asked of nobody in this batch.
        REVIEW_ITEM.c.arm.not_in(LATE_ARMS),
    )
    for batch_id, item_id in connection.execute(query):
        items[batch_id].add(item_id)
    return {batch_id: frozenset(of_batch) for batch_id, of_batch in items.items()}


def _read_not_for(
    connection: Connection, problem: str, batch_ids: Sequence[str]
) -> dict[tuple[str, str], frozenset[str]]:
    """Read which items of some batches want somebody else than a person who has answered them before."""
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for batch_id in batch_ids:
        answered = assignments.answered_before(Place(problem, batch_id))
        for row in connection.execute(answered):
            found[batch_id, row.labelled_by].add(row.item_id)
    return {place: frozenset(items) for place, items in found.items()}


def _count_waiting(connection: Connection, problem: str, answers: Sequence[FileAnswer]) -> int:
    """Count the answered items that want one more person all the same."""
    by_batch: dict[str, set[str]] = defaultdict(set)
    for answer in answers:
        by_batch[answer.batch_id].add(answer.item_id)
    return sum(
        len(items & assignments.read_waiting_items(connection, Place(problem, batch_id)))
        for batch_id, items in by_batch.items()
    )


def count_reasons(rejected: Sequence[Rejected]) -> list[dict[str, str | int]]:
    """Count the reasons, the most frequent first, each with the first line that it was found on."""
    counts = Counter(one.reason for one in rejected)
    first = {one.reason: one.line_number for one in reversed(rejected)}
    return [
        {"reason": reason, "n_lines": count, "first_line": first[reason]}
        for reason, count in counts.most_common(SHOWN_REASONS)
    ]
