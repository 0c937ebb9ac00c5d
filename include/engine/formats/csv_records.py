"""Cuts CSV with a header into records; an empty field is a missing one, and quotes may hold line breaks.

Read as RFC 4180 has it: what is quoted wrongly is one flawed record, and never a value that swallowed its neighbours.
"""

import csv
import re
from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa

from include.engine.formats.byte_lines import read_lines
from include.engine.formats.decompression import BYTE_ORDER_MARK, Content
from include.engine.formats.documents import write_document
from include.engine.formats.fields import Wanted
from include.engine.formats.record_batches import BROKEN_OFF, MAX_RECORD_BYTES, SHOWN_BYTES, TOO_LONG, batch_of_rows

WRONG_WIDTH = "record has another number of fields than the header"
REPEATS_HEADER = "record repeats the header"
BELOW_OTHER_HEADER = "record stands below a second header, with other columns or in another order"
BAD_QUOTES = "record has text behind a closing quote"
BARE_RETURN = "record has a carriage return outside of quotes"
NOT_CSV = "object holds JSON, and the problem's file says csv"
ENDS_IN_QUOTES = "object ends inside of a quoted field"
OTHER_HEADER = "object has a second header, with other columns or in another order"
_IS_OPEN = "unexpected end of data"  # what Python's reader says where a quote is still open
_MARK = BYTE_ORDER_MARK.decode()
_MOST_HELD = 4 * MAX_RECORD_BYTES
_BATCH_RECORDS = 10_000
_PLAIN_NAME = re.compile(r"[^\W\d]\w{0,47}")
OTHER_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "'|'"}
# What Excel takes as the word for it, and writes in front of the header.
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?')
_UNNAMED = "column "  # and its number

Row = tuple[int, int | None, str, str | None, str | None]


def cut_csv(key: str, content: Content, wanted: Wanted | None = None, separator: str = ",") -> Iterator[pa.RecordBatch]:
    """Cut an object at its records, which may be longer than a line.

    Args:
        wanted: what is read out of it; a header has one of its fields at least, and all that are required. None where
            nobody knows.
        separator: what stands between two fields.
    """
    if content.head.lstrip(BYTE_ORDER_MARK + b" \t\r\n").startswith(b"{"):
        content.flaw = NOT_CSV
        return
    # The default of 128 kB is shorter than many a mail; how much is held at once is seen to by `_Lines`.
    csv.field_size_limit(_MOST_HELD)
    records = _read(_Lines(content, separator), separator)
    header, flaw = _read_header(records, wanted, separator)
    if flaw is not None:
        content.flaw = content.flaw or flaw
        return
    names, opened = frozenset(header), wanted.opened if wanted else frozenset()
    rows: list[Row] = []
    is_below_other = False
    for record in records:
        # Nearly no row of data holds the name of a column; only of those that do more is asked.
        if not names.isdisjoint(record.values):
            is_below_other = _is_below_other(header, record, is_below=is_below_other)
        if is_below_other:
            content.flaw = content.flaw or OTHER_HEADER
        if content.breaks_off_in(record.text):
            record.flaw = record.flaw or BROKEN_OFF
        rows.append(_row(header, record, opened, is_below_other=is_below_other))
        if len(rows) >= _BATCH_RECORDS:
            yield batch_of_rows(key, rows)
            rows = []
    if rows:
        yield batch_of_rows(key, rows)


class _Record:
    """One record: its fields, or why there are none.

    Attributes:
        number, offset: of its first line.
        text: as it stands in the object; of one that is too long, how it starts.
        values: its fields; none where it has a flaw.
        flaw: what is wrong with it.
    """

    __slots__ = ("flaw", "number", "offset", "text", "values")

    def __init__(self, lines: "_Lines", values: list[str], flaw: str | None) -> None:
        self.number, self.offset, self.text = lines.number, lines.offset, "".join(lines.seen)
        self.flaw = lines.flaw or flaw
        self.values = values if self.flaw is None else []
        if self.flaw == TOO_LONG:
            self.text = self.text[:SHOWN_BYTES]


def _read(lines: "_Lines", separator: str) -> Iterator[_Record]:
    """Read record by record; a blank line between two is none."""
    reader = csv.reader(lines, strict=True, delimiter=separator)
    while True:
        lines.forget()
        values: list[str] = []
        flaw = None
        try:
            values = next(reader)
            flaw = TOO_LONG if lines.is_full else None
        except StopIteration:
            return
        except _TooLongError:
            flaw = TOO_LONG if lines.flaw or lines.skip_quoted() else ENDS_IN_QUOTES
        except csv.Error as error:
            flaw = _explain(str(error))
        if flaw is not None:
            reader = csv.reader(lines, strict=True, delimiter=separator)
        record = _Record(lines, values, flaw)
        if record.values or record.flaw is not None:
            yield record


def _explain(error: str) -> str:
    """Say what Python's reader found wrong, in the words of a flaw."""
    if _IS_OPEN in error:
        return ENDS_IN_QUOTES
    return BARE_RETURN if "new-line character" in error else BAD_QUOTES


def _read_header(records: Iterator[_Record], wanted: Wanted | None, separator: str) -> tuple[list[str], str | None]:
    """Read the names of the columns, and say why they are none that records can be read by."""
    record = next(records, None)
    said = _SEPARATOR_LINE.fullmatch(record.text.strip()) if record else None
    if said and said[1] != separator:
        return [], _name_separator(said[1])
    record = next(records, None) if said else record
    if record is None:
        return [], None
    names = _names_in(record)
    if wanted is not None and wanted.names.isdisjoint(names):
        for mark in OTHER_SEPARATORS.keys() - {separator}:
            if not wanted.names.isdisjoint(name.strip('" \r\n') for name in record.text.split(mark)):
                return [], _name_separator(mark)
    if record.flaw is not None:
        return [], f"object has a header that cannot be read: it {record.flaw.partition(' ')[2]}"
    complaint = wanted.explain_header(names) if wanted else None
    return ([], complaint) if complaint else (names, find_doubled(names))


def _name_separator(mark: str) -> str:
    """Say what stands between the fields of an object."""
    shown = OTHER_SEPARATORS.get(mark, repr(mark))
    return f"object has {shown} between its fields, not commas; with format: auto it is read"


def find_doubled(names: Sequence[str]) -> str | None:
    """Say which column an object has twice; None where each is there once: one of two would be lost.

    A name that may be anything, a person's too, is told by its place.
    """
    for place, name in enumerate(names):
        if (first := names.index(name)) != place:
            shown = repr(name) if _PLAIN_NAME.fullmatch(name) else f"of one name, {first + 1} and {place + 1}"
            return f"object has two columns {shown}"
    return None


def _names_in(record: _Record) -> list[str]:
    """Read a record as names of columns; one without a name has that of its place."""
    return [value.strip() or f"{_UNNAMED}{place}" for place, value in enumerate(record.values, 1)]


def _is_below_other(header: Sequence[str], record: _Record, *, is_below: bool) -> bool:
    """Say whether a record stands below a second header that is not the first one again, or is one."""
    names = _names_in(record)
    if names == header:
        return False
    n_known = len(set(names) & set(header))
    # A row of data in which half of the fields, and two at least, are names of columns: there is none.
    return is_below or (n_known > 1 and len(set(names)) == len(names) and 2 * n_known >= len(names))


def _row(header: Sequence[str], record: _Record, opened: Collection[str], *, is_below_other: bool) -> Row:
    """Write one record as a row.

    Args:
        opened: columns whose text is JSON.
    """
    values, flaw = record.values, record.flaw
    if flaw is None and is_below_other:
        flaw = BELOW_OTHER_HEADER
    elif flaw is None and len(values) != len(header):
        flaw = WRONG_WIDTH
    elif flaw is None and header[0] in values[0] and _names_in(record) == header:
        flaw = REPEATS_HEADER
    if flaw is not None:
        return record.number, record.offset, record.text, None, flaw
    # What has neither a name nor a value is the comma at the end of a line.
    pairs = zip(header, values, strict=True)
    fields = {name: value or None for name, value in pairs if value or not name.startswith(_UNNAMED)}
    return record.number, record.offset, record.text, write_document(fields, opened), None


class _TooLongError(Exception):
    """More lines belong to one record than are held at once."""


class _Lines:
    """The lines of an object, one by one, which remembers those of the record that is being read.

    Attributes:
        seen: lines since `forget`.
        number, offset: of the first of them.
        flaw: what was wrong with one of them as text.
    """

    def __init__(self, content: Content, separator: str) -> None:
        self._lines, self._separator = self._each(content), separator
        self.forget()

    def forget(self) -> None:
        """Start a record."""
        self.seen: list[str] = []
        self._n_seen = 0
        self.number = self.offset = 0
        self.flaw: str | None = None

    def __iter__(self) -> "_Lines":
        """Be its own iterator."""
        return self

    @property
    def is_full(self) -> bool:
        """Say whether as much was seen as may be held."""
        return self._n_seen > MAX_RECORD_BYTES

    def __next__(self) -> str:
        """Give the next line.

        Raises:
            _TooLongError: the record is longer than is held at once, or has a line that is.
        """
        if self.is_full:
            raise _TooLongError
        text, number, offset, flaw = next(self._lines)
        if not self.seen:
            text = text.removeprefix(_MARK)  # of a file that was put together of several
            self.number, self.offset = number, offset
        self.seen.append(text)
        self._n_seen += len(text)
        self.flaw = self.flaw or flaw
        if flaw == TOO_LONG:
            raise _TooLongError
        return text

    def skip_quoted(self) -> bool:
        """Go on to the end of the quoted field that the lines so far have opened; say whether it has one."""
        for text, *_ in self._lines:
            try:
                next(csv.reader([f'"{text}'], strict=True, delimiter=self._separator))
            except csv.Error as error:
                if _IS_OPEN in str(error):
                    continue
            return True
        return False

    def _each(self, content: Content) -> Iterator[tuple[str, int, int, str | None]]:
        """Take batches of lines apart."""
        for lines in read_lines(content, MAX_RECORD_BYTES, is_raw=True):
            places = zip(lines.texts.to_pylist(), lines.numbers.tolist(), lines.offsets.tolist(), strict=True)
            for i, (text, number, offset) in enumerate(places):
                yield text, number, offset, lines.flaws.get(i)
