"""Labels that come and go as files, for teams that label elsewhere: one JSON object a line.

What belongs here: lines in, answers and reasons out. What does not: reading objects and storing answers
(`importing.py`).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

LONGEST_LINE = 10_000  # characters: a label is short, and whatever is not is no label
LONGEST_NAME = 100
PREFIX = "labels"


@dataclass(frozen=True)
class FileAnswer:
    """One answer of a file that may be stored."""

    batch_id: str
    item_id: str
    labelled_by: str
    label: str


@dataclass(frozen=True)
class Rejected:
    """One line of a file that was not taken, and why."""

    line_number: int
    reason: str


def read_lines(
    lines: Iterable[str],
    *,
    key: Sequence[str],
    classes: Sequence[str],
    open_items: Mapping[str, frozenset[str]],
    closed_batches: frozenset[str],
    reserved_names: frozenset[str],
) -> tuple[list[FileAnswer], list[Rejected]]:
    """Check a file line by line: every line is an answer or is rejected with its reason; blank lines are neither.

    Args:
        lines: each one JSON object with `batch_id`, `label`, `labelled_by`, and either `item_id` or the key columns.
        key: the problem's key columns; an item id is their values joined by '|'.
        classes: the problem's classes.
        open_items: open batches, each with its items.
        closed_batches: batches that are finished: what they taught stands.
        reserved_names: who may not be named as the person, such as the demo reviewer.

    Returns:
        (answers, rejected), both in the order of the file. Who answers an item twice in one file is rejected twice:
        nobody can say which answer was meant.
    """
    answers: dict[tuple[str, str, str], tuple[int, FileAnswer]] = {}
    rejected: list[Rejected] = []
    twice = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            answer = _read_line(line, key, reserved_names)
            _require_open(answer, classes, open_items, closed_batches)
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


def batch_lines(items: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> list[str]:
    """Write a batch as lines that somebody can fill in: `label` and `labelled_by` are empty.

    Args:
        items: `batch_id`, `item_id` and `fields` of each item, in the order of the batch. No item says why it was
            chosen, what the model thinks, or that its answer is known.
        classes: the answers that are allowed.
    """
    return [
        json.dumps(
            {
                "batch_id": item["batch_id"],
                "item_id": item["item_id"],
                "fields": item["fields"],
                "classes": list(classes),
                "label": None,
                "labelled_by": None,
            },
            ensure_ascii=False,
            default=_as_text,
        )
        for item in items
    ]


def _read_line(line: str, key: Sequence[str], reserved_names: frozenset[str]) -> FileAnswer:
    """Read one line.

    Raises:
        ValueError: it is no such object; the reason names no value, which may be somebody's data.
    """
    if len(line) > LONGEST_LINE:
        raise ValueError(f"longer than {LONGEST_LINE:,} characters")
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError("not a JSON object") from error
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    item_id = record.get("item_id")
    if item_id is None and all(record.get(name) is not None for name in key):
        item_id = "|".join(str(record[name]) for name in key)
    texts: dict[str, Any] = {"item_id": item_id} | {
        name: record.get(name) for name in ("batch_id", "label", "labelled_by")
    }
    for name, value in texts.items():
        if not isinstance(value, str) or not value.strip():
            raise ValueError(f"no {name}")
    if len(texts["labelled_by"]) > LONGEST_NAME or not texts["labelled_by"].isprintable():
        raise ValueError(f"labelled_by is no name of up to {LONGEST_NAME} characters")
    if texts["labelled_by"] in reserved_names:
        raise ValueError("labelled_by is a reserved name")
    return FileAnswer(texts["batch_id"], texts["item_id"], texts["labelled_by"], texts["label"])


def _require_open(
    answer: FileAnswer,
    classes: Sequence[str],
    open_items: Mapping[str, frozenset[str]],
    closed_batches: frozenset[str],
) -> None:
    """Refuse an answer that no open batch waits for.

    Raises:
        ValueError: why.
    """
    if answer.batch_id in closed_batches:
        raise ValueError("its batch is finished")
    if answer.batch_id not in open_items:
        raise ValueError("its batch is unknown")
    if answer.item_id not in open_items[answer.batch_id]:
        raise ValueError("its item is not in its batch")
    if answer.label not in classes:
        raise ValueError("its label is not one of the classes")


def _as_text(value: Any) -> str:
    """Write what JSON has no form for, such as a time."""
    return value.isoformat() if isinstance(value, datetime) else str(value)
