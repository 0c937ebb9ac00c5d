"""Label files as tables: the first line names the fields, every other line is a record.

What belongs here: bytes in, records out, and records in, text out. What does not: what a record means
(`label_files/jsonl.py`).
"""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence

SEPARATORS = ",;\t"
LONGEST_FIELD = 10_000_000  # characters; a field may be a mail
_TORN = "a quote in line {line} does not end as it should, so that no line of the file was taken; close or double it"


def read_records(file: bytes) -> Iterator[tuple[int, dict[str, object] | ValueError]]:
    """Read a table as records, each with the number of its last line; empty cells are left out, blank lines skipped.

    A line that is wrong by itself is refused and its neighbours are kept. Where a quote runs on over lines and does not
    end as it should, no line is taken.

    Args:
        file: UTF-8; fields are separated by whatever of comma, semicolon and tab the first line has most of.

    Returns:
        for each line a record of texts, or why it is none.
    """
    try:
        text = file.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError:
        yield 1, ValueError("not UTF-8")
        return
    separator = max(SEPARATORS, key=text.partition("\n")[0].count)
    try:
        rows = list(_read_rows(text, separator))
    except _TornTable as torn:
        lines = enumerate(text.split("\n"), start=1)
        yield from ((number, ValueError(str(torn))) for number, line in lines if number > 1 and line.strip())
        return
    names = [name.strip() for name in rows[0][1]] if rows and not isinstance(rows[0][1], ValueError) else []
    if len(set(names)) < len(names):
        yield 1, ValueError("a field stands in it twice")
        return
    for number, cells in rows[1:] if names else rows:
        if isinstance(cells, ValueError):
            yield number, cells
        elif len(cells) > len(names):
            yield number, ValueError("it has more fields than the first line names")
        elif any(cell.strip() for cell in cells):
            yield number, {name: cell for name, cell in zip(names, cells, strict=False) if cell.strip()}


class _TornTable(ValueError):
    """A quote runs on over lines and never ends as it should."""


def _read_rows(text: str, separator: str) -> Iterator[tuple[int, list[str] | ValueError]]:
    """Read the cells of each row, or why it is none, with the number of its last line.

    A line that is wrong by itself is none. What follows is only believed if it begins a row: it has as many cells as
    the first line.

    Raises:
        _TornTable: nobody can say which lines are a text and which are rows.
    """
    csv.field_size_limit(LONGEST_FIELD)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    n_cells, bad = None, None
    while True:
        begins = rows.line_num + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error:
            if rows.line_num > begins:
                raise _TornTable(_TORN.format(line=begins)) from None
            bad = begins
            yield begins, ValueError("not a line of a table: a quote is not closed, or not doubled inside a text")
            continue
        n_cells = n_cells or len(cells)
        if bad is not None and cells and len(cells) != n_cells:
            raise _TornTable(_TORN.format(line=bad))
        bad = None if cells else bad  # a blank line tells nothing
        yield rows.line_num, cells


def write_records(records: Sequence[Mapping[str, object]], names: Sequence[str]) -> str:
    """Write records as a table with commas, lines ended by a line feed; what is missing is an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, names, extrasaction="ignore", lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()
