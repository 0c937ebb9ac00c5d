"""Reads ids as they stand in landing, of published rows whose ids the lake has masked.

What belongs here: places of rows in, raw texts out, in memory alone. What does not: writing them anywhere, and rows
that were not published: who was erased, withdrawn or quarantined has no row to ask for.
"""

import pyarrow as pa

from include.engine.relations import relation_of_records
from include.engine.session import open_engine
from include.engine.timed_fields import read_fields
from include.lake.sources import chosen_records, fetch_feeds, find_feeds, given_up, times_of
from include.names import LINE_NUMBER, OBJECT_KEY
from include.problems.schema import Problem
from include.settings import read_settings
from include.warehouse.database import open_warehouse


def read_raw_ids(log: Problem, partition_key: str, column: str, places: pa.Table) -> list[str | None]:
    """Read a column of some published rows before it was masked.

    Args:
        log: whose landing holds them.
        partition_key: that all of them are of.
        column: declared in the log.
        places: `_object_key` and `_line_number` of the rows.

    Returns:
        the texts, in the order of `places`; None where the log has none.

    Raises:
        BadLanding: an object is gone, or is not the one that the rows were published from.
    """
    if not places.num_rows:
        return []
    keys, numbers = places[OBJECT_KEY].to_pylist(), places[LINE_NUMBER].to_pylist()
    lines: dict[str, list[int]] = {}
    for key, number in zip(keys, numbers, strict=True):
        lines.setdefault(key, []).append(number)
    with open_warehouse().connect() as connection:
        feeds = find_feeds(connection, log.name, partition_key)
    engine = open_engine()
    with fetch_feeds(read_settings(), feeds) as objects:
        records = chosen_records(objects, log.source, lines, given_up(feeds), times_of(log.source, feeds))
        rows = read_fields(relation_of_records(engine, records), log.source).select(OBJECT_KEY, LINE_NUMBER, column)
        found = engine.to_pyarrow(rows)
    known = zip(*(found[name].to_pylist() for name in (OBJECT_KEY, LINE_NUMBER, column)), strict=True)
    texts = {(key, number): text for key, number, text in known}
    return [texts.get(place) for place in zip(keys, numbers, strict=True)]
