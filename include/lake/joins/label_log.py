"""Joins the label that came in another log of the problem to each row, as of a period after its event.

What belongs here: the question in SQL, from tables to a table. What does not: which files are read (`reading.py`), and
what a label says (`include/problems/sections/learning.py`).
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import ibis

from include.engine.joined_rows import select_joined
from include.errors import BadProblem
from include.lake.joins.log_state import LogState
from include.names import LABEL_IS_DUE, PARTITION_KEY, ROW_KEY
from include.problems.schema import Problem
from include.problems.sections.learning import Label


def join_labels(events: ibis.Table, labels: ibis.Table, problem: Problem, state: LogState) -> ibis.Table:
    """Give each row what its label log says of it.

    A row's label is due when all that may come within the period has come, and can be found: its key is there, the
    label log has been read past the end of its period, and no partition of it is refused. (One that never landed looks
    like one without labels: nothing came, and `absent` says what that means.) Until then nothing is concluded,
    not even from a label that is there already: those that come early are not like those that never come.

    Args:
        events: rows of the problem.
        labels: rows of the label log; those outside of the periods of `events` may be missing.
        state: how far the label log is known.

    Returns:
        `events` with the column named after the label log, a structure of its columns, null where nothing came within
        the period; and `_label_is_due`.
    """
    label = label_log_of(problem)
    log, within = str(label.from_log), label.within or timedelta(0)
    source = problem.sources[log]
    said = list(source.stored)
    fields = ", ".join(f"'{name}': l.\"{name}\"" for name in said)
    order = "DESC" if label.on_repeat == "keep_last" else "ASC"
    event_at, label_at = problem.source.event_time, source.event_time
    query = f"""
        , came AS (
            SELECT e."{ROW_KEY}" AS row_key, e."{PARTITION_KEY}" AS row_partition, {{{fields}}} AS said,
                l."{label_at}" AS said_at, l."{ROW_KEY}" AS said_by
            FROM events AS e JOIN labels AS l ON {keys_match(problem.label_keys)}
                AND epoch_us(l."{label_at}") - epoch_us(e."{event_at}") BETWEEN 0 AND {microseconds(within)}
        ), chosen AS (
            SELECT row_key, row_partition, said, count(*) OVER every AS n_labels
            FROM came
            WINDOW every AS (PARTITION BY row_key, row_partition)
            QUALIFY row_number() OVER (
                PARTITION BY row_key, row_partition ORDER BY said_at {order}, said_by {order}
            ) = 1
        )
        SELECT e.*, c.said AS "{log}",
            ({_is_due(list(problem.label_keys), event_at, within, state)}{_is_single(label)}) AS "{LABEL_IS_DUE}"
        FROM events AS e
        LEFT JOIN chosen AS c ON e."{ROW_KEY}" = c.row_key AND e."{PARTITION_KEY}" = c.row_partition
    """
    held = labels.schema()
    structure = ibis.expr.datatypes.Struct({name: held[name] for name in said})
    columns = {**dict(events.schema().items()), log: structure, LABEL_IS_DUE: "boolean"}
    return select_joined({"events": events, "labels": labels}, query, columns)


def label_log_of(problem: Problem) -> Label:
    """Give the label section of a problem whose labels come in another log.

    Raises:
        BadProblem: they do not.
    """
    if problem.label is None or problem.label.from_log is None:
        raise BadProblem(f"{problem.name}: label.from names no other log, so no label is joined.")
    return problem.label


def keys_match(keys: Mapping[str, str]) -> str:
    """Say in SQL whether a row of the problem (e) and one of the label log (l) are about the same."""
    return " AND ".join(f'e."{own}" = l."{theirs}"' for own, theirs in keys.items())


def microseconds(period: timedelta) -> int:
    """Count the microseconds of a period."""
    return period // timedelta(microseconds=1)


def _is_due(keys: Sequence[str], event_at: str, within: timedelta, state: LogState) -> str:
    """Say in SQL whether a row's label is final."""
    if state.known_until is None:
        return "FALSE"
    ends = f'(epoch_us(e."{event_at}") + {microseconds(within)})'
    conditions = [f'e."{own}" IS NOT NULL' for own in keys]
    conditions.append(f"{ends} <= {_epoch(state.known_until)}")
    conditions += [
        f'NOT ({ends} >= {_epoch(start)} AND epoch_us(e."{event_at}") < {_epoch(end)})' for start, end in state.holes
    ]
    return f"coalesce({' AND '.join(conditions)}, FALSE)"


def _is_single(label: Label) -> str:
    """Say in SQL that a second label refuses the row, where the problem file says so."""
    return " AND coalesce(c.n_labels, 0) <= 1" if label.on_repeat == "refuse" else ""


def _epoch(moment: object) -> str:
    """Write a moment as its microseconds since 1970."""
    return f"epoch_us(TIMESTAMPTZ '{moment}')"
