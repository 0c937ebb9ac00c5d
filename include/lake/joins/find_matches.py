"""Matches one partition of a label log with the rows that are in the lake, and writes down what was found."""

from datetime import datetime

from sqlalchemy import select

from include.errors import NoLabelMatches
from include.lake.contracts import MatchedLabels
from include.lake.joins.label_matches import count_matches, due_partitions, overlapping, say_no_match
from include.lake.reading import list_partitions, open_rows
from include.names import Stage, events_table, log_name, owner_of_log
from include.partition_keys import partition_bounds, sort_key
from include.problems.reading import load_problem
from include.warehouse.coverage import done_partitions
from include.warehouse.database import open_warehouse
from include.warehouse.loading import replace_rows
from include.warehouse.tables.learning import LABEL_MATCH


def match_partition(log: str, partition_key: str, now: datetime) -> MatchedLabels:
    """Match one partition of a label log.

    Args:
        log: by the name that its stages have.

    Raises:
        NoLabelMatches: not one of its rows names a row of the problem, though rows of its time are there, nor did one
            of any other partition.
    """
    problem = load_problem(owner_of_log(log))
    with open_warehouse().connect() as connection:
        published = done_partitions(connection, problem.name, Stage.INGEST)
        scored = set(done_partitions(connection, problem.name, Stage.TRAIN))
    held = list_partitions(events_table(log))
    label = problem.label
    if label is None or label.from_log is None or label.within is None:
        return MatchedLabels({}, reason=f"label.from of {problem.name} names no log any more.")
    source = problem.sources[label.from_log]
    start, end = partition_bounds(partition_key, source.grain)
    if partition_key not in held or not published:
        # Refused or withdrawn: labels that it may have given are gone, and the rows that had them are measured anew.
        about = overlapping(published, problem.source.grain, start - label.within, end)
        reason = "There is nothing to match yet: one of the two logs has no rows."
        return MatchedLabels({}, tuple(key for key in about if key in scored), reason=reason)
    near = overlapping(held, source.grain, start - label.within, end + label.within)
    labels = open_rows(events_table(log_name(problem.name, label.from_log)), near)
    matches = count_matches(problem, open_rows(events_table(problem.name)), labels, partition_key)
    where = {"problem": log, "partition_key": partition_key}
    with open_warehouse().begin() as connection:
        replace_rows(connection, LABEL_MATCH, where, [{**where, **matches.counts, "matched_at_utc": now}])
        once = select(LABEL_MATCH.c.partition_key).where(LABEL_MATCH.c.problem == log, LABEL_MATCH.c.n_matched > 0)
        has_matched = connection.execute(once.limit(1)).first() is not None  # then the keys are the right ones
    if (
        matches.is_foreign
        and not has_matched
        and overlapping(published, problem.source.grain, start - label.within, end)
    ):
        raise NoLabelMatches(say_no_match(problem, partition_key, matches))
    earlier = [key for key in held if sort_key(key) < sort_key(partition_key)]
    since = max(earlier, key=sort_key, default=partition_key)
    changed = sorted({*matches.partitions, *due_partitions(problem, partition_key, published, since)}, key=sort_key)
    return MatchedLabels(
        matches.counts,
        tuple(key for key in changed if key in scored),
        tuple(changed[-1:]),
        "" if changed else "No partition has other labels now.",
    )
