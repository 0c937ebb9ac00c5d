"""Turns raw text into the types that a problem declares, with a reason for each value that does not fit.

What belongs here: pure expressions. What does not: masking (`masking.py`), files (`staging.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import ibis
import pyarrow as pa

from include.engine.placing import parse_time
from include.engine.records import FLAW
from include.lake.masking import mask_free_text
from include.problems.sections.source import Column, Source

REASON, FIELD, DETAIL = "_reason", "_field", "_detail"
TYPED_PREFIX = "_typed_"

_WHOLE_WITH_POINT = r"^[+-]?\d+(\.0*)?$"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_YES_OR_NO = {"true": True, "false": False, "1": True, "0": False}
_SHOWN_CHARACTERS = 80
_FIRST_PRINTED = "!"  # of all characters that are no blank

_ARROW_TYPES = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
_MISFITS = {
    "integer": "is not a whole number",
    "number": "is not a number",
    "boolean": "is neither true nor false",
    "timestamp": "is not a time in ISO 8601",
}


@dataclass(frozen=True)
class Misfit:
    """One way in which a row can break the declaration.

    Attributes:
        condition: expression that is true for the rows that do.
        field: the column; None when the whole record is broken.
        reason: the sentence that rows are counted by.
        value: text expression of what was held; None where it must not be shown.
    """

    condition: Any
    field: str | None
    reason: Any
    value: Any


def arrow_type(column: Column) -> pa.DataType:
    """Say how a column is stored; what is masked is text, whatever it was."""
    return pa.string() if column.pii != "none" else _ARROW_TYPES[column.type]


def type_columns(rows: ibis.Table, source: Source, names: Sequence[str]) -> ibis.Table:
    """Add `_typed_<column>` for the named columns, where it is not there yet; null where the text does not fit.

    Args:
        rows: the named columns as text.
    """
    missing = [name for name in names if f"{TYPED_PREFIX}{name}" not in rows.columns]
    return rows.mutate(
        **{f"{TYPED_PREFIX}{name}": type_text(rows[name], source.columns[name].type) for name in missing}
    )


def explain_misfits(typed: ibis.Table, source: Source) -> ibis.Table:
    """Say for each row why it does not fit.

    Args:
        typed: declared columns as text and typed, and `_flaw`.

    Returns:
        `typed` with `_reason`, `_field` and `_detail`, all null where the row fits. A row that breaks several rules has
        the first: the record, the event time, the key, then the others.
    """
    misfits, fits = list(_misfits(typed, source)), _surely_fits(typed, source)
    return typed.mutate(
        **{
            REASON: _first(fits, misfits, lambda m: m.reason),
            FIELD: _first(fits, misfits, lambda m: ibis.literal(m.field, "string")),
            DETAIL: _first(fits, misfits, _describe),
        }
    )


def type_text(text: Any, kind: str) -> Any:
    """Read a text expression as one of the declared types; null where it does not fit, or is blank.

    Args:
        kind: string, integer, number, boolean or timestamp.
    """
    if kind == "string":
        return text
    if kind == "timestamp":
        return parse_time(text)
    stripped = text.strip()
    # What needs no stripping is asked first: the engine computes a branch only for the rows that come to it.
    if kind == "boolean":
        words = [
            (form == word, ibis.literal(value))
            for form in (text, stripped.lower())
            for word, value in _YES_OR_NO.items()
        ]
        return ibis.cases(*words, else_=ibis.null("boolean"))
    if kind == "integer":
        # By text, not by rounding: engines disagree about what 12.7 is as a whole number. What is written as the engine
        # would write it needs no pattern.
        whole = text.try_cast("int64")
        return ibis.cases(
            (whole.cast("string") == text, whole),
            (stripped.re_search(_WHOLE_WITH_POINT), stripped.re_replace(r"\.0*$", "").try_cast("int64")),
            else_=ibis.null("int64"),
        )
    number = ibis.cases(
        (text.re_search(_NUMBER), text.try_cast("float64")),
        (stripped.re_search(_NUMBER), stripped.try_cast("float64")),
        else_=ibis.null("float64"),
    )
    return ibis.ifelse(number.isinf(), ibis.null("float64"), number)


def _surely_fits(rows: ibis.Table, source: Source) -> Any:
    """Say which rows surely break no rule: every value is there and has its type. Of the others each rule is asked."""
    moment = rows[f"{TYPED_PREFIX}{source.event_time}"]
    fits = rows[FLAW].isnull() & moment.between(ibis.literal(source.earliest), ibis.literal(source.latest))
    for name in source.key:
        fits &= rows[name] >= _FIRST_PRINTED
    for name, column in source.columns.items():
        if column.type in _MISFITS:
            fits &= rows[f"{TYPED_PREFIX}{name}"].notnull()
    return fits


def _misfits(rows: ibis.Table, source: Source) -> Iterator[Misfit]:
    """List every way in which a row can break the declaration, the gravest first."""
    yield Misfit(rows[FLAW].notnull(), None, rows[FLAW], None)
    yield from _time_misfits(rows, source)
    for name in source.key:
        if name != source.event_time:
            yield Misfit(_is_blank(rows[name]), name, ibis.literal(f"{name} is missing"), None)
    for name, column in source.columns.items():
        if column.type in _MISFITS and name != source.event_time:
            yield _type_misfit(rows, name, column)


def _time_misfits(rows: ibis.Table, source: Source) -> Iterator[Misfit]:
    """List what can be wrong with the event time."""
    name = source.event_time
    text, moment = rows[name], rows[f"{TYPED_PREFIX}{name}"]
    yield Misfit(_is_blank(text), name, ibis.literal(f"{name} is missing"), None)
    yield _type_misfit(rows, name, source.columns[name])
    for is_outside, word, bound in (
        (moment < ibis.literal(source.earliest), "before", source.earliest),
        (moment > ibis.literal(source.latest), "after", source.latest),
    ):
        yield Misfit(is_outside, name, ibis.literal(f"{name} is {word} {_show(bound)}"), text)


def _type_misfit(rows: ibis.Table, name: str, column: Column) -> Misfit:
    """Describe a value that is there and is not of its type; a value that may tell on a person is not shown."""
    is_misfit = rows[f"{TYPED_PREFIX}{name}"].isnull() & ~_is_blank(rows[name])
    shown = rows[name] if column.pii == "none" else None
    return Misfit(is_misfit, name, ibis.literal(f"{name} {_MISFITS[column.type]}"), shown)


def _is_blank(text: Any) -> Any:
    """Say whether nothing was held."""
    # Only what starts with a blank, or is empty, sorts before it; the others need no stripping.
    return text.isnull() | ((text < _FIRST_PRINTED) & (text.strip() == ""))


def _describe(misfit: Misfit) -> Any:
    """Write the reason with the value in it."""
    if misfit.value is None:
        return misfit.reason
    # Masked, then cut: half an address is none to a pattern.
    shown = mask_free_text(misfit.value).substr(0, _SHOWN_CHARACTERS)
    return misfit.reason + ibis.literal(" (it holds '") + shown + ibis.literal("')")


def _first(fits: Any, misfits: list[Misfit], give: Any) -> Any:
    """Choose what the first misfit that holds gives; null where none does."""
    nothing = ibis.null("string")
    return ibis.cases((fits, nothing), *((misfit.condition, give(misfit)) for misfit in misfits), else_=nothing)


def _show(bound: datetime) -> str:
    """Write a bound as a person would: without a time of day where it is midnight."""
    return bound.strftime("%Y-%m-%d") if bound.strftime("%H%M%S") == "000000" else bound.strftime("%Y-%m-%dT%H:%M:%SZ")


def stored_schema(columns: Mapping[str, Column], added: Mapping[str, pa.DataType]) -> pa.Schema:
    """Say the columns of a problem's lake table: the declared ones, then those that ingest adds."""
    return pa.schema([(name, arrow_type(column)) for name, column in columns.items()] + list(added.items()))
