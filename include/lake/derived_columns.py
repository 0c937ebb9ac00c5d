"""Computes the columns that a problem derives from the others of a row, while the row is staged.

What is derived is stored with the row: audited, published and erased with it. It reads values as they are stored, so
nothing that was masked comes back; and one row at a time, so no row says anything about another.
"""

import duckdb
import ibis
import pyarrow as pa

from include.engine.duckdb_functions import ROWS, ask
from include.engine.duckdb_sql import select
from include.engine.text_types import TYPED_PREFIX
from include.errors import BadProblem
from include.lake.type_casting import DETAIL, FIELD, REASON, arrow_type
from include.problems.sections.source import Source

MASKED_PREFIX = "_masked_"
_VALUE, _FAILED = "_value_of_", "_failed"
_SQL_TYPES = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMPTZ",
}
_IBIS_TYPES = {
    "string": "string",
    "integer": "int64",
    "number": "float64",
    "boolean": "boolean",
    "timestamp": "timestamp('UTC', 6)",
}


def derive_columns(rows: ibis.Table, source: Source) -> ibis.Table:
    """Add `_typed_<name>` for every derived column, and say of a row in which one cannot be computed why it is bad.

    Args:
        rows: typed and masked, with `_reason`, `_field` and `_detail`.

    Raises:
        BadProblem: an expression is not SQL, names an unknown column, or is of another type than it says.
    """
    if not source.derive:
        return rows
    for name in source.derive:
        require_derivable(source, name)
    held = [name for name in rows.columns if name not in source.columns]
    stored = [
        f'"{MASKED_PREFIX if column.pii != "none" else TYPED_PREFIX}{name}" AS "{name}"'
        for name, column in source.columns.items()
    ]
    texts = [f'"{name}" AS "_text_of_{name}"' for name in source.columns]
    columns = [f'"{name}"' for name in held]
    given_back = [f'"_text_of_{name}" AS "{name}"' for name in source.columns]
    typed = [f'"{name}" AS "{TYPED_PREFIX}{name}"' for name in source.derive]
    failed = " ".join(f"WHEN \"{_VALUE}{name}\" IS NULL THEN '{name}'" for name in source.derive)
    query = f"""
        SELECT {", ".join([*columns, *given_back, *typed])}, CASE {failed} END AS "{_FAILED}"
        FROM (SELECT *, {_values(source)} FROM (SELECT {", ".join([*columns, *texts, *stored])} FROM {{rows}}))
    """
    kinds = {f"{TYPED_PREFIX}{name}": _IBIS_TYPES[derived.type] for name, derived in source.derive.items()}
    schema = rows.schema()
    asked = {name: str(schema[name]) for name in [*held, *source.columns]}
    rows = select(rows, query, asked | kinds | {_FAILED: "string"}, is_adding=False)
    return _explain(rows).select(*held, *source.columns, *kinds)


def require_derivable(source: Source, name: str) -> None:
    """Check that a derived column can be computed from the columns before it, without computing it of a row.

    Raises:
        BadProblem: it cannot.
    """
    derived = source.derive[name]
    before = list(source.derive)[: list(source.derive).index(name)]
    fields = [(own, arrow_type(column)) for own, column in source.stored.items() if own in [*source.columns, *before]]
    rows = pa.schema(fields).empty_table()
    try:
        # As one value of a structure, which is how it is computed: what is not about one row alone is refused there.
        ask(f"SELECT TRY({{'value': ({derived.sql}\n)}}) FROM {ROWS}", rows)
        found = ask(f"SELECT ({derived.sql}\n) AS value FROM {ROWS}", rows).schema.field("value").type
    except duckdb.Error as error:
        first_line = str(error).strip().splitlines()[0]
        raise BadProblem(
            f"source.derive.{name}: {derived.sql.strip()!r} cannot be computed from one row. {first_line} "
            f"Columns are: {', '.join(rows.column_names)}."
        ) from error
    if not _fits(found, derived.type):
        raise BadProblem(
            f"source.derive.{name}: {derived.sql.strip()!r} gives {found}, and its type says {derived.type}. "
            f"Write CAST(... AS {_SQL_TYPES[derived.type]}), or another type."
        )


def _fits(found: pa.DataType, wanted: str) -> bool:
    """Say whether a type of the engine can stand for a declared one without a change of meaning."""
    is_whole = pa.types.is_integer(found) or (pa.types.is_decimal(found) and found.scale == 0)
    fits: dict[str, bool] = {
        "string": pa.types.is_string(found),
        "integer": is_whole,
        "number": is_whole or pa.types.is_floating(found) or pa.types.is_decimal(found),
        "boolean": pa.types.is_boolean(found),
        "timestamp": pa.types.is_timestamp(found) or pa.types.is_date(found),
    }
    return fits[wanted]


def _values(source: Source) -> str:
    """Compute each value in a structure of its own: none at all where it fails, one of NULL where it is NULL."""
    parts = []
    for name, derived in source.derive.items():
        wanted = _SQL_TYPES[derived.type]
        value = f"struct_extract(\"{_VALUE}{name}\", 'value')"
        if derived.type == "number":
            value = f"CASE WHEN isfinite({value}) THEN {value} END"
        parts.append(f"TRY({{'value': CAST(({derived.sql}\n) AS {wanted})}}) AS \"{_VALUE}{name}\"")
        parts.append(f'{value} AS "{name}"')
    return ", ".join(parts)


def _explain(rows: ibis.Table) -> ibis.Table:
    """Give a row in which a column cannot be computed that as its reason, unless it has one already."""
    is_failed = rows[REASON].isnull() & rows[_FAILED].notnull()
    reason = rows[_FAILED] + ibis.literal(" cannot be computed from this row")
    told = {REASON: reason, FIELD: rows[_FAILED], DETAIL: reason}
    return rows.mutate(**{name: ibis.ifelse(is_failed, value, rows[name]) for name, value in told.items()})
