"""Turns raw records of one partition into typed, masked rows, and what cannot be used into rows with a reason.

What belongs here: which rows, with which columns, into which file. What does not: how one value is typed or masked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import pyarrow as pa

from include.engine.fields import extract_fields, pack_json
from include.engine.placing import PLACED_KEY, add_partition_key
from include.engine.records import FLAW, RECORD
from include.lake import files
from include.lake.keying import later_arrivals, row_key
from include.lake.masking import mask, mask_free_text
from include.lake.typing import DETAIL, FIELD, REASON, TYPED_PREFIX, stored_schema, type_rows
from include.names import LINE_NUMBER, OBJECT_KEY, PARTITION_KEY, ROW_KEY, events_table, quarantine_table
from include.problems.sections.source import Source

_ADDED = {PARTITION_KEY: pa.string(), ROW_KEY: pa.string(), OBJECT_KEY: pa.string(), LINE_NUMBER: pa.int64()}
_MASKED_PREFIX = "_masked_"
_MASKED_DOCUMENT = "_document_masked"
# What the quarantine table calls what ingest knows of a rejected row.
_KEPT = {"record": RECORD, "reason": REASON, "field": FIELD, "detail": DETAIL}

QUARANTINE_SCHEMA = pa.schema([*((name, pa.string()) for name in _KEPT), *_ADDED.items()])


@dataclass(frozen=True)
class Sorted:
    """The records of one partition, sorted out.

    Attributes:
        accepted: rows to publish, with the columns of `events_schema`, in the order they arrived.
        rejected: rows to keep apart, with the columns of `QUARANTINE_SCHEMA`, in the order they arrived.
        counts: one row with `n_in`, `n_rejected` and `n_duplicate`.
    """

    accepted: ibis.Table
    rejected: ibis.Table
    counts: ibis.Table


def events_schema(source: Source) -> pa.Schema:
    """Say the columns of a problem's events table."""
    return stored_schema(source.columns, _ADDED)


def select_partition(
    engine: Any, records: pa.Table, source: Source, partition_key: str, home_objects: Sequence[str]
) -> ibis.Table:
    """Type and mask the records that belong to one partition.

    Args:
        records: raw records of every object that feeds the partition; they may feed others, too.
        home_objects: keys of the objects whose records without a usable time belong here.

    Returns:
        the records of this partition as text fields, before typing.
    """
    rows = add_partition_key(extract_fields(engine, records, list(source.columns)), source)
    is_at_home = rows[PLACED_KEY].isnull() & rows[OBJECT_KEY].isin(list(home_objects))
    return rows.filter((rows[PLACED_KEY] == partition_key) | is_at_home)


def prepare_rows(rows: ibis.Table, source: Source, pii_key: str) -> ibis.Table:
    """Type the fields, mask them, and name each row."""
    rows = type_rows(rows, source)
    rows = rows.mutate(
        **{
            f"{_MASKED_PREFIX}{name}": mask(rows[name], column.pii, pii_key)
            for name, column in source.columns.items()
            if column.pii != "none"
        }
    )
    return rows.mutate(**{ROW_KEY: row_key([_stored(rows, source, name).cast("string") for name in source.key])})


def sort_out(rows: ibis.Table, source: Source, partition_key: str) -> Sorted:
    """Split prepared rows into those to publish, those to keep apart, and those that are there already.

    Args:
        rows: from `prepare_rows`, held in memory by the engine: they are read three times.
    """
    rows = rows.mutate(**{PARTITION_KEY: ibis.literal(partition_key)})
    fitting = rows.filter(rows[REASON].isnull())
    duplicates = later_arrivals(fitting)
    accepted = fitting.anti_join(duplicates, [OBJECT_KEY, LINE_NUMBER]).order_by([OBJECT_KEY, LINE_NUMBER])
    stored = {name: _stored(accepted, source, name) for name in source.columns}
    counts = rows.aggregate(n_in=rows.count(), n_rejected=rows[REASON].count())
    return Sorted(
        accepted=accepted.select(**stored, **{name: accepted[name] for name in _ADDED}),
        rejected=_rejected(rows.filter(rows[REASON].notnull()), source),
        counts=counts.cross_join(duplicates.aggregate(n_duplicate=duplicates.count())),
    )


def _stored(rows: ibis.Table, source: Source, name: str) -> Any:
    """Choose what a column is stored as: masked where it tells on a person, typed everywhere else."""
    is_masked = source.columns[name].pii != "none"
    return rows[f"{_MASKED_PREFIX if is_masked else TYPED_PREFIX}{name}"]


def _rejected(rows: ibis.Table, source: Source) -> ibis.Table:
    """Write rejected rows the way they are kept, with a record that tells on nobody."""
    classes = {column.pii for column in source.columns.values()} - {"none"}
    if classes:
        held = {
            f"{_MASKED_PREFIX}{name}" if column.pii != "none" else name: name for name, column in source.columns.items()
        }
        rows = pack_json(rows, held, _MASKED_DOCUMENT)
        # In a record that cannot be read nobody can say which part is a name; landing still has it.
        n_hidden = rows[RECORD].length().cast("string")
        hidden = ibis.literal("hidden: ") + n_hidden + ibis.literal(" characters")
        unreadable = mask_free_text(rows[RECORD]) if classes == {"free_text"} else hidden
        rows = rows.mutate(**{RECORD: ibis.ifelse(rows[FLAW].isnull(), rows[_MASKED_DOCUMENT], unreadable)})
    rows = rows.mutate(**{RECORD: rows[RECORD].rstrip()})
    rows = rows.order_by([OBJECT_KEY, LINE_NUMBER])
    return rows.select(**{name: rows[own] for name, own in _KEPT.items()}, **{name: rows[name] for name in _ADDED})


def write_sorted(sorted_rows: Sorted, problem: str, partition_key: str, source: Source) -> dict[str, Any]:
    """Write the rows to publish and the rows to keep apart, one file each, or none where there is no row.

    Returns:
        `staged` and `rejected`: paths relative to the lake; `n_staged`: rows in the staged files, as written.
    """
    staged, n_staged = _write(sorted_rows.accepted, events_table(problem), partition_key, events_schema(source))
    rejected, _ = _write(sorted_rows.rejected, quarantine_table(problem), partition_key, QUARANTINE_SCHEMA)
    return {"staged": staged, "rejected": rejected, "n_staged": n_staged}


def _write(rows: ibis.Table, table_name: str, partition_key: str, schema: pa.Schema) -> tuple[list[str], int]:
    """Stream rows into one file of a partition; a file without rows is removed again."""
    batches = rows.to_pyarrow_batches(chunk_size=files.ROW_GROUP_ROWS)
    tables = (pa.Table.from_batches([batch]).cast(schema) for batch in batches)
    path, n_rows = files.write_parquet(files.partition_folder(table_name, partition_key), schema, tables)
    if n_rows:
        return [path], n_rows
    files.remove_files([path])
    return [], 0
