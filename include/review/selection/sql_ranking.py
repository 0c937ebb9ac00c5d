"""Ranks scored rows on the engine, so that only a shortlist of millions is ever held in memory.

What belongs here: the strategies as expressions over probability columns, and the first n rows by one. What does not:
their formulas on arrays, which tests compare these with (`tests/include/review/selection/oracles.py`).
"""

import hashlib
from collections.abc import Sequence
from functools import reduce
from itertools import combinations

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from include.engine.session import open_engine
from include.errors import BadProbabilities
from include.names import Arm
from include.stats.probabilities import TOLERANCE

SCORE = "_score"
TIE_BREAKER = "_tie_breaker"
N_MORE = 64  # rows read beyond those asked for: ties at the edge are nearly always settled among them

Member = Sequence[ir.NumericValue]  # one model's probability columns, one for each class


def score_expression(
    strategy: str, members: Sequence[Member], values: NDArray[np.float64] | None = None
) -> ir.NumericValue:
    """Write a strategy as an expression; the more a row is worth asking about, the higher.

    Args:
        strategy: an arm of `names.Arm` that is a strategy. A committee of one has nobody to disagree with, and ranks by
            entropy.
        members: the models' probability columns, the newest model first; all but a committee ask only that one.
        values: for expected_cost, shape (n_decisions, n_classes), in the problem's unit of value.

    Returns:
        a number for each row; infinite where the newest model's numbers are no probabilities, so that these come first
        and are refused (`require_ranked`), instead of being lost at the end.

    Raises:
        ValueError: expected_cost is asked for without `values`.
    """
    newest = members[0]
    if strategy == Arm.COMMITTEE and len(members) > 1:
        score = _divergence(members)
    elif strategy == Arm.COMMITTEE_VOTES and len(members) > 1:
        score = _vote_entropy(members)
    elif strategy == Arm.MARGIN:
        score = 1.0 - (_largest(newest) - _largest([ibis.least(a, b) for a, b in combinations(newest, 2)]))
    elif strategy == Arm.LEAST_CONFIDENCE:
        score = 1.0 - _largest(newest)
    elif strategy == Arm.EXPECTED_COST:
        score = _value_of_knowing(newest, values)
    else:
        score = -_sum([_x_log_x(p) for p in newest])
    is_probability = _all([(p >= -TOLERANCE) & (p <= 1.0 + TOLERANCE) for p in newest])
    is_distribution = is_probability & ((_sum(newest) - 1.0).abs() <= TOLERANCE)
    return ibis.ifelse(is_distribution.fill_null(False), score, float("inf"))


def rank_rows(rows: ibis.Table, score: ir.NumericValue, key: str, n_wanted: int) -> pa.Table:
    """Read the rows of the highest scores, highest first; equal scores are settled by a hash of the key.

    One pass reads the probabilities; the hash, which costs more than they do, is only asked of rows that are tied.

    Args:
        rows: what to rank.
        score: from `score_expression`, over `rows`.
        key: the column that tells rows apart.
        n_wanted: how many; all when there are fewer.

    Returns:
        the columns of `rows` and `_score`.
    """
    scored = rows.mutate(**{SCORE: score})
    engine = open_engine()
    top = engine.to_pyarrow(scored.order_by(scored[SCORE].desc()).limit(n_wanted + N_MORE))
    if top.num_rows > n_wanted > 0:
        edge = top[SCORE][n_wanted - 1].as_py()
        if top[SCORE][-1].as_py() == edge and top.num_rows == n_wanted + N_MORE:
            tied = scored.filter(scored[SCORE] == edge)
            tied = tied.order_by(tied[key].hexdigest("md5")).limit(n_wanted)
            top = pa.concat_tables([top.filter(pc.greater(top[SCORE], edge)), engine.to_pyarrow(tied)])
    hashes = pa.array([hash_key(value) for value in top[key].to_pylist()], pa.string())
    order = pc.sort_indices(
        top.append_column(TIE_BREAKER, hashes), sort_keys=[(SCORE, "descending"), (TIE_BREAKER, "ascending")]
    )
    return top.take(order[:n_wanted])


def hash_key(key: str) -> str:
    """Hash a key as the engine does, to an order that says nothing about the rows' place."""
    return hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()


def require_ranked(ranked: pa.Table, columns: Sequence[str], n_scored: int) -> None:
    """Refuse a ranking whose top is no probabilities.

    Raises:
        BadProbabilities: the message counts the bad rows that were seen and shows the first.
    """
    is_bad = pc.is_inf(ranked[SCORE])
    n_bad = pc.sum(is_bad).as_py() or 0
    if n_bad:
        worst = ranked.filter(is_bad).slice(0, 1).select(columns).to_pylist()[0]
        raise BadProbabilities(
            f"{n_bad} of the first {ranked.num_rows} rows in the ranking of {n_scored:,} have no probabilities "
            f"(worst: {worst}); allowed are numbers from 0 to 1. Score the partitions again with a model that gives "
            "probabilities; people keep the batch they have."
        )


def _value_of_knowing(member: Member, values: NDArray[np.float64] | None) -> ir.NumericValue:
    """Write the expected value of perfect information: knowing, less the best decision without it.

    Raises:
        ValueError: nothing says what an outcome is worth.
    """
    if values is None:
        raise ValueError("expected_cost needs the worth of each outcome")
    knowing = _sum([p * float(best) for p, best in zip(member, values.max(axis=0), strict=True)])
    decisions = [_sum([p * float(worth) for p, worth in zip(member, row, strict=True)]) for row in values]
    return knowing - _largest(decisions)


def _divergence(members: Sequence[Member]) -> ir.NumericValue:
    """Write the members' mean divergence from what they think on average."""
    n_members = len(members)
    consensus = [_sum(list(same)) / n_members for same in zip(*members, strict=True)]
    # mean over members of sum p ln p, less sum c ln c: the same as the mean of sum p ln (p / c).
    own = _sum([_x_log_x(p) for member in members for p in member]) / n_members
    return own - _sum([_x_log_x(c) for c in consensus])


def _vote_entropy(members: Sequence[Member]) -> ir.NumericValue:
    """Write how split the members' votes are; of classes that tie, a member votes for the first."""
    n_members = len(members)
    shares = []
    for label in range(len(members[0])):
        votes = [
            _all([member[label] > p for p in member[:label]] + [member[label] >= p for p in member[label + 1 :]])
            for member in members
        ]
        shares.append(_sum([vote.cast("float64") for vote in votes]) / n_members)
    return -_sum([_x_log_x(share) for share in shares])


def _x_log_x(p: ir.NumericValue) -> ir.NumericValue:
    """Write p ln p, which is 0 at 0."""
    return ibis.ifelse(p > 0, p * p.ln(), 0.0)


def _largest(numbers: Sequence[ir.NumericValue]) -> ir.NumericValue:
    return ibis.greatest(*numbers) if len(numbers) > 1 else numbers[0]


def _sum(numbers: Sequence[ir.NumericValue]) -> ir.NumericValue:
    return reduce(lambda a, b: a + b, numbers)


def _all(conditions: Sequence[ir.BooleanValue]) -> ir.BooleanValue:
    return reduce(lambda a, b: a & b, conditions)
