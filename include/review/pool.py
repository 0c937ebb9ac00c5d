"""Reads what can still be chosen: published items of the lake that nobody has labelled or is looking at.

What belongs here: the relational work, on the engine; of millions of items only a few thousand leave it. What does not:
which of them are chosen (`planning.py`).
"""

from collections.abc import Collection, Sequence
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from include.engine.predicates import add_predicates
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.errors import BadPartition
from include.lake.reading import current_snapshot, open_rows
from include.names import PARTITION_KEY, ROW_KEY, Arm, events_table, predictions_table
from include.problems.schema import Problem
from include.problems.sections.learning import Features
from include.problems.sections.review import Route
from include.review import ranking
from include.review.describing import describe_items, near_distance_of
from include.review.expected_cost import value_matrix
from include.review.planning import Candidate, Pool

P_POSITIVE = "p_positive"
MODEL_VERSION = "model_version"
# A variety can only be chosen from more than is wanted. On the built-in mails a shortlist of 12 to 25 % of the pool was
# best, and the whole pool was worse than none: what is certain crowds out what is not.
SHORTLIST_FACTOR = 50
SHORTLIST_SHARE = 0.15
SHORTLIST_LIMIT = 4_000
COLD_START_LIMIT = 1_000  # items drawn by chance that show what a pool is like
TEXT_LIMIT = 1_000  # characters that say what a text is about
MAX_MEMBERS = 3


def read_pool(
    problem: Problem,
    partitions: Sequence[str],
    taken: Collection[str],
    *,
    budget: int,
    strategy: str,
    earlier_snapshots: Sequence[str] = (),
    seed: int,
) -> Pool:
    """Read the items that a batch may be chosen from, with the newest model's opinion where there is one.

    Args:
        problem: the problem.
        partitions: published partitions.
        taken: item ids that have a label or lie in an open batch.
        budget: items wanted.
        strategy: what the shortlist is ranked by.
        earlier_snapshots: scores of earlier rounds, newest first: the other members of a committee.
        seed: of the draw; the same seed and items give the same pool, in whatever order the rows lie.

    Returns:
        An item in two partitions counts once, in the earlier one.

    Raises:
        BadProbabilities: scores at the top of the ranking are no probabilities.
    """
    items = _open_items(problem.name, partitions, taken)
    n_pool = int(open_engine().to_pyarrow(items.count()).as_py())
    version, predictions = open_predictions(problem.name, partitions)
    drawn = _draw(items, budget, f"drawn {seed}")
    if predictions is None or version is None:
        shortlist = _draw(items, COLD_START_LIMIT, f"shortlist {seed}")
        found: dict[str, dict[str, Any]] = {}
    else:
        n_scored = int(open_engine().to_pyarrow(predictions.count()).as_py())
        ranked = _rank(problem, partitions, predictions, strategy, earlier_snapshots, budget, n_scored, len(taken))
        found = {row[ROW_KEY]: row for row in ranked.to_pylist()}
        shortlist = [key for key in found if key not in taken][: shortlist_size(budget, n_scored)]
        found |= {row[ROW_KEY]: row for row in only_keys(predictions, drawn).to_pyarrow().to_pylist()} | found
    rows = read_items(problem, partitions, [*drawn, *shortlist])
    where = dict(zip(rows[ROW_KEY], rows[PARTITION_KEY], strict=True))
    # A score may be left of a row that was withdrawn since; nobody can be asked about it.
    described = rows.set_index(ROW_KEY).loc[[key for key in shortlist if key in where]]
    features = _known_features(problem, described)
    return Pool(
        n_pool=n_pool,
        drawn=[_candidate(key, where[key], found) for key in drawn],
        shortlist=[_candidate(key, where[key], found) for key in described.index],
        vectors=describe_items(described, features, seed % 2**31) if features else np.zeros((len(described), 1)),
        near_distance=near_distance_of(features) if features else 0.0,
        model_version=version,
        snapshot_id=current_snapshot(predictions_table(problem.name)) if version else None,
    )


def shortlist_size(budget: int, n_scored: int) -> int:
    """Say how many of the best-ranked items a varied batch is chosen from.

    Args:
        budget: items wanted.
        n_scored: items with an opinion of the newest model.

    Returns:
        50 for each place, but no more than 15 in 100 of the scored items nor 4,000, and never fewer than two for each
        place.
    """
    return max(2 * budget, min(SHORTLIST_FACTOR * budget, int(SHORTLIST_SHARE * n_scored), SHORTLIST_LIMIT))


def read_items(problem: Problem, partitions: Sequence[str], keys: Sequence[str]) -> pd.DataFrame:
    """Read what items are about: their feature columns, texts cut to their beginnings.

    Returns:
        one row for each key that is published: `_row_key`, `_partition_key` (the earliest), and the feature columns
        that the lake has.
    """
    table = only_keys(open_rows(events_table(problem.name), partitions), keys)
    features = problem.training.features if problem.training else Features(text=[next(iter(problem.source.columns))])
    plain = [name for name in [*features.numeric, *features.categorical] if name in table.columns]
    texts = [name for name in features.text if name in table.columns]
    columns = [table[name].cast("string").substr(0, TEXT_LIMIT).name(name) for name in texts]
    read: pd.DataFrame = table.select(ROW_KEY, PARTITION_KEY, *plain, *columns).to_pyarrow().to_pandas()
    return read.sort_values([ROW_KEY, PARTITION_KEY]).drop_duplicates(ROW_KEY, ignore_index=True)


def read_routes(
    problem: str, partitions: Sequence[str], keys: Sequence[str], routes: Sequence[Route]
) -> dict[str, Route]:
    """Say which of the chosen items need care; the first route whose predicate is true counts.

    Raises:
        BadProblem: a predicate is not SQL over the columns of the lake.
    """
    if not routes:
        return {}
    names = [f"_route_{index}" for index in range(len(routes))]
    items = only_keys(open_rows(events_table(problem), partitions), keys)
    asked = add_predicates(items, {name: route.when for name, route in zip(names, routes, strict=True)})
    answers = open_engine().to_pyarrow(asked.select(ROW_KEY, *names)).to_pylist()
    return {
        row[ROW_KEY]: routes[index]
        for row in answers
        for index in [next((at for at, name in enumerate(names) if row[name]), None)]
        if index is not None
    }


def read_change_ratio(
    problem: str, partitions: Sequence[str], before: tuple[str, float], now: tuple[str, float]
) -> float | None:
    """Compare the decisions of two rounds' models over the pool.

    Args:
        before, now: the Iceberg snapshot of the scores, and the threshold from which on a positive is acted on.

    Returns:
        share of the items scored by both whose decision differs, 0..1; None where a snapshot is gone or nothing is
        shared.
    """
    tables = []
    for name, (snapshot, threshold) in (("before", before), ("now", now)):
        try:
            rows = open_rows(predictions_table(problem), partitions, snapshot)
        except BadPartition:  # expired: what cannot be compared stops nothing
            return None
        newest = rows.filter(rows[MODEL_VERSION] == rows[MODEL_VERSION].max())
        tables.append(newest.select(ROW_KEY, PARTITION_KEY, **{name: newest[P_POSITIVE] >= threshold}))
    both = tables[0].inner_join(tables[1], [ROW_KEY, PARTITION_KEY])
    ratio = open_engine().to_pyarrow((both["before"] != both["now"]).cast("float64").mean()).as_py()
    return None if ratio is None else float(ratio)


def _open_items(problem: str, partitions: Sequence[str], taken: Collection[str]) -> ibis.Table:
    """Open the keys of what can be asked, each once."""
    items = open_rows(events_table(problem), partitions).select(ROW_KEY)
    if taken:
        items = items.anti_join(_keys(taken), ROW_KEY)
    return items.distinct()


def _draw(items: ibis.Table, n_drawn: int, salt: str) -> list[str]:
    """Draw keys by chance alone: the first by a salted hash, which no property of an item can know."""
    salted = (items[ROW_KEY] + f"|{salt}").hexdigest("md5")
    return list(open_engine().to_pyarrow(items.order_by(salted).limit(n_drawn))[ROW_KEY].to_pylist())


def _rank(
    problem: Problem,
    partitions: Sequence[str],
    predictions: ibis.Table,
    strategy: str,
    earlier_snapshots: Sequence[str],
    budget: int,
    n_scored: int,
    n_taken: int,
) -> pa.Table:
    """Rank all scored items; as many more are read as may have to be left out, instead of asking each about it."""
    columns = [P_POSITIVE]
    if strategy in (Arm.COMMITTEE, Arm.COMMITTEE_VOTES):
        for index, snapshot in enumerate(earlier_snapshots[: MAX_MEMBERS - 1]):
            try:
                member = open_rows(predictions_table(problem.name), partitions, snapshot)
            except BadPartition:  # expired: the committee is one smaller
                continue
            name = f"p_member_{index}"
            member = member.select(ROW_KEY, PARTITION_KEY, **{name: member[P_POSITIVE]})
            predictions = predictions.inner_join(member, [ROW_KEY, PARTITION_KEY])
            columns.append(name)
    members = [[1.0 - predictions[name], predictions[name]] for name in columns]
    values = value_matrix(problem.value) if problem.value else None
    score = ranking.score_expression(strategy, members, values)
    ranked = ranking.rank_rows(predictions, score, ROW_KEY, shortlist_size(budget, n_scored) + n_taken + budget)
    ranking.require_ranked(ranked, [ROW_KEY, P_POSITIVE], n_scored)
    return ranked


def open_predictions(problem: str, partitions: Sequence[str]) -> tuple[str | None, ibis.Table | None]:
    """Open what the newest model that scored anything says; versions sort by age."""
    try:
        predictions = open_rows(predictions_table(problem), partitions)
    except BadPartition:  # nothing has ever been scored
        return None, None
    version = open_engine().to_pyarrow(predictions[MODEL_VERSION].max()).as_py()
    if version is None:
        return None, None
    newest = predictions.filter(predictions[MODEL_VERSION] == version)
    return version, newest.select(ROW_KEY, PARTITION_KEY, P_POSITIVE)


def only_keys(table: ibis.Table, keys: Collection[str]) -> ibis.Table:
    """Keep the rows of some keys."""
    return table.semi_join(_keys(keys), ROW_KEY)


def _keys(keys: Collection[str]) -> ibis.Table:
    """Hand keys to the engine; not by `ibis.memtable`, which goes through pandas."""
    return relation_of_arrow(open_engine(), pa.table({ROW_KEY: pa.array(sorted(keys), pa.string())}))


def _known_features(problem: Problem, rows: pd.DataFrame) -> Features | None:
    """Name the features that the lake has; a column that was declared after the rows were ingested says nothing yet."""
    wanted = problem.training.features if problem.training else None
    known = {
        kind: [name for name in getattr(wanted, kind, []) if name in rows.columns]
        for kind in ("numeric", "categorical", "text")
    }
    return Features(**known) if any(known.values()) else None


def _candidate(key: str, partition_key: str, found: dict[str, dict[str, Any]]) -> Candidate:
    """Put together what is known of an item."""
    row = found.get(key, {})
    return Candidate(key, partition_key, row.get(P_POSITIVE), row.get(ranking.SCORE))
