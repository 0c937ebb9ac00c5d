"""Names rows by their key, and finds the second row of one name. The rules are `include/row_key.py`'s."""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from include.names import LINE_NUMBER, OBJECT_KEY, PARTITION_KEY, ROW_KEY
from include.row_key import ESCAPE, SEPARATOR

# What a key may name beside columns, and where the lake keeps it.
PLACES = {"_object": OBJECT_KEY, "_line": LINE_NUMBER}


def row_key(parts: Sequence[ir.Value]) -> ir.StringValue:
    """Join the stored values of the key's columns by '|'; null when one of them is.

    With several parts, a '|' inside of one is written as '\\|': two rows never share a name by accident.
    """
    texts = [part.cast("string") for part in parts]
    if len(texts) > 1:
        texts = [text.replace(ESCAPE, ESCAPE * 2).replace(SEPARATOR, ESCAPE + SEPARATOR) for text in texts]
    joined = texts[0]
    for text in texts[1:]:
        joined = joined + ibis.literal(SEPARATOR) + text
    return joined


def later_arrivals(rows: ibis.Table) -> ibis.Table:
    """Find the rows whose name an earlier row of their partition has already: earlier by object, then by line.

    The order is the objects' names, not the clock, so that running again keeps the same row.

    Returns:
        partition key, object key and line number of each row that is a duplicate.
    """
    # Only the columns that decide, and of them only rows whose name may occur twice: names that differ in their
    # hash differ, so that of millions of rows hardly one is compared with another.
    hashes = rows.select(hash=rows[ROW_KEY].hash())
    twice = hashes.group_by("hash").aggregate(n=hashes.count()).filter(lambda groups: groups.n > 1)
    places = rows.select(PARTITION_KEY, ROW_KEY, OBJECT_KEY, LINE_NUMBER)
    suspects = places.filter(places[ROW_KEY].hash().isin(twice.hash))
    window = ibis.window(group_by=[PARTITION_KEY, ROW_KEY], order_by=[OBJECT_KEY, LINE_NUMBER])
    ranked = suspects.mutate(rank=ibis.row_number().over(window))
    return ranked.filter(ranked["rank"] > 0).select(PARTITION_KEY, OBJECT_KEY, LINE_NUMBER)
