"""Names rows by their key, and finds the second row of one name."""

from collections.abc import Sequence
from typing import Any

import ibis

from include.names import LINE_NUMBER, OBJECT_KEY, ROW_KEY


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


def later_arrivals(rows: ibis.Table) -> ibis.Table:
    """Find the rows whose name an earlier row has already: earlier by object, then by line.

    The order is the objects' names, not the clock, so that running again keeps the same row.

    Returns:
        object key and line number of each row that is a duplicate.
    """
    # Only the three columns that decide, and of them only rows whose name may occur twice: names that differ in their
    # hash differ, so that of millions of rows hardly one is compared with another.
    hashes = rows.select(hash=rows[ROW_KEY].hash())
    twice = hashes.group_by("hash").aggregate(n=hashes.count()).filter(lambda groups: groups.n > 1)
    places = rows.select(ROW_KEY, OBJECT_KEY, LINE_NUMBER)
    suspects = places.filter(places[ROW_KEY].hash().isin(twice.hash))
    window = ibis.window(group_by=ROW_KEY, order_by=[OBJECT_KEY, LINE_NUMBER])
    ranked = suspects.mutate(rank=ibis.row_number().over(window))
    return ranked.filter(ranked["rank"] > 0).select(OBJECT_KEY, LINE_NUMBER)
