"""How a batch is made up: who is drawn, who is ranked, who is asked again, and what two people see.

What belongs here: dividing the places of a batch. What does not: the ways of choosing (`sampling.py`, `diversity.py`,
`cold_start.py`), and where the pool comes from (`pool.py`).
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from include.names import Arm
from include.problems.sections.review import Review
from include.review.cold_start import choose_spread
from include.review.diversity import choose_diverse
from include.review.sampling import predictive_entropy

# The first model must be measured on something: of the built-in mails' first hundred labels, 50 drawn by chance let it
# past the gate a round later than 70 did.
COLD_START_RANDOM_SHARE = 0.7


@dataclass(frozen=True)
class Candidate:
    """An item that could be asked, and what the newest model said about it.

    Attributes:
        item_id: row key in the lake.
        partition_key: the data's own time.
        p_positive: 0..1; None where no model has scored it.
        score: what the strategy ranks it by; None at the cold start.
    """

    item_id: str
    partition_key: str
    p_positive: float | None = None
    score: float | None = None


@dataclass(frozen=True)
class Pool:
    """The items nobody has labelled or is looking at: how many, and those that this batch may meet.

    Attributes:
        n_pool: all of them.
        drawn: some, in an order that chance alone decided; at least a budget of them where there are so many.
        shortlist: those the strategy thinks most of, best first; without a model some drawn by chance.
        vectors: shape (n_shortlist, n_dimensions): what the shortlisted items are about.
        near_distance: items whose vectors are nearer than this are one question.
        model_version: model that scored; None at the cold start.
        snapshot_id: Iceberg snapshot of its scores; None at the cold start.
    """

    n_pool: int
    drawn: Sequence[Candidate]
    shortlist: Sequence[Candidate]
    vectors: NDArray[np.float64]
    near_distance: float
    model_version: str | None
    snapshot_id: str | None = None


@dataclass(frozen=True)
class Again:
    """An item that was answered before and may be asked again.

    Attributes:
        gold_label: its known answer, where the question tests people; None where it is the answer that is doubted.
        reason: why the answer is doubted, or missing; None for gold.
    """

    item_id: str
    partition_key: str
    gold_label: str | None = None
    reason: str | None = None


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


def plan_batch(
    pool: Pool, review: Review, gold: Sequence[Again], doubted: Sequence[Again], rng: np.random.Generator
) -> list[Choice]:
    """Choose the items of one batch, in the order in which people see them.

    The control arm is drawn from the whole pool before anything else, so that its items stand for the pool; a varied
    choice of the shortlist follows, or at the cold start what is typical and what is odd. Where the shortlist has too
    few items, the control arm takes their places. All are mixed: the place in the batch must not tell a reviewer why an
    item is there.

    Args:
        pool: what can be chosen.
        review: the problem's section: budget, strategy and shares.
        gold: items with known answers, in an order that chance decided.
        doubted: answered or escalated items to ask again, the most doubtful first.
        rng: the draw.

    Returns:
        at most `budget` choices; none when the pool is empty. `inclusion_probability` is n_random / n_pool in the
        control arm, n_gold / gold items in the gold arm, and 1 for what was ranked. Fewer than the budget only where
        the pool is small, chance has drawn shortlisted items or some that are asked again, or all that is left repeats
        what is in the batch.

    Raises:
        BadProbabilities: a probability is none.

    Source: ours; the control arm as in Settles 2009, section 7.
    """
    if pool.n_pool == 0:
        return []
    again = [*_ask_gold(gold, _count_down(review.budget, review.gold_share))]
    again += _ask_doubted(doubted, _count_down(review.budget, review.relabel_share))
    n_new = min(review.budget - len(again), pool.n_pool)
    share = review.random_share if pool.model_version else max(review.random_share, COLD_START_RANDOM_SHARE)
    n_random = min(n_new, max(count_random(n_new + len(again), share), n_new - len(pool.shortlist)))
    drawn = pool.drawn[:n_random]
    by_chance = {candidate.item_id for candidate in drawn}
    # What has no label yet may be drawn as well; chance comes first, or the control arm would not stand for the pool.
    again = [choice for choice in again if choice.item_id not in by_chance]
    taken = by_chance | {choice.item_id for choice in again}
    chosen = [_choice(candidate, Arm.RANDOM, n_random / pool.n_pool) for candidate in drawn]
    chosen += _choose_ranked(pool, taken, n_new - n_random, Arm(review.strategy), rng)
    chosen = _ask_two_people(chosen, count_random(len(chosen), review.overlap_share), rng) + again
    return [chosen[index] for index in rng.permutation(len(chosen))]


def seed_of(*parts: object) -> int:
    """Fold names and numbers into one seed that is the same on every machine."""
    return int.from_bytes(hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest(), "big")


def _choose_ranked(pool: Pool, taken: set[str], n_chosen: int, strategy: Arm, rng: np.random.Generator) -> list[Choice]:
    """Choose from the shortlist what chance has not drawn already."""
    rows = np.array([row for row, item in enumerate(pool.shortlist) if item.item_id not in taken], dtype=np.intp)
    if not rows.size or n_chosen <= 0:
        return []
    vectors = pool.vectors[rows]
    if pool.model_version is None:
        spread, outliers = choose_spread(vectors, n_chosen, rng, near_distance=pool.near_distance)
        arms = [(row, Arm.SPREAD) for row in rows[spread]] + [(row, Arm.OUTLIER) for row in rows[outliers]]
    else:
        scores = np.array([pool.shortlist[row].score for row in rows], dtype=np.float64)
        varied = choose_diverse(vectors, scores, n_chosen, rng, near_distance=pool.near_distance)
        arms = [(row, strategy) for row in rows[varied]]
    return [_choice(pool.shortlist[row], arm, 1.0) for row, arm in arms]


def _ask_gold(gold: Sequence[Again], n_wanted: int) -> list[Choice]:
    """Take the first gold items; their order is chance."""
    n_asked = min(n_wanted, len(gold))
    return [
        Choice(item.item_id, item.partition_key, Arm.GOLD, n_asked / len(gold), None, None, gold_label=item.gold_label)
        for item in gold[:n_asked]
    ]


def _ask_doubted(doubted: Sequence[Again], n_wanted: int) -> list[Choice]:
    """Take the most doubtful answers."""
    return [
        Choice(item.item_id, item.partition_key, Arm.RELABEL, 1.0, None, None, reason=item.reason)
        for item in doubted[:n_wanted]
    ]


def _ask_two_people(choices: list[Choice], n_overlap: int, rng: np.random.Generator) -> list[Choice]:
    """Let chance pick whom two people see, whatever arm chose it: agreement is measured on what people are asked."""
    twice = set(rng.choice(len(choices), size=n_overlap, replace=False).tolist()) if n_overlap else set()
    return [replace(choice, n_answers_wanted=2) if at in twice else choice for at, choice in enumerate(choices)]


def _choice(candidate: Candidate, arm: Arm, probability: float) -> Choice:
    """Write down one item with what was known about it."""
    p = candidate.p_positive
    entropy = None if p is None else float(predictive_entropy(np.array([[1.0 - p, p]]))[0])
    return Choice(
        candidate.item_id, candidate.partition_key, arm, probability, entropy, p, strategy_score=candidate.score
    )


def _count_down(n_batch: int, share: float) -> int:
    """Count a share of a batch, rounded down: who is asked again takes a place from somebody new."""
    return math.floor(Decimal(str(share)) * n_batch)
