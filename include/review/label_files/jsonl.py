"""Labels that come and go as files, for teams that label elsewhere: one JSON object a line, or a table.

What belongs here: lines in, answers and reasons out. What does not: reading objects and storing answers
(`label_files/import_export.py`).
"""

import codecs
import json
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from include.problems.answer_text import Allowed, one_text
from include.review.label_files.csv_records import read_records

# Characters of what somebody wrote; the rest of a line is what we exported, and may be as long as a mail is.
LONGEST_NAME = 100
LONGEST_NOTE = 2_000
PREFIX = "labels"
NOT_IN_BATCH = "its item is not in its batch"
NOT_PUBLISHED = "no published row is called so; drop the file again once it is"
ON_DESK = "its item lies on the desk; answer it there, or name its batch"
BLOCKED = "a lead takes no more answers from this person"
FOR_OTHERS = "it wants somebody who has not answered it before"
COUNTS_NOT = "it did not count when it was exported"
# What only an export of labels has together, without a batch; elsewhere they are columns of a log.
_OF_EXPORT = ("round", "arm", "status")
_COUNTS = "counts"
NOTE, OWN_NOTE = "note", "review_note"
# JSON lets these stand in a text, and many programs end a line at them.
_LINE_ENDS = {"\u0085": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class FileAnswer:
    """One answer of a file that may be stored."""

    batch_id: str
    item_id: str
    labelled_by: str
    label: str
    note: str | None = None
    labelled_at: datetime | None = None


@dataclass(frozen=True)
class Rejected:
    """One line of a file that was not taken, and why."""

    line_number: int
    reason: str


def read_lines(
    file: bytes,
    *,
    name_rows: Callable[[Mapping[str, object]], Sequence[str]],
    classes: Collection[str],
    open_items: Mapping[str, frozenset[str]],
    closed_batches: frozenset[str],
    reserved_names: frozenset[str],
    not_for: Mapping[tuple[str, str], frozenset[str]],
    is_table: bool = False,
    without_batch: str | None = None,
    on_desk: Collection[str] = (),
    blocked: Collection[str] = (),
    note_name: str = NOTE,
) -> tuple[list[FileAnswer], list[Rejected]]:
    """Check a file line by line: every line is an answer or is rejected with its reason; blank lines are neither.

    Args:
        file: UTF-8, with lines that end at a line feed, or at a carriage return where there is no line feed: each one
            JSON object with `batch_id`, `label`, `labelled_by`, either `item_id` or the key columns, and perhaps a
            `note`.
        name_rows: gives the names that the row of an object with key columns may have in the lake.
        classes: the problem's classes.
        open_items: open batches, each with its items.
        closed_batches: batches that are finished: what they taught stands.
        reserved_names: who may not be named as the person, such as the demo reviewer.
        not_for: batch and person to the items that this person has answered before, and that somebody else should.
        is_table: whether it is CSV instead, with the same fields.
        without_batch: the batch of lines that name none; they may say in `labelled_at` when they were given. None
            rejects them.
        on_desk: items that people are being asked about; lines without a batch cannot answer those.
        blocked: people of whom nothing is taken.
        note_name: the field with what the person wrote beside it.

    Returns:
        (answers, rejected), both in the order of the file. Who answers an item twice in one file is rejected twice:
        nobody can say which answer was meant.
    """
    answers: dict[tuple[str, str, str], tuple[int, FileAnswer]] = {}
    rejected: list[Rejected] = []
    twice = set()
    for number, record in _read_records(file, is_table=is_table):
        try:
            answer = _read_answer(record, name_rows, open_items, reserved_names, classes, without_batch, note_name)
            _require_not_blocked(answer, blocked)
            if answer.batch_id == without_batch:
                _require_late(answer, open_items[without_batch], on_desk)
            _require_open(answer, classes, open_items, closed_batches, not_for)
        except ValueError as error:
            rejected.append(Rejected(number, str(error)))
            continue
        place = (answer.batch_id, answer.item_id, answer.labelled_by)
        if place in answers or place in twice:
            twice.add(place)
            rejected.append(Rejected(number, "answered more than once by the same person"))
            if place in answers:
                rejected.append(Rejected(answers.pop(place)[0], "answered more than once by the same person"))
        else:
            answers[place] = (number, answer)
    return [answer for _, answer in answers.values()], sorted(rejected, key=lambda one: one.line_number)


def note_name_of(columns: Collection[str]) -> str:
    """Name the field of a line that holds what its person wrote; where the log has a column `note`, that is data."""
    return OWN_NOTE if NOTE in columns else NOTE


def named_items(
    file: bytes,
    name_rows: Callable[[Mapping[str, object]], Sequence[str]],
    *,
    is_table: bool = False,
    only_without_batch: bool = False,
) -> set[str]:
    """Name every row that the lines of a file may be about; lines that cannot be read name none.

    Args:
        file, name_rows, is_table: as for `read_lines`.
        only_without_batch: leave out lines that name a batch.
    """
    named: set[str] = set()
    for _, record in _read_records(file, is_table=is_table):
        if isinstance(record, ValueError) or (only_without_batch and record.get("batch_id") is not None):
            continue
        item_id = record.get("item_id")
        named |= {item_id} if isinstance(item_id, str) else set(name_rows(record)) if item_id is None else set()
    return named


def _read_records(file: bytes, *, is_table: bool) -> Iterator[tuple[int, dict[str, object] | ValueError]]:
    """Give the records of a file, each with its line's number, or why a line is none."""
    if is_table:
        yield from read_records(file)
        return
    for number, line in _split(file):
        try:
            yield number, _parse(line)
        except ValueError as error:
            yield number, error


def _split(file: bytes) -> Iterator[tuple[int, bytes]]:
    """Give the lines of a file that are not blank, each with its number from 1."""
    line_end = b"\n" if b"\n" in file else b"\r"
    # Some editors begin a file with a mark that says it is UTF-8.
    for number, line in enumerate(file.removeprefix(codecs.BOM_UTF8).split(line_end), start=1):
        if line.strip():
            yield number, line


def _parse(line: bytes) -> dict[str, object]:
    """Read one line as an object.

    Raises:
        ValueError: it is none; the reason names no value.
    """
    try:
        # Numbers as they are written: of 1.10 in a key of text nothing else remembers the zero.
        record = json.loads(line.decode("utf-8"), parse_float=str, parse_int=str, object_pairs_hook=_read_fields)
    except UnicodeDecodeError as error:
        raise ValueError("not UTF-8") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError("not a JSON object") from error
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    return record


def batch_lines(items: Sequence[Mapping[str, object]], classes: Collection[str]) -> list[str]:
    """Write a batch as lines that somebody can fill in: `label` and `labelled_by` are empty.

    Args:
        items: `batch_id`, `item_id` and `fields` of each item, in the order of the batch. No item says why it was
            chosen, what the model thinks, or that its answer is known.
        classes: the answers that are allowed.
    """
    return [
        write_line(
            {
                "batch_id": item["batch_id"],
                "item_id": item["item_id"],
                "fields": item["fields"],
                "classes": list(classes),
                "label": None,
                "labelled_by": None,
            }
        )
        for item in items
    ]


def write_line(record: Mapping[str, object]) -> str:
    """Write a record as one line, also for programs that end lines at more than a line feed."""
    line = json.dumps(record, ensure_ascii=False, default=_as_text)
    return "".join(_LINE_ENDS.get(character, character) for character in line)


def _read_answer(
    record: dict[str, object] | ValueError,
    name_rows: Callable[[Mapping[str, object]], Sequence[str]],
    open_items: Mapping[str, frozenset[str]],
    reserved_names: frozenset[str],
    classes: Collection[str],
    without_batch: str | None,
    note_name: str,
) -> FileAnswer:
    """Read one line's record.

    Raises:
        ValueError: it is no such object; the reason names no value, which may be somebody's data.
    """
    if isinstance(record, ValueError):
        raise record
    has_batch = record.get("batch_id") is not None
    if not has_batch and all(name in record for name in _OF_EXPORT) and record["status"] != _COUNTS:
        raise ValueError(COUNTS_NOT)
    batch_id, item_id = record.get("batch_id") if has_batch else without_batch, record.get("item_id")
    if item_id is None:
        items = open_items.get(str(batch_id), frozenset())
        names = name_rows(record)
        item_id = next((name for name in names if name in items), next(iter(names), None))
    record["label"] = one_text(record.get("label"), classes.label if isinstance(classes, Allowed) else None)
    found = {name: record.get(name) for name in ("label", "labelled_by")} | {"batch_id": batch_id, "item_id": item_id}
    texts = {name: value for name, value in found.items() if isinstance(value, str) and value.strip()}
    for name in found:
        if name not in texts:
            raise ValueError(f"no {name}")
    # With a blank behind it, or its accents written apart, a name would be another person's, or hide a reserved one.
    texts["labelled_by"] = unicodedata.normalize("NFC", texts["labelled_by"].strip())
    if len(texts["labelled_by"]) > LONGEST_NAME or not texts["labelled_by"].isprintable():
        raise ValueError(f"labelled_by is no name of up to {LONGEST_NAME} characters")
    if texts["labelled_by"] in reserved_names:
        raise ValueError("labelled_by is a reserved name")
    note = record.get(note_name)
    if note is not None and (not isinstance(note, str) or len(note) > LONGEST_NOTE):
        raise ValueError(f"{note_name} is no text of up to {LONGEST_NOTE:,} characters")
    labelled_at = None if has_batch else _read_time(record.get("labelled_at"))
    return FileAnswer(**texts, note=note or None, labelled_at=labelled_at)


def _read_time(value: object) -> datetime | None:
    """Read when a label was given; a time without a zone is in UTC.

    Raises:
        ValueError: it is no time, or has not come yet.
    """
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(str(value).strip())
    except ValueError as error:
        raise ValueError("labelled_at is no time such as 2024-05-01T09:30:00Z") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > datetime.now(UTC):
        raise ValueError("labelled_at has not come yet")
    return moment


def _read_fields(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Read an object's fields.

    Raises:
        ValueError: one stands there twice, and nobody can say which is meant; or one holds half of a character.
    """
    record = dict(pairs)
    if len(record) < len(pairs):
        raise ValueError("a field stands in it twice")
    if any(_HALF.search(text) for pair in pairs for text in pair if isinstance(text, str)):
        raise ValueError("it holds half of a character: one of two surrogates without the other")
    return record


def _require_open(
    answer: FileAnswer,
    classes: Collection[str],
    open_items: Mapping[str, frozenset[str]],
    closed_batches: frozenset[str],
    not_for: Mapping[tuple[str, str], frozenset[str]],
) -> None:
    """Refuse an answer that no open batch waits for, or not from this person.

    Raises:
        ValueError: why.
    """
    if answer.batch_id in closed_batches:
        raise ValueError("its batch is finished")
    if answer.batch_id not in open_items:
        raise ValueError("its batch is unknown")
    if answer.item_id not in open_items[answer.batch_id]:
        raise ValueError(NOT_IN_BATCH)
    if answer.label not in classes:
        raise ValueError("its label is not one of the classes")
    if answer.item_id in not_for.get((answer.batch_id, answer.labelled_by), frozenset()):
        raise ValueError(FOR_OTHERS)


def _require_not_blocked(answer: FileAnswer, blocked: Collection[str]) -> None:
    """Refuse an answer of a person whom a lead has blocked.

    Raises:
        ValueError: why.
    """
    if answer.labelled_by in blocked:
        raise ValueError(BLOCKED)


def _require_late(answer: FileAnswer, published: Collection[str], on_desk: Collection[str]) -> None:
    """Refuse a label without a batch whose item is not there, or is being asked about.

    Raises:
        ValueError: why.
    """
    if answer.item_id not in published:
        raise ValueError(NOT_PUBLISHED)
    if answer.item_id in on_desk:
        raise ValueError(ON_DESK)


def _as_text(value: object) -> str:
    """Write what JSON has no form for, such as a time."""
    return value.isoformat() if isinstance(value, datetime) else str(value)
