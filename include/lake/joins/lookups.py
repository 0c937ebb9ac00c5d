"""Looks up columns of another log as of each row's event: what was known then, never what came later."""

import ibis

from include.engine.joined_rows import select_joined
from include.names import ROW_KEY
from include.problems.schema import Problem
from include.problems.sections.computed import Lookup


def look_up(events: ibis.Table, log: ibis.Table, problem: Problem, lookup: Lookup) -> ibis.Table:
    """Give each row the columns of the newest row of a log that has its key and is not later than its event.

    Of two of one key and one moment the one with the larger row key counts: always the same one.

    Args:
        events: rows of the problem.
        log: rows of the other log; those later than all of `events` may be missing.

    Returns:
        `events` with the columns that the lookup takes; missing where the log says nothing yet, or a key is missing.
    """
    event_at, said_at = problem.source.event_time, problem.sources[lookup.from_log].event_time
    keys = ", ".join(f'"{theirs}"' for theirs in dict.fromkeys(lookup.on.values()))
    equal = " AND ".join(f'e."{own}" = l."{theirs}"' for own, theirs in lookup.on.items())
    taken = ", ".join(f'l."{theirs}" AS "{name}"' for name, theirs in lookup.taken.items())
    query = f"""
        , states AS (
            SELECT * FROM log
            QUALIFY row_number() OVER (PARTITION BY {keys}, "{said_at}" ORDER BY "{ROW_KEY}" DESC) = 1
        )
        SELECT e.*, {taken} FROM events AS e ASOF LEFT JOIN states AS l ON {equal} AND e."{event_at}" >= l."{said_at}"
    """
    held = log.schema()
    columns = {**dict(events.schema().items()), **{name: held[theirs] for name, theirs in lookup.taken.items()}}
    return select_joined({"events": events, "log": log}, query, columns)
