"""Reads the rows before a partition whose numbers were known by then, and says how far a model was off on them.

A store file around `following.py`. Of the partitions that are published when it is scored, what was known when the
partition began counts: scored again it gets the same intervals, unless partitions before it have been published since.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pandas as pd

from include.learning.data.columns import IS_KNOWN, LABELS
from include.learning.data.dataset import EVENT_AT, label_of, read_rows, value_of
from include.learning.protocols import Probabilities
from include.learning.quantity.following import follow, is_enough
from include.learning.quantity.levels import Levels, levels_of
from include.learning.quantity.numbers import is_number
from include.learning.quantity.predict import read_frame
from include.learning.registry.artifacts import StoredModel
from include.names import Stage
from include.partition_keys import partition_bounds, sort_key
from include.problems.schema import Problem
from include.problems.sections.learning import Label
from include.warehouse.coverage import done_partitions
from include.warehouse.database import open_warehouse


def label_lag(label: Label) -> timedelta:
    """Say how long after its event a row's number is known."""
    return label.within or label.delay or timedelta(0)


def offsets_before(problem: Problem, stored: StoredModel, partitions: Sequence[str]) -> dict[str, Probabilities]:
    """Give each partition the offsets that were known before it; the model's own where too few rows were.

    Rows that the forecast was fitted on say nothing about how far it is off, and are never asked.
    """
    with open_warehouse().connect() as connection:
        published = done_partitions(connection, problem.name, Stage.INGEST)
    grain, label = problem.source.grain, label_of(problem)
    levels = levels_of(label, value_of(problem))
    after = sort_key(stored.model.fitted_through)
    found = {}
    for key in partitions:
        earlier = [one for one in published if after < sort_key(one) < sort_key(key)]
        until = partition_bounds(key, grain)[0] - label_lag(label) - timedelta(microseconds=1)
        own = _learn(problem, stored, levels, sorted(earlier, key=sort_key), until)
        found[key] = stored.model.offsets if own is None else own
    return found


def _learn(
    problem: Problem, stored: StoredModel, levels: Levels, earlier: Sequence[str], until: datetime
) -> Probabilities | None:
    """Learn offsets on the newest of some partitions, as many as it takes; None where too few rows are known."""
    rows, n_at_once, left = pd.DataFrame(), 1, list(earlier)
    while left and (rows.empty or not is_enough(rows[EVENT_AT], until)):
        newest, left = left[-n_at_once:], left[:-n_at_once]
        read = read_rows(problem, newest, spec=stored.spec, is_known_only=True)
        if IS_KNOWN in read:
            read = read[is_number(read[LABELS].to_numpy(dtype="float64", na_value=float("nan")))]
            rows = pd.concat([read, rows], ignore_index=True) if len(rows) else read.reset_index(drop=True)
        n_at_once *= 2
    if rows.empty:
        return None
    said = stored.model.forecast.predict(read_frame(rows, stored.spec))
    actual = rows[LABELS].to_numpy(dtype="float64")
    return follow(levels, said, actual, rows[EVENT_AT], until)
