"""How often what the gate states is true: intervals, luck, calibration, groups, weak segments, changes of champion.

    python -m bench.gate_coverage

Everything is simulated from a truth that is known, so that stated and measured can stand side by side. Rows come in
days that share most of what happens to them, as logs do. Prints one table; fails where a figure is worse than stated by
more than chance (one in a thousand).
"""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import expit, softmax
from scipy.stats import binom

from include.learning.calibration.selection import choose
from include.learning.evaluation import gate_checks
from include.learning.evaluation.error_slices import find_weak_segments
from include.learning.several.gate_checks import check_calibrated_classes, check_no_class_pays
from include.learning.several.targets import Targets
from include.problems.sections.learning import Gate, Protected
from include.stats.bootstrap import draw_blocks
from include.stats.reliability import calibration_error, sum_equal_count

N_RUNS, FEW_RUNS = 2_000, 200
N_CLASS_RUNS = 500
ROWS_A_DAY = 60


@dataclass(frozen=True)
class Claim:
    """One thing that the gate states.

    Attributes:
        what: in words.
        stated: how often it may be wrong, 0..1.
        n_runs: simulated worlds.
        is_wrong: simulates one world, and says whether the claim failed in it.
    """

    what: str
    stated: float
    n_runs: int
    is_wrong: Callable[[np.random.Generator], bool]


def make_days(n_days: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Make what rows of some days earn, 0 on average; half of it is the same for all rows of a day."""
    days = np.repeat(np.arange(n_days), ROWS_A_DAY)
    return rng.normal(size=n_days)[days] + rng.normal(size=len(days)), days


def misses_the_truth(n_days: int, rng: np.random.Generator) -> bool:
    """Say whether the 95 % interval of what is earned leaves out the truth, 0."""
    profit, days = make_days(n_days, rng)
    gain = gate_checks.compare(profit, np.zeros(len(profit)), draw_blocks(days, rng))
    return gain.low is None or gain.high is None or not gain.low <= 0 <= gain.high


def is_promoted_by_luck(n_days: int, rng: np.random.Generator) -> bool:
    """Say whether a first model that earns nothing passes for earning more, not by luck."""
    profit, days = make_days(n_days, rng)
    return gate_checks.check_earns_more("rule", profit, np.zeros(len(profit)), draw_blocks(days, rng), "won").is_pass


def replaces_its_equal(n_days: int, rng: np.random.Generator) -> bool:
    """Say whether a model that is as good as the champion takes its place."""
    profit, days = make_days(n_days, rng)
    zeros = np.zeros(len(profit))
    resamples = draw_blocks(days, rng)
    return gate_checks.check_earns_more_than_champion(profit, zeros, resamples, "won", "v1", zeros, Gate()).is_pass


def refuses_a_better_model(tolerance: float, rng: np.random.Generator) -> bool:
    """Say whether a model that is a little better in each of 20 groups is refused for one of them."""
    groups = np.repeat(np.arange(20), 100)
    profit = 0.075 + rng.normal(size=len(groups))
    return not _passes_groups(profit, groups, tolerance, rng)


def lets_a_group_pay(tolerance: float, loss: float, rng: np.random.Generator) -> bool:
    """Say whether a model passes by which one group of 20 loses."""
    groups = np.repeat(np.arange(20), 100)
    profit = np.where(groups == 7, -loss, 0.075) + rng.normal(size=len(groups))
    return _passes_groups(profit, groups, tolerance, rng)


def _passes_groups(profit: np.ndarray, groups: np.ndarray, tolerance: float, rng: np.random.Generator) -> bool:
    """Ask the gate about groups; each row is a block of its own."""
    checks = gate_checks.check_segments(
        pd.Series(groups.astype(str)),
        profit,
        np.zeros(len(profit)),
        draw_blocks(np.arange(len(profit)), rng, 1),
        Protected(column="group", tolerance=tolerance),
        "won",
        "v1",
        rng,
    )
    return all(check.is_pass for check in checks)


def passes_though_off(n_rows: int, rng: np.random.Generator) -> bool:
    """Say whether probabilities that are 0.1 off pass for at most 0.05."""
    p = rng.uniform(0.2, 0.7, n_rows)
    return gate_checks.check_calibrated(rng.random(n_rows) < p + 0.1, p, 0.05).is_pass


def is_above_its_upper_end(n_rows: int, rng: np.random.Generator) -> bool:
    """Say whether the true error, 0.1, lies above the end that is stated for it."""
    p = rng.uniform(0.2, 0.7, n_rows)
    return calibration_error(sum_equal_count(rng.random(n_rows) < p + 0.1, p)).high < 0.1


def finds_a_weak_segment(n_days: int, rng: np.random.Generator) -> bool:
    """Say whether a segment is called weak where days are unlike, and segments are not."""
    days = np.repeat(np.arange(n_days), 40)
    loss = rng.exponential(0.3, n_days)[days] + rng.exponential(0.2, len(days))
    weather = rng.normal(size=n_days)[days]
    rain = np.where(rng.random(n_days) < 0.8, 0.0, rng.exponential(1.0, n_days))[days]
    frame = pd.DataFrame({"weather": weather, "rain": rain, "hour": rng.integers(0, 24, len(days))})
    return any(segment.is_weak for segment in find_weak_segments(frame, loss, days))


def says_that_a_class_pays(n_days: int, rng: np.random.Generator) -> bool:
    """Say whether one of three classes is said to be predicted worse by a model that is as good as the champion.

    Both see the same odds through noise of the same size, half of it the same for all rows of a day; one class is rare.
    """
    days = np.repeat(np.arange(n_days), ROWS_A_DAY)
    odds = rng.normal(size=(len(days), 3)) + np.array([1.0, 0.0, -1.5])

    def look() -> np.ndarray:
        noise = rng.normal(0, 0.4, (n_days, 3))[days] + rng.normal(0, 0.4, odds.shape)
        return np.asarray(softmax(odds + noise, axis=1))

    happened = (softmax(odds, axis=1).cumsum(axis=1) < rng.random((len(days), 1))).sum(axis=1)
    targets = Targets(("common", "middle", "rare"), np.eye(3, dtype=np.bool_)[happened], False)
    checks = check_no_class_pays(targets, look(), look(), draw_blocks(days, rng), "v1")
    return not all(check.is_pass for check in checks)


def passes_though_a_class_is_off(n_rows: int, rng: np.random.Generator) -> bool:
    """Say whether a model of three classes passes for at most 0.05 although two of them are 0.1 off."""
    p = rng.dirichlet([6.0, 6.0, 6.0], n_rows)
    true = np.clip(p + np.array([0.1, -0.1, 0.0]), 0, 1)
    happened = (true.cumsum(axis=1) / true.sum(axis=1, keepdims=True) < rng.random((n_rows, 1))).sum(axis=1)
    targets = Targets(("a", "b", "c"), np.eye(3, dtype=np.bool_)[np.minimum(happened, 2)], False)
    return all(check.is_pass for check in check_calibrated_classes(targets, p, 0.05))


def learns_steps_by_heart(rng: np.random.Generator) -> bool:
    """Say whether isotonic steps are chosen for scores that are calibrated, of a single day."""
    p = expit(rng.normal(0, 1.5, 1_500))
    choices = choose({"m": p}, rng.random(1_500) < p, np.zeros(1_500, dtype=np.int64), "choose", int(rng.integers(1e6)))
    return any(choice.is_chosen and choice.calibration == "isotonic" for choice in choices)


def claims() -> list[Claim]:
    """List what is stated."""
    earned = "a first model that earns nothing passes"
    equal = "an equal model replaces the champion"
    refused = "a better model is refused for one of 20 groups"
    found = [
        Claim(f"95 % interval over {n} days leaves out the truth", 0.05, N_RUNS, partial(misses_the_truth, n))
        for n in (3, 6, 9, 15, 20, 30)
    ]
    found += [Claim(f"{earned}, {n} days", 0.025, N_RUNS, partial(is_promoted_by_luck, n)) for n in (6, 9, 30)]
    found += [Claim(f"{equal}, {n} days", 0.1, N_RUNS, partial(replaces_its_equal, n)) for n in (6, 30)]
    found += [
        Claim(f"{refused}, no margin", 0.05, FEW_RUNS, partial(refuses_a_better_model, 0.0)),
        Claim(f"{refused}, margin 0.5", 0.05, FEW_RUNS, partial(refuses_a_better_model, 0.5)),
        Claim(
            "a model passes by which one group loses its margin", 0.05, FEW_RUNS, partial(lets_a_group_pay, 0.5, 0.5)
        ),
        Claim("probabilities 0.1 off pass for 0.05, 300 rows", 0.1, N_RUNS, partial(passes_though_off, 300)),
        Claim("an error of 0.1 is above its upper end, 300 rows", 0.05, N_RUNS, partial(is_above_its_upper_end, 300)),
        Claim("isotonic steps win on calibrated scores of one day", 0.1, FEW_RUNS, learns_steps_by_heart),
    ]
    pays = "one of three classes is said to pay and none does"
    found += [Claim(f"{pays}, {n} days", 0.05, N_CLASS_RUNS, partial(says_that_a_class_pays, n)) for n in (9, 30)]
    off = "two of three classes 0.1 off pass for 0.05, 300 rows"
    found.append(Claim(off, 0.1, N_RUNS, partial(passes_though_a_class_is_off, 300)))
    weak = "a segment is called weak and none is"
    found += [Claim(f"{weak}, {n} days", 0.05, FEW_RUNS, partial(finds_a_weak_segment, n)) for n in (6, 30)]
    return found


def main() -> int:
    """Measure every claim; return 1 where one does not hold."""
    print("| claim | stated | measured | worlds | verdict | seconds |\n|---|---|---|---|---|---|")
    is_missed = False
    for place, claim in enumerate(claims()):
        started, rng = time.perf_counter(), np.random.default_rng([2026, place])
        n_wrong = sum(claim.is_wrong(rng) for _ in range(claim.n_runs))
        is_met = n_wrong <= binom.ppf(0.999, claim.n_runs, claim.stated)
        is_missed |= not is_met
        seconds = time.perf_counter() - started
        print(
            f"| {claim.what} | {claim.stated:.3f} | {n_wrong / claim.n_runs:.3f} | {claim.n_runs:,} | "
            f"{'met' if is_met else 'missed'} | {seconds:.1f} |",
            flush=True,
        )
    return int(is_missed)


if __name__ == "__main__":
    sys.exit(main())
