"""Goes through the records of one partition and writes what becomes of each: published, kept apart, or a duplicate.

Nothing is held as a whole. A first pass writes the rows that can be used, and nearly always that is all there is to do.
Only lines that it did not write are looked at again, and only names that may occur twice are compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from include.engine.fields import count_fields
from include.engine.objects import LocalObject
from include.engine.reading import Lines, Records, without_lines
from include.engine.relations import count_records, relation_of_arrow, relation_of_records
from include.lake import files
from include.lake.keying import later_arrivals
from include.lake.reading import open_files
from include.lake.staging import (
    QUARANTINE_SCHEMA,
    accepted_rows,
    events_schema,
    prepare_rows,
    rejected_rows,
    select_elsewhere,
    select_partition,
)
from include.lake.subjects import Erased
from include.names import LINE_NUMBER, OBJECT_KEY, UNKNOWN_FIELDS, events_table, quarantine_table
from include.problems.sections.source import Source

_LINES_AT_ONCE = 1_000_000
_NOTHING = dict.fromkeys(("n_staged", "n_rejected", "n_duplicate", "n_in"), 0)


@dataclass(frozen=True)
class Sorting:
    """What is to be sorted out, and by which rules.

    Attributes:
        problem, partition_key: which partition.
        source: the declared columns.
        objects: those that feed the partition, in the order that decides which of two equal rows came first.
        homes: keys of those whose records without a usable time belong here.
        given_up: object key to why an object is not read; it counts as one record.
        pii_key: secret of the keyed hash.
        erased: subjects whose rows are counted, and not kept.
    """

    problem: str
    partition_key: str
    source: Source
    objects: Sequence[LocalObject]
    homes: Sequence[str]
    given_up: Mapping[str, str]
    pii_key: str
    erased: Erased = field(default_factory=dict)


def sort_out(engine: Any, sorting: Sorting) -> dict[str, Any]:
    """Write the rows to publish and the rows to keep apart, one file each, or none where there is no row.

    Returns:
        `staged` and `rejected`: paths relative to the lake; `n_staged`, `n_rejected`, `n_duplicate`, each counted from
        what was written; `n_in`: records that belong to the partition, counted from what was read; `unknown_fields`:
        masked name of a field nobody declared to how many staged rows have it; `records`: object key to how many
        records it holds, whatever partition they belong to.
    """
    if not sorting.objects:
        return {**_NOTHING, "staged": [], "rejected": [], "unknown_fields": {}, "records": {}}
    folder = files.partition_folder(events_table(sorting.problem), sorting.partition_key)
    records = Records(sorting.objects, sorting.source.format, given_up=sorting.given_up)
    written, n_accepted = files.write_files(engine, rows_of(engine, records, sorting, accepted_rows), folder)
    count_records(engine, records)
    n_records = records.n_records
    staged, n_duplicate = drop_duplicates(engine, written, folder, sorting.source)
    rest: dict[str, Any] = {"rejected": [], "n_rejected": 0, "n_elsewhere": 0}
    if n_accepted != n_records.total():
        # Duplicates were seen, too: what counts is what was written at first.
        rest = _keep_apart(engine, sorting, _seen_lines(written))
    return {
        "staged": staged,
        "rejected": rest["rejected"],
        "n_staged": n_accepted - n_duplicate,
        "n_rejected": rest["n_rejected"],
        "n_duplicate": n_duplicate,
        "n_in": n_records.total() - rest["n_elsewhere"],
        "unknown_fields": count_unknown(staged),
        "records": dict(n_records),
    }


def rows_of(engine: Any, records: Records, sorting: Sorting, choose: Any, select: Any = select_partition) -> ibis.Table:
    """Say what becomes of records, as far as `choose` is concerned with them.

    Args:
        choose: `accepted_rows`, `rejected_rows` or `stray_rows`.
        select: which records it is asked about: those of the partition, or the strays.
    """
    raw = relation_of_records(engine, records)
    here = select(raw, sorting.source, sorting.partition_key, sorting.homes)
    rows = prepare_rows(here, sorting.source, sorting.partition_key, sorting.pii_key, sorting.erased)
    return choose(rows, sorting.source)


def _keep_apart(engine: Any, sorting: Sorting, seen: Mapping[str, Lines]) -> dict[str, Any]:
    """Look again at the lines that were not accepted: some belong elsewhere, the others go to quarantine."""
    none: Lines = np.zeros(0, bool)
    records = Records(
        sorting.objects,
        sorting.source.format,
        given_up=sorting.given_up,
        keep=lambda key, batch: without_lines(batch, seen.get(key, none)),
    )
    raw = relation_of_records(engine, records)
    elsewhere = select_elsewhere(raw, sorting.source, sorting.partition_key, sorting.homes)
    n_elsewhere = int(elsewhere.count().to_pyarrow().as_py())
    folder = files.partition_folder(quarantine_table(sorting.problem), sorting.partition_key)
    rejected, n_rejected = files.write_files(engine, rows_of(engine, records, sorting, rejected_rows), folder)
    return {"rejected": rejected, "n_rejected": n_rejected, "n_elsewhere": n_elsewhere}


def _seen_lines(paths: Sequence[str]) -> dict[str, Lines]:
    """Read which lines of which object were written: one byte for each line."""
    seen: dict[str, Lines] = {}
    for path in paths:
        with files.open_files().open_input_file(path) as stream:
            for batch in pq.ParquetFile(stream).iter_batches(_LINES_AT_ONCE, columns=[OBJECT_KEY, LINE_NUMBER]):
                _add_lines(seen, batch)
    return seen


def _add_lines(seen: dict[str, Lines], batch: pa.RecordBatch) -> None:
    """Note the lines of one batch."""
    keys = batch[OBJECT_KEY].dictionary_encode()
    codes, numbers = keys.indices.to_numpy(), batch[LINE_NUMBER].to_numpy()
    for code, key in enumerate(keys.dictionary.to_pylist()):
        lines = numbers[codes == code]
        held = seen.get(key, np.zeros(0, bool))
        if (n_more := int(lines.max()) + 1 - len(held)) > 0:
            held = np.concatenate([held, np.zeros(n_more, bool)])
        held[lines] = True
        seen[key] = held


def drop_duplicates(engine: Any, written: Sequence[str], folder: str, source: Source) -> tuple[list[str], int]:
    """Write the files again without the rows whose name an earlier row has; mostly there are none.

    Returns:
        the files to stage, and how many rows were dropped.
    """
    rows = open_files(written, events_schema(source))
    duplicates = later_arrivals(rows).to_pyarrow()
    if not duplicates.num_rows:
        return list(written), 0
    place = [OBJECT_KEY, LINE_NUMBER]
    kept, _ = files.write_files(engine, rows.anti_join(relation_of_arrow(engine, duplicates), place), folder, place)
    return kept, int(duplicates.num_rows)


def count_unknown(paths: Sequence[str]) -> dict[str, int]:
    """Count the fields that nobody declared."""
    schema = pa.schema([QUARANTINE_SCHEMA.field(UNKNOWN_FIELDS)])
    return count_fields(open_files(paths, schema), UNKNOWN_FIELDS)
