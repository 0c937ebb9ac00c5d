"""The check of intervals that a model of a quantity meets beside those of every model.

What does not belong here: earning more, leaks and protected groups (`evaluation/gate_checks.py`).
"""

import numpy as np

from include.learning.checks import Check
from include.learning.metrics import estimate_mean
from include.learning.protocols import Probabilities
from include.learning.quantity.levels import Answers, Levels
from include.stats.bootstrap import Resamples

# Of intervals that hold 90 of 100, five fewer are allowed, of a first model and of a challenger alike.
COVERAGE_BOUND = 0.05


def check_coverage(actual: Probabilities, answers: Answers, levels: Levels, resamples: Resamples) -> Check:
    """Ask whether intervals hold as many rows as they say; more is no fault of the model's, only a width that costs.

    It fails where it is sure that they hold fewer than the stated share less the bound: an unusual month alone refuses
    nobody.

    Args:
        actual: shape (n_rows,), what came.
        answers: of the model.
        levels: what is stated.
        resamples: of the rows, whole days at a time.
    """
    is_held = answers.is_held(actual).astype(np.float64)
    seen = estimate_mean(is_held, resamples)
    least = levels.interval - COVERAGE_BOUND
    high = seen.value if seen.high is None else seen.high
    between = "no interval" if seen.low is None else f"95 % interval {seen.low:.3f} to {high:.3f}"
    sentence = (
        f"Of 100 held-out rows {100 * seen.value:.1f} lie within their interval ({between}, {len(actual):,} rows, "
        f"{resamples.method}); stated are {100 * levels.interval:g}, and it must not be sure that they are fewer than "
        f"{100 * least:g}."
    )
    return Check("intervals_hold", high >= least, seen.value, least, sentence)
