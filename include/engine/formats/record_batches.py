"""What a raw record is: the row that every reader of a format gives, and what may be wrong with it."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pyarrow as pa

from include.names import BYTE_OFFSET, LINE_NUMBER, OBJECT_KEY

# With an underscore, as no column of a problem may be called: a log may well have a field named record.
RECORD = "_record"  # the record as it stands in the object
DOCUMENT = "_document"  # the record as JSON text; null where it has a flaw
FLAW = "_flaw"  # why the record could not be cut out of its object; null when it could
N_KEYS = "_n_keys"  # how many keys the document has at most, inner ones too; null where nobody counted
OBJECT_TIME = "_object_time"  # when all records of the object happened, as text; null where each says so itself
LATEST = "_latest"  # the last time that a record of the object may have; null where nobody knows

SCHEMA = pa.schema(
    [
        (OBJECT_KEY, pa.string()),
        (LINE_NUMBER, pa.int64()),
        (BYTE_OFFSET, pa.int64()),
        (RECORD, pa.large_string()),
        (DOCUMENT, pa.large_string()),
        (FLAW, pa.string()),
        (N_KEYS, pa.int64()),
        (OBJECT_TIME, pa.string()),
        (LATEST, pa.timestamp("us", tz="UTC")),
    ]
)

MAX_RECORD_BYTES = 16 << 20  # a field is copied some ten times while it is masked, in several threads
SHOWN_BYTES = 1_000  # of a record that is too long to be kept
NOT_JSON = "record is not JSON"
NOT_UTF8 = "record is not UTF-8"
BROKEN_OFF = "record stands where its object breaks off, and may be cut"


def too_long(max_bytes: int) -> str:
    """Say that a record is longer than what is read at once."""
    return f"record is longer than {f'{max_bytes >> 20} MiB' if max_bytes >> 20 else f'{max_bytes >> 10} KiB'}"


TOO_LONG = too_long(MAX_RECORD_BYTES)


def make_batch(
    key: str,
    numbers: Sequence[int] | np.ndarray,
    offsets: Sequence[int] | np.ndarray,
    records: pa.Array,
    documents: pa.Array,
    flaws: pa.Array,
    n_keys: pa.Array | None = None,
) -> pa.RecordBatch:
    """Put the columns of some records of one object together."""
    keys = pa.repeat(pa.scalar(key, pa.string()), len(records))
    places = [pa.array(numbers, pa.int64()), pa.array(offsets, pa.int64())]
    counted = pa.nulls(len(records), pa.int64()) if n_keys is None else n_keys
    times = [pa.nulls(len(records), SCHEMA.field(name).type) for name in (OBJECT_TIME, LATEST)]
    return pa.record_batch([keys, *places, records, documents, flaws, counted, *times], schema=SCHEMA)


def with_times(batch: pa.RecordBatch, time: str | None, latest: datetime | None) -> pa.RecordBatch:
    """Say of the records of one object when they happened, and when they happened at the latest."""
    if time is None and latest is None:
        return batch
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    for name, value in ((OBJECT_TIME, time), (LATEST, latest)):
        columns[name] = pa.repeat(pa.scalar(value, SCHEMA.field(name).type), batch.num_rows)
    return pa.record_batch(list(columns.values()), schema=SCHEMA)


def batch_of_rows(key: str, rows: Sequence[tuple[int, int | None, str, str | None, str | None]]) -> pa.RecordBatch:
    """Make a batch of rows: line number, byte offset, record, document, flaw."""
    numbers, offsets, records, documents, flaws = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    kept, read = pa.array(records, pa.large_string()), pa.array(documents, pa.large_string())
    return make_batch(key, numbers, offsets, kept, read, pa.array(flaws, pa.string()))


def flawed(key: str, line_number: int, offset: int | None, text: str, flaw: str) -> pa.RecordBatch:
    """Make the one record that stands for what could not be read."""
    return batch_of_rows(key, [(line_number, offset, text, None, flaw)])
