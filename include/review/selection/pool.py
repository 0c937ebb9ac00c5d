"""Reads what can still be chosen: published items of the lake that nobody has labelled or is looking at.

What belongs here: the relational work, on the engine; of millions of items only a few thousand leave it. What does not:
which of them are chosen (`selection/batch_plan.py`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from include.engine.predicates import add_predicates
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.errors import NotInLake, SnapshotExpired
from include.lake.reading import current_snapshot, open_events, open_rows
from include.names import PARTITION_KEY, ROW_KEY, Arm, events_table, predictions_table, ranking_table
from include.partition_keys import sort_key
from include.problems.schema import Problem
from include.problems.sections.learning import Features, Label, ModelName
from include.problems.sections.review import Route
from include.review.selection import class_scores, sql_ranking
from include.review.selection.batch_plan import Candidate, Pool
from include.review.selection.embeddings import describe_items, near_distance_of
from include.review.selection.heldout_gain import Fitted
from include.review.selection.value_of_information import value_matrix

P_POSITIVE = "p_positive"
MODEL_VERSION = "model_version"
# A variety can only be chosen from more than is wanted. On the built-in mails a shortlist of 12 to 25 % of the pool was
# best, and the whole pool was worse than none: what is certain crowds out what is not.
SHORTLIST_FACTOR = 50
SHORTLIST_SHARE = 0.15
SHORTLIST_LIMIT = 4_000
# Items drawn by chance that show what a pool is like, for each place of a batch.
SAMPLE_FACTOR, SMALLEST_SAMPLE, LARGEST_SAMPLE = 10, 1_000, 4_000
COVERED_LIMIT = 4_000  # labelled items that are known to cover others; of more, some by the hash of their key
TEXT_LIMIT = 1_000  # characters that say what a text is about
MAX_MEMBERS = 3
# Of one item: the probability of the positive class, its score, and, of several classes, the entropy over all.
Opinion = tuple[float | None, float | None, float | None]


@dataclass(frozen=True)
class Scores:
    """What one model says about the pool.

    Attributes:
        version: the newest fitted one.
        rows: row key, partition key and probability of each scored row; of several classes as `class_scores.widen`.
        snapshot_id: Iceberg snapshot that holds them.
        serving_version: the model that serves; None where none does.
    """

    version: str
    rows: ibis.Table
    snapshot_id: str
    serving_version: str | None


@dataclass(frozen=True)
class Scored:
    """Scored items with `_score`, the strategy's; `columns` hold the newest model's probabilities."""

    rows: ibis.Table
    columns: Sequence[str]


def read_pool(
    problem: Problem,
    partitions: Sequence[str],
    taken: Collection[str],
    *,
    budget: int,
    strategy: str,
    earlier_snapshots: Sequence[str] = (),
    versions: Mapping[str, Fitted] | None = None,
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
        versions: what is known of the fitted ones; one that is not in it counts as knowing nothing.
        seed: of the draw; the same seed and items give the same pool, in whatever order the rows lie.

    Returns:
        An item in two partitions counts once, in the earlier one.

    Raises:
        BadProbabilities: scores at the top of the ranking are no probabilities.
    """
    items = _open_items(problem.name, partitions, taken)
    n_pool = count_items(problem.name, partitions, taken)
    scores = open_predictions(problem.name, partitions, class_scores.several_of(problem))
    drawn = draw_keys(items, budget, f"drawn {seed}")
    sample = draw_keys(items, sample_size(budget), f"shortlist {seed}")
    best: list[str] = []
    found: dict[str, Opinion] = {}
    if scores is not None:
        n_scored = int(open_engine().to_pyarrow(scores.rows.count()).as_py())
        said = _score(problem, partitions, scores.rows, strategy, earlier_snapshots)
        ranked = _rank(said, shortlist_size(budget, n_scored) + len(taken) + budget, n_scored)
        found = _opinions(ranked)
        best = [key for key in found if key not in taken][: shortlist_size(budget, n_scored)]
        found = _opinions(only_keys(said.rows, [*drawn, *sample]).to_pyarrow()) | found
    covered = sorted(taken, key=sql_ranking.hash_key)[:COVERED_LIMIT]
    rows = read_items(problem, partitions, {*drawn, *best, *sample, *covered}).set_index(ROW_KEY)
    # A score may be left of a row that was withdrawn since; nobody can be asked about it.
    best, covered = ([key for key in keys if key in rows.index] for keys in (best, covered))
    others = [key for key in sample if key not in set(best)]
    fitted = (versions or {}).get(scores.version) if scores else None
    vectors = _describe(problem, rows, seed, [fitted.model_name] if fitted else [])
    return Pool(
        n_pool=n_pool,
        drawn=[_candidate(key, rows[PARTITION_KEY][key], found) for key in drawn],
        shortlist=[_candidate(key, rows[PARTITION_KEY][key], found) for key in [*best, *others]],
        vectors=vectors[_places(rows, [*best, *others])],
        near_distance=_near_distance(problem, rows),
        model_version=scores.version if scores else None,
        snapshot_id=scores.snapshot_id if scores else None,
        serving_version=scores.serving_version if scores else None,
        n_best=len(best),
        drawn_vectors=vectors[_places(rows, drawn)],
        covered=vectors[_places(rows, covered)],
        gain=fitted.gain if fitted else 0.0,
    )


def sample_size(budget: int) -> int:
    """Say how many items drawn by chance show what a pool is like: ten for each place, from 1,000 to 4,000."""
    return min(max(SAMPLE_FACTOR * budget, SMALLEST_SAMPLE), LARGEST_SAMPLE)


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


def read_items(problem: Problem, partitions: Sequence[str], keys: Collection[str]) -> pd.DataFrame:
    """Read what items are about: their feature columns, texts cut to their beginnings.

    Returns:
        one row for each key that is published: `_row_key`, `_partition_key` (the earliest), and the feature columns
        that the lake has.
    """
    table = only_keys(open_events(problem, partitions), keys)
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
    problem: str, partitions: Sequence[str], before: tuple[str, str, float], now: tuple[str, str, float]
) -> class_scores.Changed | None:
    """Compare the decisions of two rounds' models over the pool.

    Args:
        before, now: the Iceberg snapshot of the scores, the model that gave them, and the threshold from which on a
            positive is acted on.

    Returns:
        of the items scored by both how many there are, and the share whose decision differs; None where a snapshot is
        gone or nothing is shared.
    """
    tables = []
    for name, (snapshot, version, threshold) in (("before", before), ("now", now)):
        try:
            rows = _open_snapshot(problem, partitions, snapshot)
        except (NotInLake, SnapshotExpired):  # what cannot be compared stops nothing
            return None
        newest = rows.filter(rows[MODEL_VERSION] == version)
        tables.append(newest.select(ROW_KEY, PARTITION_KEY, **{name: newest[P_POSITIVE] >= threshold}))
    both = tables[0].inner_join(tables[1], [ROW_KEY, PARTITION_KEY])
    return class_scores.count_changed(both, both["before"] != both["now"])


def read_change_of_classes(
    problem: str, partitions: Sequence[str], before: tuple[str, str], now: tuple[str, str], label: Label
) -> class_scores.Changed | None:
    """Compare what two rounds' models of several classes take the pool for.

    Args:
        before, now: the Iceberg snapshot of the scores, and the model that gave them.

    Returns:
        of the items scored by both how many there are, and the share whose answer differs; None where a snapshot is
        gone or nothing is shared.
    """
    try:
        opened = [(_open_snapshot(problem, partitions, snapshot), version) for snapshot, version in (before, now)]
    except (NotInLake, SnapshotExpired):  # what cannot be compared stops nothing
        return None
    first, second = (rows.filter(rows[MODEL_VERSION] == version) for rows, version in opened)
    return class_scores.share_changed(first, second, label)


def count_items(problem: str, partitions: Sequence[str], taken: Collection[str]) -> int:
    """Count the published items that are not taken, each once."""
    return int(open_engine().to_pyarrow(_open_items(problem, partitions, taken).count()).as_py()) if partitions else 0


def _open_items(problem: str, partitions: Sequence[str], taken: Collection[str]) -> ibis.Table:
    """Open the keys of what can be asked, each once."""
    items = open_rows(events_table(problem), partitions).select(ROW_KEY)
    if taken:
        items = items.anti_join(_keys(taken), ROW_KEY)
    return items.distinct()


def draw_keys(items: ibis.Table, n_drawn: int, salt: str) -> list[str]:
    """Draw keys by chance alone: the first by a salted hash, which no property of an item can know."""
    salted = (items[ROW_KEY] + f"|{salt}").hexdigest("md5")
    return list(open_engine().to_pyarrow(items.order_by(salted).limit(n_drawn))[ROW_KEY].to_pylist())


def _score(
    problem: Problem,
    partitions: Sequence[str],
    predictions: ibis.Table,
    strategy: str,
    earlier_snapshots: Sequence[str],
) -> Scored:
    """Write what the strategy thinks of each scored item."""
    label = class_scores.several_of(problem)
    if label is not None:
        score = class_scores.score_of(predictions, strategy, label)
        return Scored(predictions.mutate(**{sql_ranking.SCORE: score}), class_scores.columns_of(label))
    columns = [P_POSITIVE]
    if strategy in (Arm.COMMITTEE, Arm.COMMITTEE_VOTES):
        for index, snapshot in enumerate(earlier_snapshots[: MAX_MEMBERS - 1]):
            try:
                member = _open_snapshot(problem.name, partitions, snapshot)
            except (NotInLake, SnapshotExpired):  # the committee is one smaller
                continue
            name = f"p_member_{index}"
            member = member.select(ROW_KEY, PARTITION_KEY, **{name: member[P_POSITIVE]})
            predictions = predictions.inner_join(member, [ROW_KEY, PARTITION_KEY])
            columns.append(name)
    members = [[1.0 - predictions[name], predictions[name]] for name in columns]
    values = value_matrix(problem.value) if problem.value else None
    score = sql_ranking.score_expression(strategy, members, values)
    return Scored(predictions.mutate(**{sql_ranking.SCORE: score}), [P_POSITIVE])


def _rank(said: Scored, n_read: int, n_scored: int) -> pa.Table:
    """Read the best-ranked; as many more are read as may have to be left out, instead of asking each about it."""
    ranked = sql_ranking.rank_rows(said.rows, said.rows[sql_ranking.SCORE], ROW_KEY, n_read)
    sql_ranking.require_ranked(ranked, [ROW_KEY, *said.columns], n_scored)
    return ranked


def open_predictions(problem: str, partitions: Sequence[str], label: Label | None = None) -> Scores | None:
    """Open what the newest fitted model says, whether it serves or not; None where nothing has ever been scored.

    Args:
        label: of several classes or labels; None where there are two sides.
    """
    serving = _newest_version(predictions_table(problem), partitions)
    ranking = _newest_version(ranking_table(problem), partitions)
    if serving is None and ranking is None:
        return None
    is_beside = ranking is not None and (serving is None or sort_key(ranking) > sort_key(serving))
    version, name = (ranking, ranking_table(problem)) if is_beside else (serving, predictions_table(problem))
    rows = open_rows(name, partitions)
    rows = rows.filter(rows[MODEL_VERSION] == version)
    said = rows.select(ROW_KEY, PARTITION_KEY, P_POSITIVE) if label is None else class_scores.widen(rows, label)
    return Scores(str(version), said, current_snapshot(name), serving)


def _newest_version(table_name: str, partitions: Sequence[str]) -> str | None:
    """Name the newest model that has scored one of some partitions; None where there is none."""
    try:
        found = open_rows(table_name, partitions)[MODEL_VERSION]
    except NotInLake:
        return None
    versions = open_engine().to_pyarrow(found.name(MODEL_VERSION).as_table().distinct())[MODEL_VERSION].to_pylist()
    return max(versions, key=sort_key, default=None)


def _open_snapshot(problem: str, partitions: Sequence[str], snapshot_id: str) -> ibis.Table:
    """Open the scores that an earlier batch was chosen from, in whichever table they are.

    Raises:
        NotInLake, SnapshotExpired: in neither.
    """
    try:
        return open_rows(predictions_table(problem), partitions, snapshot_id)
    except (NotInLake, SnapshotExpired):
        return open_rows(ranking_table(problem), partitions, snapshot_id)


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


def _describe(problem: Problem, rows: pd.DataFrame, seed: int, models: Sequence[ModelName]) -> NDArray[np.float64]:
    """Describe items by what the model reads of them; before there is one, by what any candidate would."""
    features = _known_features(problem, rows)
    if features is None:
        return np.zeros((len(rows), 1))
    candidates = problem.training.candidates if problem.training else []
    return describe_items(rows, features, seed % 2**31, models or candidates)


def _places(rows: pd.DataFrame, keys: Sequence[str]) -> NDArray[np.intp]:
    """Find the places of some keys in the index of the rows."""
    place_of = {key: place for place, key in enumerate(rows.index)}
    return np.array([place_of[key] for key in keys], dtype=np.intp)


def _near_distance(problem: Problem, rows: pd.DataFrame) -> float:
    """Say how near two items must be to be one question."""
    features = _known_features(problem, rows)
    return near_distance_of(features) if features else 0.0


def _candidate(key: str, partition_key: str, found: dict[str, Opinion]) -> Candidate:
    """Put together what is known of an item."""
    return Candidate(key, partition_key, *found.get(key, (None, None, None)))


def _opinions(rows: pa.Table) -> dict[str, Opinion]:
    """Read what the newest model says of each item, with the score of those that were ranked."""
    scores = rows[sql_ranking.SCORE].to_pylist() if sql_ranking.SCORE in rows.column_names else [None] * rows.num_rows
    nothing = [None] * rows.num_rows
    p = rows[P_POSITIVE].to_pylist() if P_POSITIVE in rows.column_names else nothing
    entropies = rows[class_scores.ENTROPY].to_pylist() if class_scores.ENTROPY in rows.column_names else nothing
    said = zip(p, scores, entropies, strict=True)
    return dict(zip(rows[ROW_KEY].to_pylist(), said, strict=True))
