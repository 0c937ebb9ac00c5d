"""Takes labels from files in landing, and gives batches as files.

A store file around `label_files.py`. A file is read once; when it changes it is read again.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from include.engine.objects import LocalObject, RawObject
from include.lake.reading import open_rows
from include.names import ROW_KEY, events_table
from include.problems.schema import Problem
from include.review import batches, demo_reviewer
from include.review.label_files import PREFIX, FileAnswer, Rejected, batch_lines, read_lines
from include.review.pool import only_keys
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.review import LABEL_FILE, REVIEW_ITEM

SHOWN_REASONS = 20


def label_prefix(problem: str) -> str:
    """Say where in landing the label files of a problem are dropped."""
    return f"{PREFIX}/{problem}/"


def choose_unread(connection: Connection, problem: str, listed: Sequence[RawObject]) -> list[RawObject]:
    """Keep the files that are new or changed since they were read."""
    query = select(LABEL_FILE.c.object_key, LABEL_FILE.c.version).where(LABEL_FILE.c.problem == problem)
    known = {row.object_key: row.version for row in connection.execute(query)}
    return [item for item in listed if known.get(item.key) != item.version]


def import_file(connection: Connection, problem: Problem, file: LocalObject, now: datetime) -> dict[str, Any]:
    """Store the answers of one file, and write down how many lines were not taken and why; in the caller's transaction.

    Returns:
        the row of `core.label_file`.
    """
    classes = problem.label.classes if problem.label else []
    existing = batches.read_batches(connection, problem.name)
    is_open = {batch["batch_id"]: batch["status"] == batches.OPEN for batch in existing}
    text = file.path.read_bytes().decode("utf-8", errors="replace")
    answers, rejected = read_lines(
        text.splitlines(),
        key=problem.source.key,
        classes=classes,
        open_items=_read_items(connection, problem.name, [key for key, waits in is_open.items() if waits]),
        closed_batches=frozenset(key for key, waits in is_open.items() if not waits),
        reserved_names=frozenset({demo_reviewer.NAME}),
    )
    _store(connection, problem.name, answers, classes, now)
    row = {
        "problem": problem.name,
        "object_key": file.key,
        "version": file.seen.version,
        "n_stored": len(answers),
        "n_rejected": len(rejected),
        "reasons": _count_reasons(rejected),
        "imported_at_utc": now,
    }
    upsert_rows(connection, LABEL_FILE, [row])
    return row


def export_lines(connection: Connection, problem: Problem, batch_id: str, partitions: Sequence[str]) -> list[str]:
    """Read a batch as lines to be filled in, each with what the lake has of the item, masked as it is there.

    Args:
        partitions: published partitions.

    Raises:
        BadPartition: there is no such batch.
    """
    batches.find_batch(connection, problem.name, batch_id)
    query = (
        select(REVIEW_ITEM.c.item_id)
        .where(REVIEW_ITEM.c.problem == problem.name, REVIEW_ITEM.c.batch_id == batch_id)
        .order_by(REVIEW_ITEM.c.position)
    )
    keys = list(connection.scalars(query))
    rows = open_rows(events_table(problem.name), partitions)
    columns = [name for name in problem.source.columns if name in rows.columns]
    found = only_keys(rows, keys).select(ROW_KEY, *columns).to_pyarrow().to_pylist()
    fields = {row[ROW_KEY]: {name: row[name] for name in columns} for row in found}
    classes = problem.label.classes if problem.label else []
    items = [{"batch_id": batch_id, "item_id": key, "fields": fields.get(key)} for key in keys]
    return batch_lines(items, classes)


def _store(
    connection: Connection, problem: str, answers: Sequence[FileAnswer], classes: Sequence[str], now: datetime
) -> None:
    """Store answers, person by person and batch by batch, as the desk stores them."""
    by_place: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for answer in answers:
        by_place[answer.batch_id, answer.labelled_by][answer.item_id] = answer.label
    for (batch_id, person), said in sorted(by_place.items()):
        batches.write_answers(
            connection, problem, batch_id, said, classes=classes, labelled_by=person, is_demo=False, now=now
        )


def _read_items(connection: Connection, problem: str, batch_ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """Read the items of some batches."""
    items: dict[str, set[str]] = {batch_id: set() for batch_id in batch_ids}
    query = select(REVIEW_ITEM.c.batch_id, REVIEW_ITEM.c.item_id).where(
        REVIEW_ITEM.c.problem == problem, REVIEW_ITEM.c.batch_id.in_(batch_ids)
    )
    for batch_id, item_id in connection.execute(query):
        items[batch_id].add(item_id)
    return {batch_id: frozenset(of_batch) for batch_id, of_batch in items.items()}


def _count_reasons(rejected: Sequence[Rejected]) -> list[dict[str, Any]]:
    """Count the reasons, the most frequent first, each with the first line that it was found on."""
    counts = Counter(one.reason for one in rejected)
    first = {one.reason: one.line_number for one in reversed(rejected)}
    return [
        {"reason": reason, "n_lines": count, "first_line": first[reason]}
        for reason, count in counts.most_common(SHOWN_REASONS)
    ]
