"""Cuts CSV with a header into records; an empty field is a missing one, and quotes may hold line breaks."""

import csv
import json
from collections.abc import Iterator

import pyarrow as pa

from include.engine.lines import read_lines
from include.engine.records import MAX_RECORD_BYTES, TOO_LONG, batch_of_rows
from include.engine.unpacking import Content

WRONG_WIDTH = "record has another number of fields than the header"
NOT_CSV = "object holds JSON, and the problem's file says csv"
_BATCH_RECORDS = 10_000


def cut_csv(key: str, content: Content) -> Iterator[pa.RecordBatch]:
    """Cut an object at its records, which may be longer than a line."""
    if content.head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        content.flaw = NOT_CSV
        return
    # The default of 128 kB is shorter than many a mail; beyond this a quote was opened and never closed.
    csv.field_size_limit(MAX_RECORD_BYTES)
    lines = _Lines(content)
    reader = csv.reader(lines)
    header = next(reader, [])
    rows: list[tuple[int, int | None, str, str | None, str | None]] = []
    while True:
        lines.forget()
        try:
            values = next(reader)
        except StopIteration:
            break
        except csv.Error:
            rows.append((lines.number, lines.offset, "", None, TOO_LONG))
            reader = csv.reader(lines)
            continue
        if values:
            rows.append(_row(header, values, lines))
        if len(rows) >= _BATCH_RECORDS:
            yield batch_of_rows(key, rows)
            rows = []
    if rows:
        yield batch_of_rows(key, rows)


def _row(header: list[str], values: list[str], lines: "_Lines") -> tuple[int, int, str, str | None, str | None]:
    """Write one record as a row."""
    flaw = None if len(values) == len(header) else WRONG_WIDTH
    flaw = lines.flaw or flaw
    fields = {name: value or None for name, value in zip(header, values, strict=False)}
    return lines.number, lines.offset, "".join(lines.seen), json.dumps(fields) if flaw is None else None, flaw


class _Lines:
    """The lines of an object, one by one, which remembers those of the record that is being read.

    Attributes:
        seen: lines since `forget`.
        number, offset: of the first of them.
        flaw: what was wrong with one of them as text.
    """

    def __init__(self, content: Content) -> None:
        self._lines = self._each(content)
        self.forget()

    def forget(self) -> None:
        """Start a record."""
        self.seen: list[str] = []
        self.number = self.offset = 0
        self.flaw: str | None = None

    def __iter__(self) -> "_Lines":
        """Be its own iterator."""
        return self

    def __next__(self) -> str:
        """Give the next line."""
        text, number, offset, flaw = next(self._lines)
        if not self.seen:
            self.number, self.offset = number, offset
        self.seen.append(text)
        self.flaw = self.flaw or flaw
        return text

    def _each(self, content: Content) -> Iterator[tuple[str, int, int, str | None]]:
        """Take batches of lines apart."""
        for lines in read_lines(content, MAX_RECORD_BYTES):
            places = zip(lines.texts.to_pylist(), lines.numbers.tolist(), lines.offsets.tolist(), strict=True)
            for i, (text, number, offset) in enumerate(places):
                yield text, number, offset, lines.flaws.get(i)
