import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import norm

from include.errors import BadCounts
from include.stats.always_valid import always_valid_interval

N_LOOKS = 100


def mixture(z: float, n: float, tuning: float, alpha: float = 0.05) -> float:
    """Average the likelihood ratio over effects drawn from a normal, by quadrature: the second implementation."""
    surprise = math.log(1 / alpha**2)
    rho = math.sqrt((surprise + math.log(1 + surprise)) / tuning)
    edge = 12 * max(rho, 1 / math.sqrt(n))
    top = z / math.sqrt(n)
    return float(
        quad(
            lambda effect: math.exp(effect * z * math.sqrt(n) - n * effect**2 / 2) * norm.pdf(effect, scale=rho),
            top - edge, top + edge, limit=500, points=[top, 0.0],
        )[0]
    )  # fmt: skip


@pytest.mark.parametrize("n", [40, 5_000, 1_000_000])
def test_the_band_ends_where_the_mixture_reaches_one_over_alpha(n: int):
    reach = brentq(lambda z: mixture(z, n, 2_000.0, 0.1) - 10.0, 0.5, 12.0)
    low, high = always_valid_interval(0.2, 0.05, n, alpha=0.1, tuning=2_000.0)
    assert (low, high) == pytest.approx((0.2 - 0.05 * reach, 0.2 + 0.05 * reach), abs=1e-6)


def test_the_band_is_narrowest_where_it_is_tuned():
    n = np.arange(100, 20_000, 10)
    low, high = always_valid_interval(np.zeros(len(n)), np.ones(len(n)) / np.sqrt(n), n, tuning=3_000.0)
    # Narrowest against a band for this look alone, whose width falls as 1 / sqrt(n).
    assert n[((high - low) * np.sqrt(n)).argmin()] == pytest.approx(3_000, rel=0.05)


def test_turning_the_difference_round_turns_the_band_round():
    low, high = always_valid_interval(0.03, 0.01, 400)
    assert always_valid_interval(-0.03, 0.01, 400) == (-high, -low)


def test_where_nothing_varied_yet_nothing_is_claimed():
    assert always_valid_interval(0.0, 0.0, 10) == (-math.inf, math.inf)


@pytest.mark.parametrize("bad", [(0.1, -1.0, 5.0), (float("nan"), 1.0, 5.0), (0.1, 1.0, 0.0)])
def test_one_bad_look_among_good_ones_is_refused_and_named(bad: tuple[float, float, float]):
    looks = np.array([(0.1, 0.2, 30.0), bad, (0.0, 0.1, 60.0)])
    with pytest.raises(BadCounts, match="1 of 3 looks have no band"):
        always_valid_interval(looks[:, 0], looks[:, 1], looks[:, 2])


@pytest.mark.parametrize(("alpha", "tuning"), [(0.0, 10.0), (1.0, 10.0), (0.05, 0.0)])
def test_a_level_or_tuning_that_no_band_has_is_refused(alpha: float, tuning: float):
    with pytest.raises(BadCounts, match="No band has alpha"):
        always_valid_interval(0.1, 0.1, 10, alpha=alpha, tuning=tuning)


def test_a_hundred_looks_are_wrong_no_more_often_than_one_is_said_to_be():
    rng, n_runs = np.random.default_rng(2_013), 2_000
    hits = rng.binomial(200, 0.1, size=(2, n_runs, N_LOOKS)).cumsum(axis=2)
    n = 200.0 * np.arange(1, N_LOOKS + 1)
    rates = hits / n
    error = np.sqrt((rates * (1 - rates)).sum(axis=0) / n)
    low, high = always_valid_interval(rates[1] - rates[0], error, 2 * n)
    is_wrong = ((low > 0) | (high < 0)).any(axis=1)
    # Binomial error at 0.05 of 2,000 runs is 0.005; looking at 1.96 standard errors each time is wrong in a third.
    assert is_wrong.mean() <= 0.05 + 3 * 0.005
    assert (np.abs(rates[1] - rates[0]) > 1.96 * error).any(axis=1).mean() > 0.3
