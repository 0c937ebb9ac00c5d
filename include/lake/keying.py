"""Names rows by their key, and finds the second row of one name."""

from collections.abc import Sequence
from typing import Any

import ibis

from include.names import LINE_NUMBER, OBJECT_KEY


def row_key(parts: Sequence[Any]) -> Any:
    """Join the key's text expressions by '|'; null when one of them is.

    With several parts, a '|' inside of one is written as '\\|': two rows never share a name by accident.
    """
    if len(parts) > 1:
        parts = [part.replace("\\", "\\\\").replace("|", "\\|") for part in parts]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined + ibis.literal("|") + part
    return joined


def arrival_rank(rows: ibis.Table, *group: str) -> Any:
    """Number the rows of each group from 0 in the order they arrived: by object, then by line.

    The order is the objects' names, not the clock, so that running again keeps the same row.
    """
    window = ibis.window(group_by=list(group), order_by=[rows[OBJECT_KEY], rows[LINE_NUMBER]])
    return ibis.row_number().over(window)
