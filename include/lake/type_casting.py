"""Turns raw text into the types that a problem declares, with a reason for each value that does not fit.

What belongs here: pure expressions. What does not: masking (`masking.py`), files (`row_expressions.py`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from include.engine.event_time import explain_no_time, is_placeable, latest_of
from include.engine.formats.field_extraction import KEYS, NOT_FINITE
from include.engine.formats.fields import fields_of
from include.engine.formats.record_batches import FLAW
from include.engine.text_types import TYPED_PREFIX
from include.lake.masking import mask_value
from include.problems.sections.columns import Column
from include.problems.sections.source import Source
from include.row_key import NUMBER, WHOLE_NUMBER

REASON, FIELD, DETAIL = "_reason", "_field", "_detail"

_LARGEST, _SMALLEST = 2**63 - 1, -(2**63)
_LARGEST_DOUBLE = "1.7976931348623157e308"
_SHOWN_CHARACTERS = 80
_FIRST_PRINTED = "!"  # of all characters that are no blank

_ARROW_TYPES = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "json": pa.string(),
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
        kind: declared type of the column; a plain number in a column of numbers or times is shown as it is.
    """

    condition: ir.BooleanValue
    field: str | None
    reason: ir.StringValue
    value: ir.StringValue | None
    kind: str = "string"


def arrow_type(column: Column) -> pa.DataType:
    """Say how a column is stored; what is masked is text, whatever it was."""
    return pa.string() if column.pii != "none" else _ARROW_TYPES[column.type]


def explain_misfits(typed: ibis.Table, source: Source) -> ibis.Table:
    """Say for each row why it does not fit.

    Args:
        typed: declared columns as text and typed, `_flaw`, and `_keys` from `list_keys`.

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


def typed_numbers(source: Source) -> dict[str, str]:
    """Name the columns of numbers that a row may lack, each with its typed one: NaN and the infinities are none."""
    kinds = ("integer", "number")
    optional = [name for name, column in source.columns.items() if column.type in kinds and name not in source.key]
    return {name: f"{TYPED_PREFIX}{name}" for name in optional}


def _surely_fits(rows: ibis.Table, source: Source) -> ir.BooleanValue:
    """Say which rows surely break no rule: every value is there and has its type. Of the others each rule is asked."""
    moment = rows[f"{TYPED_PREFIX}{source.event_time}"]
    fits = rows[FLAW].isnull() & is_placeable(moment, source, latest_of(rows, source))
    for name in source.key:
        if name in source.columns:
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
        if name in source.columns and name != source.event_time:
            yield _missing(rows, name, source)
    for name, column in source.columns.items():
        if column.type in _MISFITS and name != source.event_time:
            yield _type_misfit(rows, name, column, is_optional=name in typed_numbers(source))


def _time_misfits(rows: ibis.Table, source: Source) -> Iterator[Misfit]:
    """List what can be wrong with the event time."""
    name = source.event_time
    text, moment = rows[name], rows[f"{TYPED_PREFIX}{name}"]
    yield _missing(rows, name, source)
    yield _type_misfit(rows, name, source.columns[name])
    is_before = moment < ibis.literal(source.earliest)
    yield Misfit(is_before, name, ibis.literal(f"{name} is before {_show(source.earliest)}"), text)
    bound = "a day behind the arrival of its object" if source.latest is None else _show(source.latest)
    is_after = moment > latest_of(rows, source)
    yield Misfit(is_after, name, ibis.literal(f"{name} is after {bound}"), text)


def _missing(rows: ibis.Table, name: str, source: Source) -> Misfit:
    """Describe a value that is not there, and tell a blank from a column that whoever wrote the log does not have."""
    if name not in source.declared:
        return Misfit(rows[name].isnull(), name, ibis.literal(f"{name} cannot be told of this row"), None)
    is_tabular = source.format in {"csv", "parquet"}
    column = source.columns[name]
    place = column.from_field or ".".join(str(step) for step in column.path or [name])
    no_column = (
        f"column {place} is missing from the object" if is_tabular else f"field {place} is missing from the record"
    )
    # Where the keys were not listed, there are no others than those that hold something.
    names = next(field.names for field in fields_of(source) if field.column == name)
    is_absent = rows[name].isnull() & (rows[KEYS].isnull() | ~_has_key(rows, names))
    reason = ibis.ifelse(is_absent, ibis.literal(no_column), ibis.literal(f"{name} is missing"))
    return Misfit(_is_blank(rows[name]), name, reason, None)


def _has_key(rows: ibis.Table, names: Sequence[str]) -> ir.BooleanValue:
    """Say whether a record has one of several fields."""
    found = rows[KEYS].contains(names[0])
    for name in names[1:]:
        found |= rows[KEYS].contains(name)
    return found


def _type_misfit(rows: ibis.Table, name: str, column: Column, *, is_optional: bool = False) -> Misfit:
    """Describe a value that is there and is not of its type; a value that may identify a person is not shown."""
    text = rows[name]
    is_misfit = rows[f"{TYPED_PREFIX}{name}"].isnull() & ~_is_blank(text)
    if is_optional:
        is_misfit &= ~text.re_search(f"^{NOT_FINITE}$")
    shown = text if column.pii == "none" else None
    return Misfit(is_misfit, name, _explain_type(text, name, column), shown, column.type)


def _explain_type(text: ir.StringValue, name: str, column: Column) -> ir.StringValue:
    """Say why a text is not of its type."""
    kind = column.type
    if column.format is not None:
        return ibis.literal(f"{name} is not a time as {column.format} has it")
    general = ibis.literal(f"{name} {_MISFITS[kind]}")
    stripped = text.strip()
    if kind == "timestamp":
        return ibis.literal(f"{name} ") + explain_no_time(text).fill_null(_MISFITS[kind])
    if kind == "boolean":
        return general
    pattern, least, most = (
        (WHOLE_NUMBER, str(_SMALLEST), str(_LARGEST))
        if kind == "integer"
        else (NUMBER, f"-{_LARGEST_DOUBLE}", _LARGEST_DOUBLE)
    )
    is_number = stripped.re_search(pattern)
    if kind == "integer":  # 1e400 is a whole number, too
        is_number |= stripped.re_search(NUMBER) & (stripped.try_cast("float64").abs() >= float(_LARGEST)).fill_null(
            False
        )
    return ibis.cases(
        (is_number & stripped.startswith("-"), ibis.literal(f"{name} is smaller than {least}")),
        (is_number, ibis.literal(f"{name} is larger than {most}")),
        else_=general,
    )


def _is_blank(text: ir.StringValue) -> ir.BooleanValue:
    """Say whether nothing was held."""
    # Only what starts with a blank, or is empty, sorts before it; the others need no stripping.
    return text.isnull() | ((text < _FIRST_PRINTED) & (text.strip() == ""))


def _describe(misfit: Misfit) -> ir.StringValue:
    """Write the reason with the value in it."""
    if misfit.value is None:
        return misfit.reason
    # Masked, then cut: half an address is none to a pattern.
    shown = mask_value(misfit.value, misfit.kind).substr(0, _SHOWN_CHARACTERS)
    return misfit.reason + ibis.literal(" (it holds '") + shown + ibis.literal("')")


def _first(fits: ir.BooleanValue, misfits: list[Misfit], give: Callable[[Misfit], ir.StringValue]) -> ir.StringValue:
    """Choose what the first misfit that holds gives; null where none does."""
    nothing = ibis.null("string")
    return ibis.cases((fits, nothing), *((misfit.condition, give(misfit)) for misfit in misfits), else_=nothing)


def _show(bound: datetime) -> str:
    """Write a bound as a person would: without a time of day where it is midnight."""
    return bound.strftime("%Y-%m-%d") if bound.strftime("%H%M%S") == "000000" else bound.strftime("%Y-%m-%dT%H:%M:%SZ")


def stored_schema(columns: Mapping[str, Column], added: Mapping[str, pa.DataType]) -> pa.Schema:
    """Say the columns of a problem's lake table: the declared ones, then those that ingest adds."""
    return pa.schema([(name, arrow_type(column)) for name, column in columns.items()] + list(added.items()))
