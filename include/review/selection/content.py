"""What items look like on the desk: read from the lake when a batch is opened, and kept beside it.

What belongs here: `core.review_content`. What does not: who may see it (`desk/service.py`).
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TypedDict

import ibis
import ibis.expr.types as ir
from sqlalchemy import Connection, RowMapping, select

from include.engine.session import open_engine
from include.lake.reading import open_events
from include.names import PARTITION_KEY, ROW_KEY
from include.problems.schema import Problem
from include.problems.sections.learning import Label
from include.review.batches.choice import Choice
from include.review.selection.class_scores import columns_of, several_of
from include.review.selection.pool import P_POSITIVE, only_keys, open_predictions
from include.warehouse.loading import replace_rows
from include.warehouse.tables.desk import REVIEW_CONTENT

# More than anybody reads; it keeps one broken log line from filling the warehouse.
MAX_CHARACTERS = 1_000_000
_LENGTH = "_length_of_"


class Field(TypedDict):
    """One column of an item as people read it; `n_characters` is of all of it, the value perhaps its beginning."""

    name: str
    kind: str
    description: str
    unit: str
    value: str | None
    n_characters: int


class Content(TypedDict):
    """What one item of a batch looks like, as `core.review_content` keeps it."""

    problem: str
    batch_id: str
    item_id: str
    fields: list[Field]
    content_hash: str
    p_positive: float | None
    class_probabilities: dict[str, float] | None


def shown_columns(problem: Problem) -> list[str]:
    """Name the columns that people see: those of `review.show`, or else what the model looks at, texts first."""
    if problem.review and problem.review.show:
        return list(problem.review.show)
    features = problem.training.features if problem.training else None
    names = [*features.text, *features.categorical, *features.numeric] if features else []
    return list(dict.fromkeys(names)) or list(problem.columns)


def read_contents(
    problem: Problem, partitions: Sequence[str], batch_id: str, choices: Sequence[Choice]
) -> list[Content]:
    """Read what the items of a batch look like, masked as they lie in the lake.

    Gold items and relabels get the model's view too, where it has scored them: without one they would stand out.

    Returns:
        rows of `core.review_content`, one for each choice.
    """
    keys = [choice.item_id for choice in choices]
    known = {choice.item_id: choice.p_positive for choice in choices}
    label = several_of(problem)
    if label is None:
        known |= _read_probabilities(problem.name, partitions, [key for key in keys if known[key] is None])
    by_class = _read_class_probabilities(problem.name, partitions, keys, label) if label else {}
    fields = _read_fields(problem, partitions, keys)
    return [
        {
            "problem": problem.name,
            "batch_id": batch_id,
            "item_id": key,
            "fields": fields.get(key, []),
            "content_hash": hash_fields(fields.get(key, [])),
            "p_positive": known[key],
            "class_probabilities": by_class.get(key),
        }
        for key in keys
    ]


def write_contents(connection: Connection, problem: str, batch_id: str, contents: Sequence[Content]) -> None:
    """Keep what the items of a batch look like."""
    replace_rows(connection, REVIEW_CONTENT, {"problem": problem, "batch_id": batch_id}, contents)


def find_content(connection: Connection, problem: str, batch_id: str, item_id: str) -> RowMapping | None:
    """Read what one item looks like; None where it was erased, or its batch is older than the desk."""
    query = select(REVIEW_CONTENT).where(
        REVIEW_CONTENT.c.problem == problem,
        REVIEW_CONTENT.c.batch_id == batch_id,
        REVIEW_CONTENT.c.item_id == item_id,
    )
    return connection.execute(query).mappings().one_or_none()


def hash_fields(fields: Sequence[Field]) -> str:
    """Name a content by 32 hexadecimal digits: the same fields in the same order have the same name."""
    text = json.dumps(fields, ensure_ascii=True, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def clean_text(text: str) -> str:
    """Replace what no page shows and PostgreSQL does not store: NUL, and halves of characters."""
    return text.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _read_fields(problem: Problem, partitions: Sequence[str], keys: Sequence[str]) -> dict[str, list[Field]]:
    """Read the fields of each item; of an item in two partitions, those of the earlier one."""
    items = only_keys(open_events(problem, partitions), keys)
    # A column that was declared after the rows were ingested is not there yet.
    names = [name for name in shown_columns(problem) if name in items.columns]
    columns = {name: _as_text(items[name]) for name in names}
    asked = items.select(
        ROW_KEY,
        PARTITION_KEY,
        **{name: text.substr(0, MAX_CHARACTERS) for name, text in columns.items()},
        **{_LENGTH + name: text.length() for name, text in columns.items()},
    ).order_by(ibis.desc(PARTITION_KEY))
    rows = open_engine().to_pyarrow(asked).to_pylist()
    return {row[ROW_KEY]: [_field(problem, name, row) for name in names] for row in rows}


def _as_text(column: ir.Column) -> ir.StringValue:
    """Write a value as people read it."""
    return column.strftime("%Y-%m-%d %H:%M:%S") if column.type().is_timestamp() else column.cast("string")


def _field(problem: Problem, name: str, row: Mapping[str, str | int | None]) -> Field:
    """Put together what is shown of one column."""
    column = problem.columns[name]
    texts = problem.training.features.text if problem.training else []
    is_text = column.type == "string" and (name in texts or column.pii == "free_text")
    value = row[name]
    return {
        "name": name,
        "kind": "text" if is_text else column.type,
        "description": column.description,
        "unit": column.unit,
        "value": None if value is None else clean_text(str(value)),
        "n_characters": int(row[_LENGTH + name] or 0),
    }


def _read_probabilities(problem: str, partitions: Sequence[str], keys: Sequence[str]) -> dict[str, float]:
    """Read what the newest model says about some items; those it has not scored are missing."""
    scores = open_predictions(problem, partitions) if keys else None
    if scores is None:
        return {}
    rows = open_engine().to_pyarrow(only_keys(scores.rows, keys).select(ROW_KEY, P_POSITIVE)).to_pylist()
    return {row[ROW_KEY]: row[P_POSITIVE] for row in rows}


def _read_class_probabilities(
    problem: str, partitions: Sequence[str], keys: Sequence[str], label: Label
) -> dict[str, dict[str, float]]:
    """Read what the newest model says of some items, class by class; those it has not scored are missing."""
    scores = open_predictions(problem, partitions, label) if keys else None
    if scores is None:
        return {}
    rows = open_engine().to_pyarrow(only_keys(scores.rows, keys)).to_pylist()
    columns = columns_of(label)
    return {row[ROW_KEY]: dict(zip(label.classes, (row[name] for name in columns), strict=True)) for row in rows}
