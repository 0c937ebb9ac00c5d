"""How often what is said of experiments at every look, and of other policies, is true: stated and measured.

    python -m bench.experiments_bands

Each line draws experiments whose truth is known. Looks come after every one of 100 windows; one look that is wrong
makes an experiment wrong. Fails where one is wrong more often than stated, beyond what simulation brings in 999 of
1,000 runs.
"""

import sys
from collections.abc import Callable

import numpy as np

from bench.coverage import Claim, is_outside, report
from include.experiments.evaluation.cells import Cells, mean_reward_by_arm
from include.experiments.evaluation.estimators import Estimate, doubly_robust, inverse_propensity, self_normalised
from include.experiments.evaluation.overlap import measure_overlap
from include.stats.always_valid import always_valid_interval
from include.stats.ratio_sums import RatioSums, difference_interval, estimate_ratio

N_WINDOWS = 100
Test = Callable[[np.random.Generator], bool]


def looks(rates: list[float], n_window: int, level: float = 0.05) -> Test:
    """Compare every arm with the first after each window; the arms share the level."""

    def is_false(rng: np.random.Generator) -> bool:
        hits = np.array([rng.binomial(n_window, rate, N_WINDOWS).cumsum() for rate in rates])
        n = n_window * np.arange(1.0, N_WINDOWS + 1)
        seen = hits / n
        for arm in range(1, len(rates)):
            error = np.sqrt((seen[arm] * (1 - seen[arm]) + seen[0] * (1 - seen[0])) / n)
            alpha = level / (len(rates) - 1)
            low, high = always_valid_interval(seen[arm] - seen[0], error, 2 * n, alpha=alpha)
            truth = rates[arm] - rates[0]
            if ((low > truth) | (high < truth)).any():
                return True
        return False

    return is_false


def money_looks(n_window: int, sigma: float, n_arms: int = 2, level: float = 0.05) -> Test:
    """Compare every arm's skewed money with the first's after each window: one unit of ten buys, all arms alike."""

    def is_false(rng: np.random.Generator) -> bool:
        shape = (n_arms, N_WINDOWS, n_window)
        money = np.where(rng.random(shape) < 0.1, rng.lognormal(0.0, sigma, shape), 0.0)
        sums, squares = money.sum(axis=2).cumsum(axis=1), (money**2).sum(axis=2).cumsum(axis=1)
        n = n_window * np.arange(1.0, N_WINDOWS + 1)
        mean = sums / n
        variance = (squares / n - mean**2) / (n - 1)
        for arm in range(1, n_arms):
            error = np.sqrt(variance[arm] + variance[0])
            low, high = always_valid_interval(mean[arm] - mean[0], error, 2 * n, alpha=level / (n_arms - 1))
            if ((low > 0) | (high < 0)).any():
                return True
        return False

    return is_false


def money_once(n: int, sigma: float, *, is_ratio: bool = False) -> Test:
    """Ask the band of one look: money of a unit, or money of a purchase, with twice as many units in one arm."""

    def is_false(rng: np.random.Generator) -> bool:
        sides = []
        for n_side in (n, 2 * n):
            orders = rng.poisson(0.5 if is_ratio else 0.1, n_side).astype(np.float64)
            money = orders * rng.lognormal(0.0, sigma, n_side)
            m = orders if is_ratio else np.ones(n_side)
            sums = (money.sum(), m.sum(), money @ money, m @ m, money @ m)
            sides.append(estimate_ratio(RatioSums(n_side, *map(float, sums))))
        return is_outside(difference_interval(sides[0], sides[1], 0.05) or (-np.inf, np.inf), 0.0)

    return is_false


def draw_log(rng: np.random.Generator, n: int) -> tuple[Cells, float]:
    """Draw a log of two kinds of units with propensities of 0.1 to 0.6, and what the policy really earns."""
    kind = rng.integers(0, 2, n)
    propensities = np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])[kind]
    arm = (rng.random((n, 1)) > propensities.cumsum(axis=1)).sum(axis=1)
    rates, policy = np.array([[0.04, 0.05, 0.08], [0.06, 0.06, 0.1]]), np.array([[0.1, 0.2, 0.7], [0.1, 0.8, 0.1]])
    reward = (rng.random(n) < rates[kind, arm]).astype(np.float64)
    cells = Cells(arm, propensities[np.arange(n), arm], policy[kind], np.ones(n), reward, reward)
    return cells, float((rates * policy).sum(axis=1).mean())


def policy(estimator: str, n: int) -> Test:
    """Ask an interval of what another policy earns."""

    def is_false(rng: np.random.Generator) -> bool:
        cells, truth = draw_log(rng, n)
        if estimator == "weight":
            overlap = measure_overlap(cells)
            return is_outside((overlap.low_mean_weight, overlap.high_mean_weight), 1.0)
        model = mean_reward_by_arm(cells)
        found: Estimate = {
            "ips": lambda: inverse_propensity(cells),
            "snips": lambda: self_normalised(cells),
            "dr": lambda: doubly_robust(cells, model),
        }[estimator]()
        return is_outside((found.low, found.high), truth)

    return is_false


CLAIMS = (
    Claim("band at 100 looks, 10 and 12 %, 200 a window and arm", 0.05, 2_000, looks([0.1, 0.12], 200)),
    Claim("band at 100 looks, 5 and 5 %, 50 a window and arm", 0.05, 2_000, looks([0.05, 0.05], 50)),
    Claim("band at 100 looks, 0.5 and 0.7 %, 100 a window and arm", 0.05, 2_000, looks([0.005, 0.007], 100)),
    Claim("any of 3 equal arms claimed at 100 looks, 5 %, 100 a window", 0.05, 4_000, looks([0.05] * 3, 100)),
    Claim("any of 5 equal arms claimed at 100 looks, 5 %, 100 a window", 0.05, 2_000, looks([0.05] * 5, 100)),
    Claim("money at 100 looks, 1 of 10 buys, sigma 1, 100 a window and arm", 0.05, 1_000, money_looks(100, 1.0)),
    Claim("money at 100 looks, 1 of 10 buys, sigma 2, 100 a window and arm", 0.05, 1_000, money_looks(100, 2.0)),
    Claim("money of any of 4 arms at 100 looks, sigma 1, 50 a window", 0.05, 1_000, money_looks(50, 1.0, 4)),
    Claim("money at one look, 1 of 10 buys, sigma 1, 1,000 and 2,000 units", 0.05, 4_000, money_once(1_000, 1.0)),
    Claim("money of a purchase at one look, 1,000 and 2,000 units", 0.05, 4_000, money_once(1_000, 1.0, is_ratio=True)),
    Claim("ips of another policy, 2,000 units, 95 %", 0.05, 2_000, policy("ips", 2_000)),
    Claim("snips of another policy, 2,000 units, 95 %", 0.05, 2_000, policy("snips", 2_000)),
    Claim("dr of another policy, 2,000 units, 95 %", 0.05, 2_000, policy("dr", 2_000)),
    Claim("mean weight of true propensities is not 1, 2,000 units", 0.05, 2_000, policy("weight", 2_000)),
)


def main() -> int:
    """Put every claim to the test, print the table, and say by the exit code whether each holds."""
    return report(CLAIMS)


if __name__ == "__main__":
    sys.exit(main())
