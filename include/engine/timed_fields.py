"""Reads the fields of raw records together with the time that places each, by whatever rule a problem has.

Landing counts by these rules and the lake stages by them; two sets of rules would lose rows between them.
"""

import ibis

from include.engine.duckdb_sql import quote_name, select
from include.engine.event_time import parse_time
from include.engine.formats.field_extraction import extract_fields
from include.engine.formats.fields import fields_of
from include.engine.formats.record_batches import OBJECT_TIME
from include.engine.text_types import TYPED_PREFIX, type_columns
from include.problems.sections.computed import columns_in
from include.problems.sections.source import EVENT_TIME, Source

_TEXT_PREFIX = "_text_of_"


def read_fields(records: ibis.Table, source: Source) -> ibis.Table:
    """Read every column of each record as text, and its event time as a time, too, in `_typed_<event time>`.

    Args:
        records: with the columns of `record_batches.SCHEMA`.
    """
    return _add_time(extract_fields(records, fields_of(source)), source)


def read_times(records: ibis.Table, source: Source) -> ibis.Table:
    """Read no more of each record than its event time."""
    rule = source.event_time_rule
    needed = {source.event_time} if rule is None else columns_in(rule.sql or "", source.declared)
    fields = [field for field in fields_of(source) if field.column in needed]
    return _add_time(extract_fields(records, fields) if fields else records, source)


def _add_time(rows: ibis.Table, source: Source) -> ibis.Table:
    """Add the event time: typed, and where a rule makes it, as text."""
    rule = source.event_time_rule
    if rule is None:
        return type_columns(rows, source.columns, [source.event_time])
    if rule.sql is not None:
        return _compute_time(rows, source, rule.sql)
    rows = rows.mutate(**{EVENT_TIME: rows[OBJECT_TIME]})
    return rows.mutate(**{f"{TYPED_PREFIX}{EVENT_TIME}": parse_time(rows[EVENT_TIME])})


def _compute_time(rows: ibis.Table, source: Source, sql: str) -> ibis.Table:
    """Compute the event time from the columns of a row, typed; null where that fails, or gives nothing."""
    read = sorted(columns_in(sql, source.declared))
    rows = type_columns(rows, source.columns, read)
    typed = {name: f"{TYPED_PREFIX}{name}" for name in read}
    others = [quote_name(name) for name in rows.columns if name not in read and name not in typed.values()]
    texts = [f"{quote_name(name)} AS {quote_name(_TEXT_PREFIX + name)}" for name in read]
    values = [f"{quote_name(typed[name])} AS {quote_name(name)}" for name in read]
    back = [f"{quote_name(_TEXT_PREFIX + name)} AS {quote_name(name)}" for name in read]
    back += [f"{quote_name(name)} AS {quote_name(typed[name])}" for name in read]
    query = f"""
        SELECT {", ".join([*others, *back])}, _moment AS {quote_name(TYPED_PREFIX + EVENT_TIME)},
            CAST(_moment AS VARCHAR) AS {quote_name(EVENT_TIME)}
        FROM (
            SELECT *, TRY(CAST(({sql}
            ) AS TIMESTAMPTZ)) AS _moment
            FROM (SELECT {", ".join([*others, *texts, *values])} FROM {{rows}})
        )
    """
    held = rows.schema()
    added = {f"{TYPED_PREFIX}{EVENT_TIME}": "timestamp('UTC', 6)", EVENT_TIME: "string"}
    kinds = {name: str(held[name]) for name in rows.columns}
    return select(rows, query, kinds | added, is_adding=False).select(*rows.columns, *added)
