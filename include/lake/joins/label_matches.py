"""Counts what a partition of the label log has to do with the rows it is about: found, too late, too early, unknown.

What belongs here: the question and its answer as counts. What does not: the join itself (`include/lake/joins`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import ibis

from include.engine.joined_rows import select_joined
from include.names import PARTITION_KEY, ROW_KEY
from include.partition_keys import partition_bounds, sort_key
from include.problems.schema import Problem
from include.problems.sections.learning import Label

N_EXAMPLES = 3
_COUNTS = ("n_labels", "n_matched", "n_late", "n_before", "n_unmatched", "n_without_key", "n_repeated")


@dataclass(frozen=True)
class LabelMatches:
    """What became of the rows of one partition of a label log.

    Attributes:
        counts: `n_labels`; of these `n_matched`: within the period after their event, `n_late`: after it, `n_before`:
            before the event, `n_unmatched`: no row has the key, `n_without_key`: they name no row. `n_repeated`: those
            matched whose row has another label, too.
        partitions: data partitions of the rows that were matched, oldest first.
        label_keys, event_keys: a few keys of either side, to be compared by people.
    """

    counts: Mapping[str, int]
    partitions: tuple[str, ...]
    label_keys: tuple[str, ...]
    event_keys: tuple[str, ...]

    @property
    def is_foreign(self) -> bool:
        """Say whether no label names any row: most likely the keys are not the same ones."""
        return self.counts["n_labels"] > 0 and self.counts["n_unmatched"] == self.counts["n_labels"]


def count_matches(problem: Problem, events: ibis.Table, labels: ibis.Table, partition_key: str) -> LabelMatches:
    """Compare one partition of a label log with all rows of the problem.

    Args:
        events: all rows.
        labels: rows of the label log of this partition, and of those before it that may be about the same rows.
        partition_key: of the label log.

    Raises:
        ValueError: the problem has no label log.
    """
    label = problem.label
    if label is None or label.from_log is None:
        raise ValueError(f"{problem.name} has no label log")
    keys = problem.label_keys
    query = _question(problem, label, partition_key)
    columns = {**dict.fromkeys(_COUNTS, "int64"), "partitions": "array<string>"}
    (row,) = select_joined({"events": events, "labels": labels}, query, columns).to_pyarrow().to_pylist()
    return LabelMatches(
        {name: int(row[name]) for name in _COUNTS},
        tuple(sorted(row["partitions"] or [], key=sort_key)),
        _examples(labels.filter(labels[PARTITION_KEY] == partition_key), list(keys.values())),
        _examples(events, list(keys)),
    )


def _question(problem: Problem, label: Label, partition_key: str) -> str:
    """Write the question in SQL, over `events` and `labels`."""
    keys = problem.label_keys
    label_at, event_at = problem.sources[str(label.from_log)].event_time, problem.source.event_time
    within = (label.within or timedelta(0)) // timedelta(microseconds=1)
    has_key = " AND ".join(f'l."{name}" IS NOT NULL' for name in keys.values())
    equal = " AND ".join(f'e."{own}" = l."{theirs}"' for own, theirs in keys.items())
    return f"""
        , pairs AS (
            SELECT l."{ROW_KEY}" AS label_key, l."{PARTITION_KEY}" AS label_partition, {has_key} AS has_key,
                e."{ROW_KEY}" AS event_key, e."{PARTITION_KEY}" AS event_partition,
                epoch_us(l."{label_at}") - epoch_us(e."{event_at}") AS after_us
            FROM labels AS l LEFT JOIN events AS e ON {equal}
        ), counted AS (
            SELECT *, after_us BETWEEN 0 AND {within} AS is_match,
                count(*) FILTER (WHERE after_us BETWEEN 0 AND {within})
                    OVER (PARTITION BY event_partition, event_key) AS n_labels
            FROM pairs
        ), told AS (
            SELECT label_key, bool_and(has_key) AS has_key, coalesce(bool_or(is_match), FALSE) AS is_matched,
                count(event_key) AS n_events, coalesce(max(after_us), 0) AS longest,
                coalesce(bool_or(is_match AND n_labels > 1), FALSE) AS is_repeated,
                list(DISTINCT event_partition) FILTER (WHERE is_match) AS partitions
            FROM counted WHERE label_partition = '{partition_key}' GROUP BY label_key
        )
        SELECT count(*) AS n_labels,
            count(*) FILTER (WHERE is_matched) AS n_matched,
            count(*) FILTER (WHERE NOT is_matched AND n_events > 0 AND longest > {within}) AS n_late,
            count(*) FILTER (WHERE NOT is_matched AND n_events > 0 AND longest <= {within}) AS n_before,
            count(*) FILTER (WHERE has_key AND n_events = 0) AS n_unmatched,
            count(*) FILTER (WHERE NOT has_key) AS n_without_key,
            count(*) FILTER (WHERE is_repeated) AS n_repeated,
            list_sort(list_distinct(flatten(list(coalesce(partitions, []))))) AS partitions
        FROM told
    """


def due_partitions(problem: Problem, partition_key: str, published: Sequence[str], since: str) -> list[str]:
    """Name the data partitions for which the period in which a label may come ends in a partition of the label log.

    Args:
        since: the partition of the label log before; the log is known to its newest row only, so what the end of that
            partition and the days between would have freed, this one frees.
    """
    label = problem.label
    if label is None or label.from_log is None or label.within is None:
        return []
    grain = problem.sources[label.from_log].grain
    start, end = partition_bounds(since, grain)[0], partition_bounds(partition_key, grain)[1]
    return overlapping(published, problem.source.grain, start - label.within, end - label.within)


def overlapping(keys: Sequence[str], grain: str, start: datetime, end: datetime) -> list[str]:
    """Name the partitions that hold some of a span of time."""
    bounds = {key: partition_bounds(key, grain) for key in keys}
    return [key for key in keys if bounds[key][0] < end and bounds[key][1] > start]


def say_no_match(problem: Problem, partition_key: str, matches: LabelMatches) -> str:
    """Say that no label found its row, with keys of both sides to compare."""
    keys = ", ".join(f"{own} = {theirs}" for own, theirs in problem.label_keys.items())
    log = problem.label.from_log if problem.label else ""
    return (
        f"{problem.name}: 0 of {matches.counts['n_labels']:,} rows of {log} {partition_key} name a row of the problem "
        f"by {keys}. Keys of {log}: {', '.join(matches.label_keys)}; keys of the problem's rows: "
        f"{', '.join(matches.event_keys)}. If these should be the same, mend label.on, or derive a column that is."
    )


def _examples(rows: ibis.Table, names: list[str]) -> tuple[str, ...]:
    """Write a few keys as people read them."""
    some: list[dict[str, object]] = rows.select(*names).limit(N_EXAMPLES).to_pyarrow().to_pylist()
    return tuple(sorted(repr(" / ".join(str(value) for value in row.values())) for row in some))
