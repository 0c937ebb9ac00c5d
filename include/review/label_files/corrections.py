"""Takes people's corrections of a log's labels from files in landing.

What does not belong here: what a line is (`label_files/jsonl.py`), and which of the two labels counts
(`learning/data/corrections.py`).
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from include.engine.object_store.objects import LocalObject
from include.engine.predicates import add_predicates, add_words
from include.lake.reading import open_events, open_rows
from include.names import PARTITION_KEY, ROW_KEY, Coverage, Stage, events_table
from include.partition_keys import sort_key
from include.problems.answer_text import Allowed, write_labels
from include.problems.schema import Problem
from include.problems.sections.learning import Label
from include.review import demo_reviewer
from include.review.batches.blocks import read_blocked
from include.review.contracts import ImportedFile
from include.review.label_files.import_export import count_reasons, is_table_file
from include.review.label_files.jsonl import (
    NOT_IN_BATCH,
    NOT_PUBLISHED,
    Rejected,
    named_items,
    note_name_of,
    read_lines,
)
from include.review.row_names import name_rows
from include.review.selection.content import clean_text
from include.review.selection.pool import only_keys
from include.warehouse import coverage
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.review import LABEL_CORRECTION, LABEL_FILE

BATCH = "corrections"  # what a line names in the place of a batch
_IS_KNOWN, _SAYS = "_log_is_known", "_log_says"


@dataclass(frozen=True)
class FoundRow:
    """A published row that somebody corrects: its partition, and what the log says of it now, if anything.

    Attributes:
        log_is_positive: of two sides.
        log_label: of several classes or labels, as an answer is kept.
    """

    partition_key: str
    log_is_positive: bool | None = None
    log_label: str | None = None


def import_corrections_file(
    connection: Connection,
    problem: Problem,
    file: LocalObject,
    now: datetime,
    keys: Collection[str],
    published: Collection[str],
) -> tuple[ImportedFile, set[str]]:
    """Store the corrections of one file, and write down how many lines were not taken and why.

    Of one person's corrections of a row the newest file counts.

    Args:
        keys: secrets of the keyed hash for identifiers, the newest first.
        published: partitions.

    Returns:
        how many lines were stored and rejected, and the partitions whose labels are others now.
    """
    content, name = file.path.read_bytes(), partial(name_rows, problem.source, list(keys))
    rows = find_rows(problem, named_items(content, name, is_table=is_table_file(file.key)), sorted(published))
    answers, rejected = read_lines(
        content,
        name_rows=name,
        classes=Allowed(problem.label),
        open_items={BATCH: frozenset(rows)},
        closed_batches=frozenset(),
        reserved_names=frozenset({demo_reviewer.NAME}),
        not_for={},
        blocked=read_blocked(connection, problem.name),
        is_table=is_table_file(file.key),
        note_name=note_name_of(problem.source.columns),
    )
    positive = problem.label.positive if problem.label is not None else None
    corrections = [
        {
            "problem": problem.name,
            "item_id": answer.item_id,
            "labelled_by": answer.labelled_by,
            "label": answer.label,
            "is_positive": answer.label == positive if positive is not None else None,
            "note": clean_text(answer.note) if answer.note else None,
            "object_key": file.key,
            **asdict(rows[answer.item_id]),
            "corrected_at_utc": now,
        }
        for answer in answers
    ]
    upsert_rows(connection, LABEL_CORRECTION, corrections)
    said = [Rejected(one.line_number, NOT_PUBLISHED if one.reason == NOT_IN_BATCH else one.reason) for one in rejected]
    imported = ImportedFile(file.key, len(answers), len(rejected), 0)
    read = {"problem": problem.name, "version": file.seen.version, "imported_at_utc": now}
    upsert_rows(connection, LABEL_FILE, [asdict(imported) | read | {"reasons": count_reasons(said)}])
    return imported, {rows[answer.item_id].partition_key for answer in answers}


def find_rows(problem: Problem, items: Collection[str], published: list[str]) -> Mapping[str, FoundRow]:
    """Find published rows by their names, with what the log says of them now."""
    label = problem.label
    if not items or not published or label is None or label.known_sql is None:
        return {}
    named = only_keys(open_rows(events_table(problem.name), published), items).select(ROW_KEY, PARTITION_KEY)
    places = {row[ROW_KEY]: row[PARTITION_KEY] for row in named.to_pyarrow().to_pylist()}
    if not places:
        return {}
    asked = add_predicates(open_events(problem, sorted(set(places.values()))), {_IS_KNOWN: label.known_sql})
    if label.positive_sql is not None:
        asked = add_predicates(asked, {_SAYS: label.positive_sql})
    elif label.value_sql is not None:
        asked = add_words(asked, _SAYS, label.value_sql, is_list=label.multiple)
    said = only_keys(asked, places).select(ROW_KEY, _IS_KNOWN, _SAYS).to_pyarrow().to_pylist()
    answers = {row[ROW_KEY]: row[_SAYS] for row in said if row[_IS_KNOWN]}
    return {item: _as_the_log_says(key, answers.get(item), label) for item, key in places.items()}


def _as_the_log_says(partition_key: str, said: object, label: Label) -> FoundRow:
    """Write down a row with what its log says: a side, a class, or several labels."""
    if isinstance(said, bool):
        return FoundRow(partition_key, log_is_positive=said)
    if isinstance(said, list):
        return FoundRow(partition_key, log_label=write_labels([str(one) for one in said], label.classes))
    return FoundRow(partition_key, log_label=said if isinstance(said, str) else None)


def tell_changed(connection: Connection, problem: str, run_id: str) -> list[str]:
    """Name the scored partitions whose labels people have corrected and that nobody was told of, oldest first.

    A run that is repeated names them again: it may have died before anybody heard of them.
    """
    waiting = coverage.read_statuses(connection, problem, Stage.CORRECTIONS)
    again = coverage.settled_by(connection, problem, Stage.CORRECTIONS, run_id)
    scored = set(coverage.done_partitions(connection, problem, Stage.TRAIN))
    keys = {key for key, status in waiting.items() if status != Coverage.DONE} | set(again)
    for key in keys:
        coverage.mark(connection, problem, Stage.CORRECTIONS, key, Coverage.DONE, run_id=run_id)
    return sorted(keys & scored, key=sort_key)
