"""Turns raw records of one partition into typed, masked rows, and what cannot be used into rows with a reason.

What belongs here: which rows, with which columns. Expressions only. What does not: how one value is typed or masked,
and in what order the records are gone through (`sorting_out.py`).
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import ibis
import pyarrow as pa

from include.engine.fields import UNKNOWN, explain_flaws, extract_fields, find_unknown, pack_json, write_unknown
from include.engine.placing import is_placeable, is_within
from include.engine.records import FLAW, RECORD
from include.lake.keying import row_key
from include.lake.masking import mask, mask_free_text
from include.lake.subjects import ERASED, Erased, is_erased, subject_columns
from include.lake.typing import DETAIL, FIELD, REASON, TYPED_PREFIX, explain_misfits, stored_schema, type_columns
from include.names import BYTE_OFFSET, LINE_NUMBER, OBJECT_KEY, PARTITION_KEY, ROW_KEY, UNKNOWN_FIELDS
from include.problems.sections.source import Source

_ADDED = {PARTITION_KEY: pa.string(), ROW_KEY: pa.string(), OBJECT_KEY: pa.string(), LINE_NUMBER: pa.int64()}
_MASKED_PREFIX = "_masked_"
_MASKED_DOCUMENT = "_document_masked"
# What the quarantine table calls what ingest knows of a rejected row.
_KEPT = {"record": RECORD, "reason": REASON, "field": FIELD, "detail": DETAIL}

QUARANTINE_SCHEMA = pa.schema(
    {**dict.fromkeys(_KEPT, pa.string()), **_ADDED, BYTE_OFFSET: pa.int64(), UNKNOWN_FIELDS: pa.string()}.items()
)


def events_schema(source: Source) -> pa.Schema:
    """Say the columns of a problem's events table."""
    return stored_schema(source.columns, {UNKNOWN_FIELDS: pa.string(), **_ADDED})


def select_partition(records: ibis.Table, source: Source, partition_key: str, homes: Sequence[str]) -> ibis.Table:
    """Select the records that belong to one partition, with their fields as text and their event time typed, too.

    Args:
        records: raw records of objects that feed the partition; they may feed others, too.
        homes: keys of the objects whose records without a usable time belong here.
    """
    rows = type_columns(extract_fields(records, list(source.columns)), source, [source.event_time])
    return rows.filter(_is_here(rows, source, partition_key, homes))


def select_elsewhere(records: ibis.Table, source: Source, partition_key: str, homes: Sequence[str]) -> ibis.Table:
    """Select the records that belong to other partitions: all that `select_partition` does not."""
    rows = type_columns(extract_fields(records, [source.event_time]), source, [source.event_time])
    return rows.filter(~_is_here(rows, source, partition_key, homes))


def select_strays(records: ibis.Table, source: Source, partition_key: str, homes: Sequence[str]) -> ibis.Table:
    """Select what `select_partition` does not, as it does: rows that were kept apart here and are of another partition.

    It happens where the rules that place a row were changed after it was kept apart.
    """
    rows = type_columns(extract_fields(records, list(source.columns)), source, [source.event_time])
    return rows.filter(~_is_here(rows, source, partition_key, homes))


def stray_rows(rows: ibis.Table, source: Source) -> ibis.Table:
    """Write prepared rows of another partition the way rejected ones are kept, with that as their reason."""
    stray = ibis.literal(f"{source.event_time} is of another partition by now")
    field = ibis.ifelse(rows[REASON].isnull(), ibis.literal(source.event_time), rows[FIELD])
    reasons = {REASON: rows[REASON].fill_null(stray), FIELD: field, DETAIL: rows[DETAIL].fill_null(stray)}
    return rejected_rows(rows.mutate(**reasons), source)


def _is_here(rows: ibis.Table, source: Source, partition_key: str, homes: Sequence[str]) -> Any:
    """Say whether rows belong to a partition."""
    moment = rows[f"{TYPED_PREFIX}{source.event_time}"]
    is_at_home = ~is_placeable(moment, source) & rows[OBJECT_KEY].isin(list(homes))
    return is_within(moment, source, partition_key) | is_at_home


def prepare_rows(
    rows: ibis.Table, source: Source, partition_key: str, pii_key: str, erased: Erased | None = None
) -> ibis.Table:
    """Type the fields, mask them, name each row, and say of each why it cannot be used.

    Args:
        rows: from `select_partition`.
        erased: subjects whose rows are counted, and not kept.
    """
    rows = explain_flaws(rows, [source.event_time, *source.key])
    rows = explain_misfits(type_columns(rows, source, list(source.columns)), source)
    rows = rows.mutate(
        **{
            f"{_MASKED_PREFIX}{name}": mask(rows[name], column.pii, pii_key)
            for name, column in source.columns.items()
            if column.pii != "none"
        }
    )
    rows = find_unknown(rows, list(source.columns))
    # Nobody has said what is in a new field, so it is masked like a text that anybody may have written into.
    masked = ibis.cases((rows[UNKNOWN].notnull(), rows[UNKNOWN].map(_masked)), else_=ibis.null(rows[UNKNOWN].type()))
    rows = rows.mutate(**{UNKNOWN: masked})
    rows = write_unknown(rows, UNKNOWN_FIELDS)
    rows = rows.mutate(
        **{
            PARTITION_KEY: ibis.literal(partition_key),
            ROW_KEY: row_key([_stored(rows, source, name).cast("string") for name in source.key]),
        }
    )
    return _forget(rows, source, erased) if erased else rows


def _forget(rows: ibis.Table, source: Source, erased: Erased) -> ibis.Table:
    """Leave of the rows of erased subjects nothing but their place and the reason."""
    is_theirs = is_erased(rows, subject_columns(source), erased)
    nothing = dict.fromkeys((FIELD, DETAIL, ROW_KEY, UNKNOWN_FIELDS), ibis.null("string"))
    left = {REASON: ibis.literal(ERASED), **nothing}
    return rows.mutate(**{name: ibis.ifelse(is_theirs, value, rows[name]) for name, value in left.items()})


def _masked(found: Any) -> Any:
    """Mask one unknown field, its name too."""
    return ibis.struct({name: mask_free_text(found[name]) for name in ("name", "value")})


def accepted_rows(rows: ibis.Table, source: Source) -> ibis.Table:
    """Give prepared rows that can be used the columns of `events_schema`."""
    rows = rows.filter(rows[REASON].isnull())
    stored = {name: _stored(rows, source, name) for name in source.columns}
    return rows.select(**stored, **{name: rows[name] for name in (UNKNOWN_FIELDS, *_ADDED)})


def rejected_rows(rows: ibis.Table, source: Source) -> ibis.Table:
    """Write prepared rows that cannot be used the way they are kept, with a record that tells on nobody."""
    rows = rows.filter(rows[REASON].notnull())
    # A row is here because something is where it does not belong: what a number's column holds may be a person's.
    plain = [name for name, column in source.columns.items() if column.pii == "none"]
    rows = rows.mutate(**{f"{_MASKED_PREFIX}{name}": mask_free_text(rows[name]) for name in plain})
    rows = pack_json(rows, {f"{_MASKED_PREFIX}{name}": name for name in source.columns}, _MASKED_DOCUMENT)
    record = ibis.cases(
        (rows[REASON] == ERASED, ibis.null("string")),
        (rows[FLAW].notnull(), _unreadable(rows, {column.pii for column in source.columns.values()} - {"none"})),
        (_may_be_shown(rows, source), mask_free_text(rows[RECORD].rstrip())),
        else_=rows[_MASKED_DOCUMENT],
    )
    kept = {name: record if own == RECORD else rows[own] for name, own in _KEPT.items()}
    return rows.select(**kept, **{name: rows[name] for name in (*_ADDED, BYTE_OFFSET, UNKNOWN_FIELDS)})


def _may_be_shown(rows: ibis.Table, source: Source) -> Any:
    """Say whether a record tells on nobody as it stands: every field of it is declared, and none is of a class."""
    is_harmless = all(column.pii == "none" for column in source.columns.values())
    return rows[UNKNOWN_FIELDS].isnull() & ibis.literal(is_harmless)


def _unreadable(rows: ibis.Table, classes: AbstractSet[str]) -> Any:
    """Show a record in which nobody can say which part is a name; landing still has it."""
    if classes <= {"free_text"}:
        return mask_free_text(rows[RECORD]).rstrip()
    return ibis.literal("hidden: ") + rows[RECORD].length().cast("string") + ibis.literal(" characters")


def _stored(rows: ibis.Table, source: Source, name: str) -> Any:
    """Choose what a column is stored as: masked where it tells on a person, typed everywhere else."""
    is_masked = source.columns[name].pii != "none"
    return rows[f"{_MASKED_PREFIX if is_masked else TYPED_PREFIX}{name}"]
