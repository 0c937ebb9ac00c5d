"""How a batch is made up: a random control arm first, the most uncertain of the rest after it.

What belongs here: dividing a pool between the arms. What does not: the two ways of choosing (`sampling.py`).
"""

import hashlib
import math
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from include.names import Arm
from include.review.sampling import choose_most_uncertain, choose_random, predictive_entropy


@dataclass(frozen=True)
class Pool:
    """The items nobody has labelled or is looking at, each array of shape (n_items,).

    Attributes:
        item_ids: row keys in the lake, unique.
        partition_keys: partition of each item.
        is_scored: whether the model has an opinion on the item; nowhere at the cold start.
        proba: shape (n_items, n_classes), read only where is_scored; the last class is the positive one.
        model_version: model that scored; None at the cold start.
    """

    item_ids: NDArray[np.str_]
    partition_keys: NDArray[np.str_]
    is_scored: NDArray[np.bool_]
    proba: NDArray[np.float64]
    model_version: str | None


@dataclass(frozen=True)
class Choice:
    """One item of a batch, and why it is in it; the columns of `core.review_item` that the plan decides."""

    item_id: str
    partition_key: str
    arm: str
    inclusion_probability: float
    entropy_nats: float | None
    p_positive: float | None
    strategy_score: float | None = None
    n_answers_wanted: int = 1
    gold_label: str | None = None
    skill: str | None = None
    is_sensitive: bool = False
    reason: str | None = None


def count_random(n_batch: int, random_share: float) -> int:
    """Count the control items of a batch, rounded up so that the share is never below what was asked.

    Args:
        n_batch: items in the batch.
        random_share: 0..1, read as it is written: 0.3 of 100 is 30, although the float 0.3 is a little less.

    Returns:
        at most n_batch.
    """
    return min(n_batch, math.ceil(Decimal(str(random_share)) * n_batch))


def plan_batch(pool: Pool, budget: int, random_share: float, rng: np.random.Generator) -> list[Choice]:
    """Choose the items of one batch, in the order in which people see them.

    The control arm is drawn from the whole pool before anything else, so that its items stand for the pool; the most
    uncertain of the rest follow. Where the model has scored fewer items than the ranking needs (none at all at the cold
    start), the control arm takes their places. The two arms are mixed: the place in the batch must not tell a reviewer
    why an item is there.

    Args:
        pool: what can be chosen.
        budget: items wanted, at least 1.
        random_share: smallest share of control items, 0..1.
        rng: the draw.

    Returns:
        min(budget, pool size) choices, fewer only when chance has drawn the last scored items. `inclusion_probability`
        is n_random / n_pool in the control arm, and 1 for the top of the ranking.

    Raises:
        BadProbabilities: a scored item's probabilities are not probabilities.

    Source: ours; the control arm as in Settles 2009, section 7.
    """
    n_pool = pool.item_ids.size
    n_batch = min(budget, n_pool)
    scored = np.flatnonzero(pool.is_scored)
    n_random = max(count_random(n_batch, random_share), n_batch - scored.size)
    drawn = choose_random(pool.item_ids, n_random, rng)
    entropy = np.full(n_pool, np.nan)
    entropy[scored] = predictive_entropy(pool.proba[scored])
    rest = np.setdiff1d(scored, drawn)
    ranked = rest[choose_most_uncertain(entropy[rest], pool.item_ids[rest], n_batch - n_random)]
    choices = [_choice(pool, entropy, int(row), Arm.RANDOM, n_random / n_pool) for row in drawn]
    choices += [_choice(pool, entropy, int(row), Arm.ENTROPY, 1.0) for row in ranked]
    return [choices[index] for index in rng.permutation(len(choices))]


def seed_of(*parts: object) -> int:
    """Fold names and numbers into one seed that is the same on every machine."""
    return int.from_bytes(hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest(), "big")


def _choice(pool: Pool, entropy: NDArray[np.float64], row: int, arm: str, probability: float) -> Choice:
    """Write down one item with what was known about it."""
    is_scored = bool(pool.is_scored[row])
    return Choice(
        item_id=str(pool.item_ids[row]),
        partition_key=str(pool.partition_keys[row]),
        arm=arm,
        inclusion_probability=probability,
        entropy_nats=float(entropy[row]) if is_scored else None,
        p_positive=float(pool.proba[row, -1]) if is_scored else None,
    )
