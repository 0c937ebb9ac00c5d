"""When more labels change nothing any more.

What belongs here: the rule. What does not: comparing two models' decisions over the pool (`selection/pool.py`).
"""

from collections.abc import Sequence

from include.problems.sections.review import Stop
from include.stats.proportions import clopper_pearson


def reason_to_stop(change_ratios: Sequence[float | None], stop: Stop | None, n_compared: int) -> str | None:
    """Say that the last rounds' labels changed too few decisions for another round, or None.

    Args:
        change_ratios: for each comparison of a round's model with the one before, oldest first, the share of the pool
            whose decision changed, 0..1; None where it is not known, which never stops anything.
        stop: the problem's rule; None asks on until `max_rounds`.
        n_compared: items whose decisions the newest two models were compared on, above 0.

    Returns:
        a sentence with the largest share seen, and how many decisions about other items like these would change at most
        (97.5 % certain); None where another round is due.

    Source: stabilising predictions, Bloodgood and Vijay-Shanker 2009; the share instead of their kappa is ours: it is
        what the owner of a problem can put a number on.
    """
    if stop is None or len(change_ratios) < stop.rounds:
        return None
    latest = change_ratios[-stop.rounds :]
    known = [ratio for ratio in latest if ratio is not None and ratio < stop.change_below]
    if len(known) < stop.rounds:
        return None
    _, at_most = clopper_pearson(max(known) * n_compared, n_compared)
    return (
        f"the labels of the last {stop.rounds} rounds changed at most {max(known):.2%} of the decisions about "
        f"{n_compared:,} items, fewer than the {stop.change_below:.2%} of review.stop; of decisions about new "
        f"items like these they would change at most {at_most:.2%}"
    )
