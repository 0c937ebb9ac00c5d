"""Turns raw records of some partitions into typed, masked rows, and what cannot be used into rows with a reason.

What belongs here: which rows, with which columns. Expressions only. What does not: how one value is typed or masked,
and in what order the records are gone through (`partition_staging.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import ibis
import pyarrow as pa

from include.engine.duckdb_sql import select, text_literal
from include.engine.event_time import is_placeable, is_within, latest_of, partition_start
from include.engine.formats.field_extraction import (
    UNKNOWN,
    explain_flaws,
    find_unknown,
    keep_not_finite,
    list_keys,
    pack_json,
    write_unknown,
)
from include.engine.formats.fields import fields_of
from include.engine.formats.record_batches import FLAW, RECORD
from include.engine.session import is_spark
from include.engine.text_types import TYPED_PREFIX, type_columns
from include.engine.timed_fields import read_fields, read_times
from include.lake.derived_columns import MASKED_PREFIX, derive_columns
from include.lake.erasure.subjects import ERASED, Erased, is_erased, subject_columns
from include.lake.masking import mask, mask_found, mask_free_text, mask_texts, mask_value
from include.lake.row_keys import PLACES, row_key
from include.lake.type_casting import (
    DETAIL,
    FIELD,
    REASON,
    explain_misfits,
    stored_schema,
    typed_numbers,
)
from include.names import BYTE_OFFSET, LINE_NUMBER, OBJECT_KEY, PARTITION_KEY, ROW_KEY, UNKNOWN_FIELDS
from include.partition_keys import partition_bounds
from include.problems.sections.source import Source

_ADDED = {PARTITION_KEY: pa.string(), ROW_KEY: pa.string(), OBJECT_KEY: pa.string(), LINE_NUMBER: pa.int64()}
_MASKED_DOCUMENT = "_document_masked"
_START = "_start"  # of the partition that a row's time lies in
# What the quarantine table calls what ingest knows of a quarantined row.
_KEPT = {"record": RECORD, "reason": REASON, "field": FIELD, "detail": DETAIL}

QUARANTINE_SCHEMA = pa.schema(
    {**dict.fromkeys(_KEPT, pa.string()), **_ADDED, BYTE_OFFSET: pa.int64(), UNKNOWN_FIELDS: pa.string()}.items()
)


def events_schema(source: Source) -> pa.Schema:
    """Say the columns of a problem's events table."""
    return stored_schema(source.stored, {UNKNOWN_FIELDS: pa.string(), **_ADDED})


def select_partitions(
    records: ibis.Table, source: Source, partition_keys: Sequence[str], homes: Mapping[str, str]
) -> ibis.Table:
    """Select the records that belong to some partitions, each with its `_partition_key`.

    Args:
        records: raw records of objects that feed the partitions; they may feed others, too.
        homes: object key to the partition that its records without a usable time belong to.

    Returns:
        the records with their fields as text, and their event time typed, too.
    """
    placed = _place(read_fields(records, source), source, partition_keys, homes)
    return placed.filter(placed[PARTITION_KEY].notnull())


def place_records(
    records: ibis.Table, source: Source, partition_keys: Sequence[str], homes: Mapping[str, str]
) -> ibis.Table:
    """Say of each record which of some partitions it belongs to, by the rules of `select_partitions`.

    Returns:
        `_partition_key`, null for the records of other partitions.
    """
    return _place(read_times(records, source), source, partition_keys, homes).select(PARTITION_KEY)


def select_strays(
    records: ibis.Table, source: Source, partition_keys: Sequence[str], homes: Mapping[str, str]
) -> ibis.Table:
    """Select what `select_partitions` does not, as it does: quarantined rows that are of another partition.

    It happens where the rules that place a row were changed after it was quarantined. Such rows stay where they are.

    Args:
        partition_keys: the one partition whose quarantine they are in.
    """
    [own] = partition_keys
    placed = _place(read_fields(records, source), source, partition_keys, homes)
    return placed.filter(placed[PARTITION_KEY].isnull()).mutate(**{PARTITION_KEY: ibis.literal(own)})


def select_all(records: ibis.Table, source: Source, partition_key: str) -> ibis.Table:
    """Select all records as `select_partitions` selects some, as if they belonged to one partition."""
    return read_fields(records, source).mutate(**{PARTITION_KEY: ibis.literal(partition_key)})


def stray_rows(rows: ibis.Table, source: Source) -> ibis.Table:
    """Write prepared rows of another partition the way quarantined ones are kept, with that as their reason."""
    stray = ibis.literal(f"{source.event_time} is of another partition by now")
    field = ibis.ifelse(rows[REASON].isnull(), ibis.literal(source.event_time), rows[FIELD])
    reasons = {REASON: rows[REASON].fill_null(stray), FIELD: field, DETAIL: rows[DETAIL].fill_null(stray)}
    return quarantined_rows(rows.mutate(**reasons), source)


def _place(rows: ibis.Table, source: Source, partition_keys: Sequence[str], homes: Mapping[str, str]) -> ibis.Table:
    """Add which of some partitions each row belongs to; null for none of them."""
    moment = rows[f"{TYPED_PREFIX}{source.event_time}"]
    latest = latest_of(rows, source)
    if is_spark(rows.get_backend()):
        # A question in DuckDB's SQL would be one more hand-over from Java to Python and back for every row.
        at_home = {key: [item for item, home in homes.items() if home == key] for key in partition_keys}
        lost = ~is_placeable(moment, source, latest)
        places = [(is_within(moment, source, key, latest), ibis.literal(key)) for key in partition_keys]
        places += [(lost & rows[OBJECT_KEY].isin(items), ibis.literal(key)) for key, items in at_home.items() if items]
        return rows.mutate(**{PARTITION_KEY: ibis.cases(*places, else_=ibis.null("string"))})
    starts = [partition_start_text(key, source.grain) for key in partition_keys]
    query = f"""
        SELECT *, CASE
            WHEN {_START} IS NOT NULL
            THEN {_list(partition_keys)}[list_position(CAST({_list(starts)} AS TIMESTAMP[]), {_START})]
            ELSE {_list(homes.values())}[list_position({_list(homes)}, {OBJECT_KEY})]
        END AS {PARTITION_KEY}
        FROM {{rows}}
    """
    started = rows.mutate(**{_START: partition_start(moment, source, latest)})
    return select(started, query, {PARTITION_KEY: "string"}).drop(_START)


def partition_start_text(partition_key: str, grain: str) -> str:
    """Write when a partition starts, in UTC, as SQL reads it.

    Raises:
        UnknownPartitionKey: the key is not how keys of the grain are written.
    """
    return partition_bounds(partition_key, grain)[0].replace(tzinfo=None).isoformat(sep=" ")


def _list(texts: Iterable[str]) -> str:
    """Write texts as a list in SQL, which knows its type also where there are none."""
    return f"CAST([{', '.join(text_literal(text) for text in texts)}] AS VARCHAR[])"


def prepare_rows(rows: ibis.Table, source: Source, pii_key: str, erased: Erased | None = None) -> ibis.Table:
    """Type the fields, mask them, name each row, and say of each why it cannot be used.

    Args:
        rows: from `select_partitions`.
        erased: subjects whose rows are counted, and not kept.
    """
    columns = list(source.columns)
    fields, required = fields_of(source), [source.event_time, *(name for name in source.key if name in source.columns)]
    rows = explain_flaws(list_keys(rows, fields), fields, required)
    rows = explain_misfits(type_columns(rows, source.columns, columns), source)
    rows = rows.mutate(
        **{
            f"{MASKED_PREFIX}{name}": mask(rows[name], column.pii, pii_key)
            for name, column in source.columns.items()
            if column.pii in {"identifier", "contact"}
        }
    )
    texts = [name for name, column in source.columns.items() if column.pii == "free_text"]
    rows = mask_texts(rows, {name: f"{MASKED_PREFIX}{name}" for name in texts})
    rows = derive_columns(rows, source)
    rows = keep_not_finite(find_unknown(rows, fields), typed_numbers(source))
    # Nobody has said what is in a new field, so it is masked like a text that anybody may have written into.
    rows = write_unknown(mask_found(rows, UNKNOWN), UNKNOWN_FIELDS)
    rows = rows.mutate(**{ROW_KEY: row_key([_key_part(rows, source, name) for name in source.key])})
    return _forget(rows, source, erased) if erased else rows


def _forget(rows: ibis.Table, source: Source, erased: Erased) -> ibis.Table:
    """Leave of the rows of erased subjects nothing but their place and the reason."""
    is_theirs = is_erased(rows, subject_columns(source), erased)
    nothing = dict.fromkeys((FIELD, DETAIL, ROW_KEY, UNKNOWN_FIELDS), ibis.null("string"))
    left = {REASON: ibis.literal(ERASED), **nothing}
    return rows.mutate(**{name: ibis.ifelse(is_theirs, value, rows[name]) for name, value in left.items()})


def accepted_rows(rows: ibis.Table, source: Source) -> ibis.Table:
    """Give prepared rows that can be used the columns of `events_schema`."""
    rows = rows.filter(rows[REASON].isnull())
    return rows.select(**stored_values(rows, source))


def stored_values(rows: ibis.Table, source: Source) -> dict[str, ibis.Value]:
    """Give the columns of `events_schema` as prepared rows hold them, whether a row can be used or not."""
    stored = {name: _stored(rows, source, name) for name in source.stored}
    return stored | {name: rows[name] for name in (UNKNOWN_FIELDS, *_ADDED)}


def quarantined_rows(rows: ibis.Table, source: Source) -> ibis.Table:
    """Write prepared rows that cannot be used the way they are kept, with a record that identifies nobody."""
    rows = rows.filter(rows[REASON].notnull())
    # A row is here because something is where it does not belong: what a number's column holds may be a person's.
    plain = {name: column.type for name, column in source.columns.items() if column.pii == "none"}
    texts = [name for name, kind in plain.items() if kind in {"string", "json"}]
    rows = rows.mutate(
        **{f"{MASKED_PREFIX}{name}": mask_value(rows[name], kind) for name, kind in plain.items() if name not in texts}
    )
    masked = {name: f"{MASKED_PREFIX}{name}" for name in texts}
    rows = mask_texts(rows, {**masked, RECORD: f"{MASKED_PREFIX}{RECORD}"})
    rows = pack_json(rows, {f"{MASKED_PREFIX}{name}": name for name in source.columns}, _MASKED_DOCUMENT)
    record = ibis.cases(
        (rows[REASON] == ERASED, ibis.null("string")),
        (rows[FLAW].notnull(), _unreadable(rows, {column.pii for column in source.columns.values()} - {"none"})),
        (_may_be_shown(rows, source), rows[f"{MASKED_PREFIX}{RECORD}"].rstrip()),
        else_=rows[_MASKED_DOCUMENT],
    )
    kept = {name: record if own == RECORD else rows[own] for name, own in _KEPT.items()}
    return rows.select(**kept, **{name: rows[name] for name in (*_ADDED, BYTE_OFFSET, UNKNOWN_FIELDS)})


def _may_be_shown(rows: ibis.Table, source: Source) -> Any:
    """Say whether a record identifies nobody as it stands: every field of it is declared, and none is of a class."""
    # Of a field that a path leads into, nobody has declared the rest.
    is_whole = all(len(path) == 1 for field in fields_of(source) for path in field.paths)
    is_harmless = is_whole and all(column.pii == "none" for column in source.columns.values())
    return rows[UNKNOWN_FIELDS].isnull() & ibis.literal(is_harmless)


def _unreadable(rows: ibis.Table, classes: AbstractSet[str]) -> Any:
    """Show a record in which nobody can say which part is a name; landing still has it."""
    if classes <= {"free_text"}:
        return mask_free_text(rows[RECORD]).rstrip()
    return ibis.literal("hidden: ") + rows[RECORD].length().cast("string") + ibis.literal(" characters")


def _stored(rows: ibis.Table, source: Source, name: str) -> Any:
    """Choose what a column is stored as: masked where it identifies a person, typed everywhere else."""
    is_masked = source.stored[name].pii != "none"
    return rows[f"{MASKED_PREFIX if is_masked else TYPED_PREFIX}{name}"]


def _key_part(rows: ibis.Table, source: Source, name: str) -> Any:
    """Choose what a row is named by: a stored column, or the place of its record."""
    return rows[PLACES[name]] if name in PLACES else _stored(rows, source, name)
