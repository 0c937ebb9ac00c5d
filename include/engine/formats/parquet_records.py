"""Reads Parquet rows as JSON text, times in ISO 8601, so that all formats are typed by the same rules.

A value that Python cannot hold, or that is no text although it says so, is told of its own row, and changes no other.
"""

from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from include.engine.formats.csv_records import find_doubled
from include.engine.formats.decompression import CUT_SHORT, name_foreign, name_packing
from include.engine.formats.documents import write_document
from include.engine.formats.fields import Wanted
from include.engine.formats.record_batches import batch_of_rows, flawed

NOT_PARQUET = "object is not Parquet, and the problem's file says parquet"
_MAGIC = b"PAR1"
_BATCH_RECORDS = 4_096  # wide rows of text at 10 kB each stay under 50 MB
_HEAD_BYTES = 4_096
# What Python has no value for: years beyond 9999, bytes that are no UTF-8, nanoseconds in a time of day.
_UNHELD = (ValueError, OverflowError, pa.ArrowException)

Json = Any  # what json.dumps takes, and PyArrow gives


class _Unreadable(str):
    """Bytes that are no UTF-8, shown as text."""


def read_rows(key: str, stream: BinaryIO, wanted: Wanted | None = None) -> Iterator[pa.RecordBatch]:
    """Give the rows of one Parquet object, row group by row group; one that breaks off ends with a flawed record.

    Args:
        wanted: what is read out of it; None for all. What is odd in another field is kept as text.
    """
    number = 1
    head = stream.read(_HEAD_BYTES)
    if not head.startswith(_MAGIC):
        if head:
            yield flawed(key, 1, None, "", _name_other(head))
        return
    stream.seek(0)
    try:
        file = pq.ParquetFile(stream)
        if (doubled := find_doubled(file.schema_arrow.names)) is not None:
            yield flawed(key, 1, None, "", doubled)
            return
        complaint = wanted.explain_header(file.schema_arrow.names) if wanted and file.metadata.num_rows else None
        if complaint is not None:
            yield flawed(key, 1, None, "", complaint)
            return
        for batch in file.iter_batches(_BATCH_RECORDS):
            texts, flaws = _as_json(batch, wanted)
            # A row that cannot be used still says which partition it is of, so it has a document, too.
            rows = [(number + i, None, text, text, flaws.get(i)) for i, text in enumerate(texts)]
            number += len(rows)
            yield batch_of_rows(key, rows)
    except (pa.ArrowException, OSError):
        yield flawed(key, number, None, "", CUT_SHORT)


def _name_other(head: bytes) -> str:
    """Say what an object is that is no Parquet."""
    found = name_packing(head) or name_foreign(head)
    return f"object is {found}, which is not what the problem's file says" if found else NOT_PARQUET


def _as_json(batch: pa.RecordBatch, wanted: Wanted | None) -> tuple[list[str], dict[int, str]]:
    """Write rows as JSON text, and say of each that holds what is no text which column it is in."""
    columns = {name: _values(column) for name, column in zip(batch.schema.names, batch.columns, strict=True)}
    flaws: dict[int, str] = {}
    for name, values in columns.items():
        if wanted is None or name in wanted.names:
            for i, value in enumerate(values):
                if isinstance(value, _Unreadable):
                    flaws.setdefault(i, f"{name} is not UTF-8")
    names = list(columns)
    rows = zip(*columns.values(), strict=True) if columns else ((),) * batch.num_rows
    opened = wanted.opened if wanted else frozenset()
    return [write_document(dict(zip(names, row, strict=True)), opened, _as_text) for row in rows], flaws


def _values(column: pa.Array) -> list[Json]:
    """Give a column's values as Python has them; those that it cannot hold as text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _values(column.dictionary_decode())
    if _is_text(kind):
        try:
            return list(_text_column(column).to_pylist())
        except _UNHELD:
            packed = pa.binary() if pa.types.is_fixed_size_binary(kind) else pa.large_binary()
            return [_as_text(value) for value in column.cast(packed).to_pylist()]
    try:
        return list(column.to_pylist())
    except _UNHELD:
        return [_value(held) for held in column]


def _is_text(kind: pa.DataType) -> bool:
    """Say whether a column holds text, or bytes, which nearly always are text."""
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    is_bytes = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)
    return bool(is_text or is_bytes or pa.types.is_fixed_size_binary(kind))


def _text_column(column: pa.Array) -> pa.Array:
    """Read bytes as text.

    Raises:
        pa.ArrowInvalid: some are no UTF-8.
    """
    if pa.types.is_fixed_size_binary(column.type):
        column = column.cast(pa.binary())
    return column.cast(pa.large_binary()).cast(pa.large_string())


def _value(held: pa.Scalar) -> Json:
    """Give one value, as text where Python has none for it."""
    try:
        return held.as_py()
    except _UNHELD:
        pass
    if isinstance(held, pa.StructScalar):
        return {held.type[i].name: _value(held[i]) for i in range(len(held))}
    if isinstance(held, pa.ListScalar | pa.LargeListScalar | pa.FixedSizeListScalar | pa.MapScalar):
        return [_value(item) for item in held.values]
    return _as_wide_text(held)


def _as_wide_text(held: pa.Scalar) -> str:
    """Write a value as text that Python has no value for."""
    kind = held.type
    if _is_text(kind):
        return str(_as_text(held.cast(pa.large_binary()).as_py()))
    with suppress(*_UNHELD, AttributeError):
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            unit: Any = kind.unit if pa.types.is_timestamp(kind) else "D" if pa.types.is_date32(kind) else "ms"
            zone = "+00:00" if getattr(kind, "tz", None) else ""  # stored in UTC; the zone is how it would be shown
            moment = np.datetime64(held.value, unit)
            return f"{held.value} {unit} since 1970" if np.isnat(moment) else f"{moment}{zone}"
        return f"{held.value} {getattr(kind, 'unit', '')}".strip()
    return _Unreadable(f"a value of type {kind}")


def _as_text(value: object) -> str | None:
    """Write what JSON has no form for: times in ISO 8601, bytes as the text they are, the rest as Python shows it."""
    if value is None:
        return None
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return _Unreadable(value.decode(errors="backslashreplace"))
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)
