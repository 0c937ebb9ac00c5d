"""Goes through the records of some partitions and writes what becomes of each: published, quarantined, or a duplicate.

Nothing is held as a whole. A first pass writes the rows that can be used, and nearly always that is all there is to do.
Only lines that it did not write are looked at again, and only names that may occur twice are compared.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.engine.formats.field_extraction import count_fields
from include.engine.formats.fields import wanted_of
from include.engine.formats.object_records import Lines, Records, without_lines
from include.engine.relations import count_records, relation_of_arrow, relation_of_records
from include.errors import CountsDoNotAddUp
from include.lake import files
from include.lake.compiled_query import Sorting, query_of
from include.lake.contracts import StagedRows
from include.lake.reading import open_files
from include.lake.row_expressions import (
    QUARANTINE_SCHEMA,
    accepted_rows,
    events_schema,
    place_records,
    quarantined_rows,
)
from include.lake.row_keys import later_arrivals
from include.names import LINE_NUMBER, OBJECT_KEY, PARTITION_KEY, UNKNOWN_FIELDS, events_table, quarantine_table
from include.problems.sections.source import Source

_LINES_AT_ONCE = 1_000_000


def sort_out(engine: Any, sorting: Sorting) -> tuple[dict[str, StagedRows], dict[str, int]]:
    """Write the rows to publish and the rows to quarantine, one file each for each partition that has some.

    Each object is read once for all partitions, and once more where records of it are not to be published.

    Returns:
        partition to what became of its records; and object key to how many records it holds, whatever partition they
        belong to.

    Raises:
        CountsDoNotAddUp: a record was read, and is neither of these partitions nor of another.
    """
    keys, source = sorting.partition_keys, sorting.source
    if not sorting.objects:
        return dict.fromkeys(keys, StagedRows()), {}
    records = Records(
        sorting.objects, source.format, wanted=wanted_of(source), given_up=sorting.given_up, times=sorting.times
    )
    accepted = query_of(engine, records, sorting, accepted_rows)
    written = files.write_partitions(engine, accepted, events_table(sorting.problem), keys)
    count_records(engine, records)
    n_left = records.n_records.total() - sum(n_rows for _, n_rows in written.values())
    staged, n_duplicate = drop_duplicates(
        engine, sorting.problem, source, {key: paths for key, (paths, _) in written.items()}
    )
    # Duplicates were seen, too: what counts is what was written at first.
    left = _look_again(engine, sorting, [path for paths, _ in written.values() for path in paths], n_left)
    unknown = count_unknown([path for paths in staged.values() for path in paths])
    rows = {
        key: StagedRows(
            staged=tuple(staged[key]),
            quarantined=tuple(left[key].quarantined),
            n_in=written[key][1] + left[key].n_records,
            n_staged=written[key][1] - n_duplicate[key],
            n_quarantined=left[key].n_quarantined,
            n_duplicate=n_duplicate[key],
            unknown_fields=unknown.get(key, {}),
        )
        for key in keys
    }
    return rows, dict(records.n_records)


@dataclass(frozen=True)
class _Left:
    """What one partition has of the records that were not accepted: how many, and the files that hold them."""

    n_records: int = 0
    quarantined: Sequence[str] = ()
    n_quarantined: int = 0


def _look_again(engine: Any, sorting: Sorting, written: Sequence[str], n_left: int) -> dict[str, _Left]:
    """Look again at the records that were not accepted: some belong elsewhere, the others go to quarantine.

    Args:
        written: files of those that were accepted.
        n_left: how many were not; mostly none.

    Raises:
        CountsDoNotAddUp: other records are found than were left.
    """
    keys = sorting.partition_keys
    if not n_left:
        return dict.fromkeys(keys, _Left())
    seen, none = _seen_lines(written), np.zeros(0, bool)
    records = Records(
        sorting.objects,
        sorting.source.format,
        wanted=wanted_of(sorting.source),
        given_up=sorting.given_up,
        times=sorting.times,
        keep=lambda key, batch: without_lines(batch, seen.get(key, none)),
    )
    places = place_records(relation_of_records(engine, records), sorting.source, keys, sorting.homes)
    counted = places.group_by(PARTITION_KEY).aggregate(n_records=places.count()).to_pyarrow().to_pylist()
    n_records = {row[PARTITION_KEY]: row["n_records"] for row in counted}
    if sum(n_records.values()) != n_left:
        raise CountsDoNotAddUp(
            f"{sorting.problem} {', '.join(keys)}: {n_left} records were not accepted, and {sum(n_records.values())} "
            "were found when they were looked at again. Nothing was published; clear `stage_partition`."
        )
    rows = query_of(engine, records, sorting, quarantined_rows)
    quarantined = files.write_partitions(engine, rows, quarantine_table(sorting.problem), keys)
    return {key: _Left(n_records.get(key, 0), *quarantined[key]) for key in keys}


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


def drop_duplicates(
    engine: Any, problem: str, source: Source, written: Mapping[str, Sequence[str]]
) -> tuple[dict[str, list[str]], Counter[str]]:
    """Write files again without the rows whose name an earlier row of their partition has; mostly there are none.

    Args:
        written: partition to its files.

    Returns:
        partition to the files to stage, and to how many rows were dropped.
    """
    staged = {key: list(paths) for key, paths in written.items()}
    duplicates = later_arrivals(
        open_files([path for paths in staged.values() for path in paths], events_schema(source))
    )
    found = duplicates.to_pyarrow()
    n_duplicate = Counter(found[PARTITION_KEY].to_pylist())
    place = [OBJECT_KEY, LINE_NUMBER]
    for key in n_duplicate:
        dropped = relation_of_arrow(engine, found.filter(pc.equal(found[PARTITION_KEY], key)).select(place))
        rows = open_files(staged[key], events_schema(source)).anti_join(dropped, place)
        folder = files.partition_folder(events_table(problem), key)
        staged[key], _ = files.write_files(engine, rows, folder, place)
    return staged, n_duplicate


def count_unknown(paths: Sequence[str]) -> dict[str, dict[str, int]]:
    """Count the fields that nobody declared, by partition."""
    schema = pa.schema([QUARANTINE_SCHEMA.field(name) for name in (PARTITION_KEY, UNKNOWN_FIELDS)])
    return count_fields(open_files(paths, schema), UNKNOWN_FIELDS, PARTITION_KEY)
