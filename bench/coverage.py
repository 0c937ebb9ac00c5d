"""How often what states an uncertainty holds: stated and measured, side by side.

    python -m bench.coverage

Each line draws data whose truth is known, many times, and counts. A line is MISSED where the count lies outside of what
a true rate of the stated one would bring in 999 of 1,000 runs, towards more false than stated; to be surer than stated
is allowed. A line is known where it is false more often than stated on such data, and the documents say how often. The
same seed gives the same table. The small versions of these lines are tests.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import binom

from include.experiments.checks import check_sample_ratio
from include.experiments.lift import measure_lift
from include.learning.evaluation.fairness import CALIBRATION, SELECTION, fairness_by_group
from include.monitoring.drift import ColumnCounts, compare, unseen_by_chance
from include.review.metrics.prevalence import estimate_share
from include.stats.bootstrap import draw_blocks
from include.stats.column_bins import cut_numbers, place_numbers
from include.stats.proportions import clopper_pearson, holm, korn_graubard
from include.stats.reliability import calibration_error, error_by_chance, expected_calibration_error, sum_equal_count
from include.stats.wilson import wilson_interval

SEED = 2_013
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Claim:
    """One thing that is said with a certainty.

    Attributes:
        says: what, on which data.
        stated: how often it is false, 0..1.
        n_runs: how often it is put to the test.
        is_false: draws data, and says whether it was false of them.
        known: how often it is known to be false on such data, where that is more than stated; the documents say so.
    """

    says: str
    stated: float
    n_runs: int
    is_false: Callable[[np.random.Generator], bool]
    known: float = 0.0


def is_outside(ends: tuple[float | None, float | None], truth: float) -> bool:
    """Say whether an interval misses the truth; where nobody can say it misses nothing."""
    low, high = ends
    return low is not None and high is not None and not low <= truth <= high


def shares(interval: Callable[[int, int], tuple[float, float]], n_rows: int) -> Callable[[np.random.Generator], bool]:
    """Ask an interval of shares, each share as likely as any other."""

    def is_false(rng: np.random.Generator) -> bool:
        share = rng.random()
        return is_outside(interval(int(rng.binomial(n_rows, share)), n_rows), share)

    return is_false


def clusters(rng: np.random.Generator) -> bool:
    """Ask Korn and Graubard's interval of 30 households of 10, alike within, one in ten positive."""
    found = rng.binomial(10, rng.beta(0.5, 4.5, 30)) / 10
    ends = korn_graubard(float(found.mean()), float(found.var(ddof=1)) / 30, 300, 29)
    return is_outside(ends, 0.1)


def days(n_days: int, draw: Callable[[np.random.Generator, int], Floats]) -> Callable[[np.random.Generator], bool]:
    """Ask the mean of rows of days that share half their weather; days have between 5 and 60 rows."""

    def is_false(rng: np.random.Generator) -> bool:
        day = np.repeat(np.arange(n_days), rng.integers(5, 60, n_days))
        values = draw(rng, n_days)[day] + draw(rng, len(day))
        resamples = draw_blocks(day, rng)
        return is_outside(resamples.interval(float(values.mean()), resamples.mean(values)), 0.0)

    return is_false


def normal(rng: np.random.Generator, n: int) -> Floats:
    """Draw deviations with mean 0."""
    return rng.normal(size=n)


def skewed(rng: np.random.Generator, n: int) -> Floats:
    """Draw deviations with mean 0 and a long tail, as profits have."""
    return rng.exponential(size=n) - 1.0


def better_by_luck(rng: np.random.Generator) -> bool:
    """Claim to earn more, with 95 % certainty, where nothing differs: 12 days of one month."""
    day = np.repeat(np.arange(12), 40)
    values = rng.normal(size=12)[day] + rng.normal(size=480)
    resamples = draw_blocks(day, rng)
    return (resamples.probability_above(float(values.mean()), resamples.mean(values)) or 0.0) > 0.95


def control_arm(n_positive: int, n_rounds: int) -> Callable[[np.random.Generator], bool]:
    """Play rounds of 10 items by chance and 40 by doubt over 6,000, and estimate the share that is positive."""
    truth = np.arange(6_000) < n_positive

    def is_false(rng: np.random.Generator) -> bool:
        left, chosen, sizes = np.arange(len(truth)), [], []
        for index in range(n_rounds):
            sizes.append(left.size)
            drawn = rng.choice(left, 10, replace=False)
            rest = np.setdiff1d(left, drawn)
            doubtful = rest[np.argsort(-(truth[rest] + rng.normal(size=rest.size)))][:40]
            chosen += [(row, index, True) for row in drawn] + [(row, index, False) for row in doubtful]
            left = np.setdiff1d(rest, doubtful)
        rows, rounds, by_chance = (np.array(part) for part in zip(*chosen, strict=True))
        estimate = estimate_share(truth[rows], rounds, by_chance, np.array(sizes))
        return is_outside((estimate.low, estimate.high), float(truth.mean()))

    return is_false


def group_of_few_days(metric: str, *, is_difference: bool) -> Callable[[np.random.Generator], bool]:
    """Ask what is said of a group that has 3 of 30 days; nothing differs, and half of all rows are positive."""
    day = np.arange(1_200) // 40
    names = np.where(day < 3, "one", "others")
    truth = 0.5 if metric == SELECTION and not is_difference else 0.0

    def is_false(rng: np.random.Generator) -> bool:
        happened = rng.random(1_200) < expit(rng.normal(size=30))[day]
        found = fairness_by_group(names, happened, happened, np.full(1_200, 0.5), day)
        own = next(one for one in found if (one.group_value, one.metric) == ("one", metric))
        return is_outside((own.difference_low, own.difference_high) if is_difference else (own.low, own.high), truth)

    return is_false


def error_above_its_end(n_rows: int) -> Callable[[np.random.Generator], bool]:
    """Ask the upper end of the calibration error where the true one is 0.1."""

    def is_false(rng: np.random.Generator) -> bool:
        p = rng.uniform(0, 0.9, n_rows)
        return calibration_error(sum_equal_count(rng.random(n_rows) < p + 0.1, p)).high < 0.1

    return is_false


def faultless(n_rows: int, a: float, b: float) -> Callable[[np.random.Generator], bool]:
    """Hold a faultless model against the mark of chance; its probabilities follow a beta distribution."""
    p = np.random.default_rng(SEED).beta(a, b, n_rows)
    mark = error_by_chance(sum_equal_count(np.zeros(n_rows, dtype=np.bool_), p))

    def is_false(rng: np.random.Generator) -> bool:
        return expected_calibration_error(sum_equal_count(rng.random(n_rows) < p, p)) > mark

    return is_false


def passes_its_mark(here: Floats, there: Floats, figure: str) -> bool:
    """Compare a column of numbers with its reference, and see whether a figure is above its mark of chance."""
    bins = cut_numbers("x", there)
    sides = [
        ColumnCounts(
            np.bincount(place_numbers(bins, side), minlength=len(bins.names)),
            int(((side < bins.low) | (side > bins.high)).sum()),
        )
        for side in (here, there)
    ]
    found = vars(compare(bins, *sides))
    return bool((found[f"{figure}_ratio"] or 0.0) > (found[f"{figure}_chance_ratio"] or 0.0))


def stable_column(zeros: float, n_rows: int, n_reference: int, figure: str) -> Callable[[np.random.Generator], bool]:
    """Compare two draws of one column, a part of it zeros, and see whether a figure passes its mark of chance."""

    def is_false(rng: np.random.Generator) -> bool:
        there, here = (np.where(rng.random(n) < zeros, 0.0, rng.lognormal(0, 1, n)) for n in (n_reference, n_rows))
        return passes_its_mark(here, there, figure)

    return is_false


def new_categories(rng: np.random.Generator) -> bool:
    """Compare two draws of 400 categories, few common and many rare, and count those that are new."""
    weights = 1 / np.arange(1, 401) ** 1.1
    there, here = rng.multinomial(1_000, weights / weights.sum()), rng.multinomial(300, weights / weights.sum())
    return bool(here[there == 0].sum() / 300 > unseen_by_chance(300, 1_000, int((there == 1).sum())))


def right_split(expected: dict[str, float], n_units: int) -> Callable[[np.random.Generator], bool]:
    """Split units as the file says, and see whether it is called a mismatch at 0.05."""

    def is_false(rng: np.random.Generator) -> bool:
        split = rng.multinomial(n_units, list(expected.values()))
        return not check_sample_ratio(dict(zip(expected, map(int, split), strict=True)), expected, 0.05).is_pass

    return is_false


def lift(rng: np.random.Generator) -> bool:
    """Ask the interval of a difference of two shares, 5 % and 8 % of 300."""
    found = measure_lift(300, int(rng.binomial(300, 0.08)), 300, int(rng.binomial(300, 0.05)))
    return is_outside((found.low, found.high), 0.03)


def any_of_twenty(rng: np.random.Generator) -> bool:
    """Ask 20 questions to which the answer is no, and claim any at 0.05."""
    return bool((holm(rng.random(20)) <= 0.05).any())


CLAIMS = (
    Claim("Wilson, 40 rows, any share, 95 %", 0.05, 10_000, shares(wilson_interval, 40)),
    Claim("Clopper-Pearson, 40 rows, any share, 95 %", 0.05, 10_000, shares(clopper_pearson, 40)),
    Claim("Korn-Graubard, 30 households of 10, 95 %", 0.05, 10_000, clusters),
    Claim("control arm, 60 of 6,000 positive, 1 round, 95 %", 0.05, 1_000, control_arm(60, 1)),
    Claim("control arm, 60 of 6,000 positive, 8 rounds, 95 %", 0.05, 1_000, control_arm(60, 8)),
    Claim("control arm, 1,900 of 6,000 positive, 8 rounds, 95 %", 0.05, 1_000, control_arm(1_900, 8)),
    *(Claim(f"mean by block, {n} days, 95 %", 0.05, 4_000, days(n, normal)) for n in (3, 8, 19, 20, 60)),
    *(Claim(f"mean by block, {n} days, long tail, 95 %", 0.05, 4_000, days(n, skewed), 0.11) for n in (8, 20, 60)),
    Claim("earns more, not by luck, 12 days, 95 %", 0.05, 10_000, better_by_luck),
    Claim("rate of a group of 3 of 30 days, 95 %", 0.05, 2_000, group_of_few_days(SELECTION, is_difference=False)),
    Claim("difference of its rate, 95 %", 0.05, 2_000, group_of_few_days(SELECTION, is_difference=True)),
    Claim("difference of its calibration gap, 95 %", 0.05, 2_000, group_of_few_days(CALIBRATION, is_difference=True)),
    *(
        Claim(f"upper end of calibration error, {n:,} rows, 95 %", 0.05, 4_000, error_above_its_end(n))
        for n in (300, 3_000)
    ),
    Claim("calibration beyond chance, 300 rows", 0.001, 10_000, faultless(300, 1, 3)),
    Claim("calibration beyond chance, 3,000 rows, 1 % positive", 0.001, 10_000, faultless(3_000, 1, 99)),
    Claim("stability index beyond chance, 500 rows", 0.001, 10_000, stable_column(0.0, 500, 5_000, "psi")),
    Claim("stability index beyond chance, 92 % zeros", 0.001, 10_000, stable_column(0.92, 500, 5_000, "psi")),
    Claim("index of the 8 % that are not 0, beyond chance", 0.001, 10_000, stable_column(0.92, 500, 5_000, "psi_rest")),
    Claim("outside the range, beyond chance", 0.001, 10_000, stable_column(0.0, 500, 500, "unseen")),
    Claim("categories never seen, beyond chance", 0.001, 10_000, new_categories),
    Claim("sample ratio, 20 units of 99 : 1, 0.05", 0.05, 10_000, right_split({"a": 0.99, "b": 0.01}, 20)),
    Claim("sample ratio, 1,200 units of 1 : 1, 0.05", 0.05, 10_000, right_split({"a": 0.5, "b": 0.5}, 1_200)),
    Claim("lift, 300 and 300 units, 95 %", 0.05, 10_000, lift),
    Claim("any of 20 by Holm, 0.05", 0.05, 20_000, any_of_twenty),
)


def measure(claim: Claim) -> tuple[int, bool]:
    """Put one claim to the test.

    Returns:
        how often it was false, and whether that is no more than simulation error above what it states.
    """
    rng = np.random.default_rng(SEED)
    n_false = sum(bool(claim.is_false(rng)) for _ in range(claim.n_runs))
    return n_false, bool(binom.sf(n_false - 1, claim.n_runs, max(claim.stated, claim.known)) > 0.001)


def report(claims: tuple[Claim, ...]) -> int:
    """Print claims as they are tested; 1 where one is false more often than it says."""
    print("| what is said | false, stated, of 1,000 | false, measured, of 1,000 | runs | verdict |")
    print("|---|---|---|---|---|")
    worst = 0
    for claim in claims:
        n_false, is_held = measure(claim)
        found = 1_000 * n_false / claim.n_runs
        verdict = "MISSED" if not is_held else "known" if claim.known else "held"
        line = f"| {claim.says} | {1_000 * claim.stated:g} | {found:.1f} | {claim.n_runs:,} | {verdict} |"
        print(line, flush=True)
        worst = max(worst, 0 if is_held else 1)
    return worst


def main() -> int:
    """Test every claim, print the table, and say by the exit code whether each held."""
    return report(CLAIMS)


if __name__ == "__main__":
    sys.exit(main())
