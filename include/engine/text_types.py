"""Reads texts as the types that a problem declares; what does not fit is null.

What belongs here: what a text means. What does not: why one does not fit (`include/lake/type_casting.py`).
"""

from collections.abc import Mapping, Sequence

import ibis
import ibis.expr.types as ir

from include.engine.duckdb_sql import quote_name, quote_text, select
from include.engine.event_time import parse_time
from include.problems.sections.columns import Column
from include.row_key import NUMBER, WHOLE_NUMBER, YES_OR_NO

TYPED_PREFIX = "_typed_"
_TIME = "timestamp('UTC', 6)"
_PER_SECOND = {"epoch_seconds": 1, "epoch_milliseconds": 1_000, "epoch_microseconds": 1_000_000}


def type_columns(rows: ibis.Table, columns: Mapping[str, Column], names: Sequence[str]) -> ibis.Table:
    """Add `_typed_<column>` for the named columns, where it is not there yet; null where the text does not fit.

    Args:
        rows: the named columns as text.
    """
    new = [name for name in names if f"{TYPED_PREFIX}{name}" not in rows.columns]
    formats = {name: form for name in new if (form := columns[name].format) is not None}
    plain = [name for name in new if name not in formats]
    rows = rows.mutate(**{f"{TYPED_PREFIX}{name}": type_text(rows[name], columns[name].type) for name in plain})
    if not formats:
        return rows
    added = ", ".join(f"{_time_sql(name, form)} AS {quote_name(TYPED_PREFIX + name)}" for name, form in formats.items())
    return select(rows, f"SELECT *, {added} FROM {{rows}}", {f"{TYPED_PREFIX}{name}": _TIME for name in formats})


def type_text(text: ir.StringValue, kind: str) -> ir.Value:
    """Read a text expression as one of the declared types; null where it does not fit, or is blank.

    Args:
        kind: string, integer, number, boolean, timestamp or json.
    """
    if kind in {"string", "json"}:
        return text
    if kind == "timestamp":
        return parse_time(text)
    stripped = text.strip()
    # What needs no stripping is asked first: the engine computes a branch only for the rows that come to it.
    if kind == "boolean":
        words = [
            (form == word, ibis.literal(value))
            for form in (text, stripped.lower())
            for word, value in YES_OR_NO.items()
        ]
        return ibis.cases(*words, else_=ibis.null("boolean"))
    if kind == "integer":
        # By text, not by rounding: engines disagree about what 12.7 is as a whole number. What is written as the engine
        # would write it needs no pattern.
        whole = text.try_cast("int64")
        return ibis.cases(
            (whole.cast("string") == text, whole),
            (stripped.re_search(WHOLE_NUMBER), stripped.re_replace(r"\.0*$", "").try_cast("int64")),
            else_=ibis.null("int64"),
        )
    number = ibis.cases(
        (text.re_search(NUMBER), text.try_cast("float64")),
        (stripped.re_search(NUMBER), stripped.try_cast("float64")),
        else_=ibis.null("float64"),
    )
    return ibis.ifelse(number.isinf(), ibis.null("float64"), number)


def _time_sql(name: str, form: str) -> str:
    """Write, in SQL, how a text is read as a time by the format that its column says; without a zone it is UTC."""
    text = f"trim({quote_name(name)})"
    if form in _PER_SECOND:
        micros = f"TRY_CAST({text} AS DECIMAL(38, 9)) * {1_000_000 // _PER_SECOND[form]}"
        return f"TRY(make_timestamptz(CAST({micros} AS BIGINT)))"
    return f"TRY(CAST(try_strptime({text}, {quote_text(form)}) AS TIMESTAMPTZ))"
