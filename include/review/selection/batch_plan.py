"""How a batch is made up: who is drawn, who is ranked, who is asked again, and what two people see.

What belongs here: dividing the places of a batch. What does not: the ways of choosing (`selection/uncertainty.py`,
`selection/diversity.py`, `selection/cold_start.py`), and where the pool comes from (`selection/pool.py`).
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from include.names import Arm
from include.problems.sections.review import Review
from include.review.batches.choice import Choice
from include.review.selection.cold_start import choose_spread
from include.review.selection.covering import choose_covering, weigh_uncertainty
from include.review.selection.uncertainty import predictive_entropy

# The first model must be measured on something: of the built-in mails' first hundred labels, 50 drawn by chance let it
# past the gate a round later than 70 did.
COLD_START_RANDOM_SHARE = 0.7

Item = TypeVar("Item", "Candidate", "Again")


@dataclass(frozen=True)
class Candidate:
    """An item that could be asked, and what the newest model said about it.

    Attributes:
        item_id: row key in the lake.
        partition_key: the data's own time.
        p_positive: 0..1; None where no model has scored it.
        score: what the strategy ranks it by; None at the cold start.
        entropy_nats: over several classes or labels; None where there are two sides.
    """

    item_id: str
    partition_key: str
    p_positive: float | None = None
    score: float | None = None
    entropy_nats: float | None = None


@dataclass(frozen=True)
class Pool:
    """The items nobody has labelled or is looking at: how many, and those that this batch may meet.

    Attributes:
        n_pool: all of them.
        drawn: some, in an order that chance alone decided; at least a budget of them where there are so many.
        shortlist: those the strategy thinks most of, best first, then some drawn by chance, which stand for the rest.
        vectors: shape (n_shortlist, n_dimensions): what the shortlisted items are about.
        near_distance: items whose vectors are nearer than this are one question.
        model_version: model that scored; None at the cold start.
        snapshot_id: Iceberg snapshot of its scores; None at the cold start.
        serving_version: model that serves, which need not be the one that scored; None where none does.
        n_best: how many of the shortlist the strategy ranked; 0 at the cold start.
        drawn_vectors: shape (n_drawn, n_dimensions): what those drawn by chance are about; None where nobody asked.
        covered: shape (n_labelled, n_dimensions): what was asked about before; None for nothing.
        gain: 0..1: how much better than the base rate the model is on rows it was not fitted on.
    """

    n_pool: int
    drawn: Sequence[Candidate]
    shortlist: Sequence[Candidate]
    vectors: NDArray[np.float64]
    near_distance: float
    model_version: str | None
    snapshot_id: str | None = None
    serving_version: str | None = None
    n_best: int = 0
    drawn_vectors: NDArray[np.float64] | None = None
    covered: NDArray[np.float64] | None = None
    gain: float = 0.0


@dataclass(frozen=True)
class Again:
    """An item that was answered before and may be asked again.

    Attributes:
        gold_label: its known answer, where the question tests people; None where it is the answer that is suspected to
            be wrong.
        reason: why the answer is suspected to be wrong, or missing; None for gold.
        is_for_others: whether who has answered it must not be asked.
    """

    item_id: str
    partition_key: str
    gold_label: str | None = None
    reason: str | None = None
    is_for_others: bool = False


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
    pool: Pool, review: Review, gold: Sequence[Again], relabels: Sequence[Again], rng: np.random.Generator
) -> list[Choice]:
    """Choose the items of one batch, in the order in which people see them.

    The control arm is drawn from the whole pool before anything else, so that its items stand for the pool; what covers
    the rest of it best follows, weighed by uncertainty as far as the model is to be believed, and at the cold start
    something odd. Where the shortlist has too few items, the control arm takes their places. All are mixed: the place
    in the batch must not tell a reviewer why an item is there.

    Args:
        pool: what can be chosen.
        review: the problem's section: budget, strategy and shares.
        gold: items with known answers, in an order that chance decided.
        relabels: answered or escalated items to ask again, the most suspicious first.
        rng: the draw.

    Returns:
        at most `budget` choices, no item twice; none when the pool is empty. `inclusion_probability` is
        n_random / n_pool in the control arm, n_gold / gold items in the gold arm, and 1 for what was ranked. Fewer than
        the budget only where the pool is small, chance has drawn shortlisted items or some that are asked again, or all
        that is left repeats what is in the batch.

    Raises:
        BadProbabilities: a probability is none.

    Source: ours; the control arm as in Settles 2009, section 7.
    """
    if pool.n_pool == 0:
        return []
    relabels = _once(relabels)
    # A suspected answer is no known answer: it would test people against a mistake.
    asked_again = {item.item_id for item in relabels}
    gold = [item for item in _once(gold) if item.item_id not in asked_again]
    again = _ask_gold(gold, _count_gold(review))
    n_relabels = _count_down(review.budget, review.relabel_share)
    again += [_ask(item, Arm.RELABEL, 1.0) for item in relabels[:n_relabels]]
    n_new = min(review.budget - len(again), pool.n_pool)
    share = review.random_share if pool.model_version else max(review.random_share, COLD_START_RANDOM_SHARE)
    n_random = min(n_new, max(count_random(n_new + len(again), share), n_new - len(pool.shortlist)))
    drawn = _once(pool.drawn)[:n_random]
    by_chance = {candidate.item_id for candidate in drawn}
    # What has no label yet may be drawn as well; chance comes first, or the control arm would not stand for the pool.
    again = [choice for choice in again if choice.item_id not in by_chance]
    taken = by_chance | {choice.item_id for choice in again}
    chosen = [_choice(candidate, Arm.RANDOM, len(drawn) / pool.n_pool) for candidate in drawn]
    chosen += _choose_ranked(pool, len(drawn), taken, n_new - n_random, Arm(review.strategy), rng)
    chosen = _ask_several_people(chosen, count_random(len(chosen), review.overlap_share), review, rng) + again
    return [chosen[index] for index in rng.permutation(len(chosen))]


def seed_of(*parts: object) -> int:
    """Fold names and numbers into one seed that is the same on every machine."""
    return int.from_bytes(hashlib.blake2b("\x1f".join(map(str, parts)).encode(), digest_size=8).digest(), "big")


def _choose_ranked(
    pool: Pool, n_drawn: int, taken: set[str], n_chosen: int, strategy: Arm, rng: np.random.Generator
) -> list[Choice]:
    """Choose from the shortlist what is not in the batch already; the control arm covers what is like it, too."""
    first_row = {item.item_id: row for row, item in reversed(list(enumerate(pool.shortlist)))}
    rows = np.array(sorted(row for item_id, row in first_row.items() if item_id not in taken), dtype=np.intp)
    if not rows.size or n_chosen <= 0:
        return []
    vectors = pool.vectors[rows]
    by_chance = None if pool.drawn_vectors is None else pool.drawn_vectors[:n_drawn]
    known = [part for part in (pool.covered, by_chance) if part is not None]
    covered = np.concatenate(known) if known else None
    stands_for = _items_stood_for(pool)[rows]
    if pool.model_version is None:
        spread, outliers = choose_spread(
            vectors, stands_for, n_chosen, rng, covered=covered, near_distance=pool.near_distance
        )
        arms = [(row, Arm.SPREAD) for row in rows[spread]] + [(row, Arm.OUTLIER) for row in rows[outliers]]
    else:
        scores = np.array([pool.shortlist[row].score for row in rows], dtype=np.float64)
        weights = weigh_uncertainty(scores, stands_for, pool.gain)
        covering = choose_covering(vectors, weights, n_chosen, covered=covered, near_distance=pool.near_distance)
        arms = [(row, strategy if pool.gain > 0 else Arm.SPREAD) for row in rows[covering]]
    return [_choice(pool.shortlist[row], arm, 1.0) for row, arm in arms]


def _items_stood_for(pool: Pool) -> NDArray[np.float64]:
    """Say how many items of the pool each of the shortlist stands for: the ranked for themselves, the rest by share."""
    n_others = len(pool.shortlist) - pool.n_best
    each = max(pool.n_pool - pool.n_best, n_others) / max(n_others, 1)
    return np.concatenate([np.ones(pool.n_best), np.full(n_others, each)])


def _ask_gold(gold: Sequence[Again], n_wanted: int) -> list[Choice]:
    """Take the first gold items; their order is chance."""
    n_asked = min(n_wanted, len(gold))
    return [_ask(item, Arm.GOLD, n_asked / len(gold)) for item in gold[:n_asked]]


def _ask(item: Again, arm: Arm, probability: float) -> Choice:
    """Write down an item that was answered before."""
    return Choice(
        item.item_id,
        item.partition_key,
        arm,
        probability,
        entropy_nats=None,
        p_positive=None,
        gold_label=item.gold_label,
        is_for_others=item.is_for_others,
        reason=item.reason,
    )


def _ask_several_people(
    choices: list[Choice], n_overlap: int, review: Review, rng: np.random.Generator
) -> list[Choice]:
    """Let chance pick what several people see, whatever arm chose it: agreement is of what people are asked."""
    twice = set(rng.choice(len(choices), size=n_overlap, replace=False).tolist()) if n_overlap else set()
    most = review.answers_if_split
    return [
        replace(choice, n_answers_wanted=review.overlap_answers, n_answers_most=most) if at in twice else choice
        for at, choice in enumerate(choices)
    ]


def _choice(candidate: Candidate, arm: Arm, probability: float) -> Choice:
    """Write down one item with what was known about it."""
    p = candidate.p_positive
    entropy = candidate.entropy_nats if p is None else float(predictive_entropy(np.array([[1.0 - p, p]]))[0])
    return Choice(
        candidate.item_id, candidate.partition_key, arm, probability, entropy, p, strategy_score=candidate.score
    )


def _count_gold(review: Review) -> int:
    """Count the gold items of a batch: its share, and one at least where that leaves a place for something new.

    A batch without a known answer could be answered by a machine that never reads it.
    """
    n_share = _count_down(review.budget, review.gold_share)
    n_relabel = _count_down(review.budget, review.relabel_share)
    n_left = review.budget - count_random(review.budget, review.random_share) - n_relabel
    return max(n_share, 1) if review.gold_share and n_left > 1 else n_share


def _once(items: Sequence[Item]) -> list[Item]:
    """Keep each item's first place."""
    return list({item.item_id: item for item in reversed(items)}.values())[::-1]


def _count_down(n_batch: int, share: float) -> int:
    """Count a share of a batch, rounded down: who is asked again takes a place from somebody new."""
    return math.floor(Decimal(str(share)) * n_batch)
