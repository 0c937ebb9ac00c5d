"""Rows as CSV, whichever page sends them.

What does not belong here: which columns a table has, and reading its rows.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_rows(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """Write rows below a header; no text of them is taken for a formula by a spreadsheet.

    Args:
        columns: what is written of each row, in order; empty where a row has none.
    """
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows([_write_cell(row.get(name)) for name in columns] for row in rows)
    return file.getvalue()


def _write_cell(value: object) -> object:
    """Write a value; a text that begins as formulas do gets an apostrophe before it."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return "" if value is None else value
