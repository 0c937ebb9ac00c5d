"""Rows are written in their order, and as the same bytes each time."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from include.engine.parquet_writer import write_rows
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine

SCHEMA = pa.schema([("object", pa.string()), ("line", pa.int64())])
OBJECTS = [f"object-{number:02}" for number in range(40)]


class Stream:
    """Many batches, as they come from many objects."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return pa.RecordBatchReader.from_batches(SCHEMA, self._batches()).__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for name in OBJECTS:
            yield pa.record_batch({"object": [name] * 3000, "line": range(3000)}, schema=SCHEMA)


def test_rows_keep_their_order_also_where_a_filter_names_many_values(mulgil_home: Path, tmp_path: Path):
    engine = open_engine()
    digests = set()
    for number in range(4):
        rows = relation_of_arrow(engine, Stream())
        path = tmp_path / f"{number}.parquet"
        n_rows = write_rows(engine, rows.filter(rows["object"].isin(OBJECTS[:-1])), path)
        assert n_rows == 39 * 3000
        assert pq.read_table(path)["object"].unique().to_pylist() == OBJECTS[:-1]
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1
