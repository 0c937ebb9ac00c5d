"""What a raw record is: the row that every reader of a format gives, and what may be wrong with it."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from include.names import BYTE_OFFSET, LINE_NUMBER, OBJECT_KEY

# With an underscore, as no column of a problem may be called: a log may well have a field named record.
RECORD = "_record"  # the record as it stands in the object
DOCUMENT = "_document"  # the record as JSON text; null where it has a flaw
FLAW = "_flaw"  # why the record could not be cut out of its object; null when it could
N_KEYS = "_n_keys"  # how many keys the document has at most, inner ones too; null where nobody counted

SCHEMA = pa.schema(
    [
        (OBJECT_KEY, pa.string()),
        (LINE_NUMBER, pa.int64()),
        (BYTE_OFFSET, pa.int64()),
        (RECORD, pa.large_string()),
        (DOCUMENT, pa.large_string()),
        (FLAW, pa.string()),
        (N_KEYS, pa.int64()),
    ]
)

MAX_RECORD_BYTES = 16 << 20  # a field is copied some ten times while it is masked, in several threads
SHOWN_BYTES = 1_000  # of a record that is too long to be kept
NOT_UTF8 = "record is not UTF-8"
TOO_LONG = f"record is longer than {MAX_RECORD_BYTES >> 20} MiB"


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
    return pa.record_batch([keys, *places, records, documents, flaws, counted], schema=SCHEMA)


def batch_of_rows(key: str, rows: Sequence[tuple[int, int | None, str, str | None, str | None]]) -> pa.RecordBatch:
    """Make a batch of rows: line number, byte offset, record, document, flaw."""
    numbers, offsets, records, documents, flaws = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    kept, read = pa.array(records, pa.large_string()), pa.array(documents, pa.large_string())
    return make_batch(key, numbers, offsets, kept, read, pa.array(flaws, pa.string()))


def flawed(key: str, line_number: int, offset: int | None, text: str, flaw: str) -> pa.RecordBatch:
    """Make the one record that stands for what could not be read."""
    return batch_of_rows(key, [(line_number, offset, text, None, flaw)])
