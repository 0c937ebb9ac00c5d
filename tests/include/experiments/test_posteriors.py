import math

import numpy as np
import pytest
from scipy.special import betaln
from scipy.stats import beta

from include.errors import BadExperiment
from include.experiments.posteriors import summarise_variants


def summarise(*pairs: tuple[int, int]):
    rewarded, mature = np.array(pairs, dtype=np.int64).T
    return summarise_variants(mature, rewarded)


def closed_form(first: tuple[int, int], second: tuple[int, int]) -> float:
    """P(second > first), Miller 2015: a finite sum for whole numbers."""
    (k1, n1), (k2, n2) = first, second
    a1, b1, a2, b2 = k1 + 1, n1 - k1 + 1, k2 + 1, n2 - k2 + 1
    i = np.arange(a2)
    return float(np.exp(betaln(a1 + i, b1 + b2) - np.log(b2 + i) - betaln(1 + i, b2) - betaln(a1, b1)).sum())


@pytest.mark.parametrize(
    ("first", "second"),
    [((0, 0), (0, 0)), ((3, 10), (5, 10)), ((79, 250), (95, 250)), ((0, 500), (1, 500)), ((50_000, 100_000), (3, 9))],
)
def test_two_variants_agree_with_the_closed_form(first, second):
    one, two = summarise(first, second)
    assert two.best_probability == pytest.approx(closed_form(first, second), abs=1e-10)
    assert one.best_probability == pytest.approx(1 - closed_form(first, second), abs=1e-10)


def test_nothing_known_is_an_even_chance_and_a_loss_worked_by_hand():
    # Two uniforms: E[max] = 2/3, so either loses 2/3 - 1/2.
    for posterior in summarise((0, 0), (0, 0)):
        assert posterior.best_probability == pytest.approx(0.5)
        assert posterior.expected_loss_ratio == pytest.approx(1 / 6)
        assert (posterior.mean_ratio, posterior.low, posterior.high) == pytest.approx((0.5, 0.025, 0.975))


def test_three_variants_agree_with_a_simulation_within_its_error():
    pairs, n_draws = ((30, 100), (36, 100), (35, 90)), 400_000
    rng = np.random.default_rng(5)
    draws = np.array([rng.beta(1 + k, 1 + n - k, n_draws) for k, n in pairs])
    is_best = draws.argmax(axis=0)
    for index, posterior in enumerate(summarise(*pairs)):
        lost = draws.max(axis=0) - draws[index]
        assert posterior.best_probability == pytest.approx(np.mean(is_best == index), abs=5 * math.sqrt(0.25 / n_draws))
        assert posterior.expected_loss_ratio == pytest.approx(lost.mean(), abs=5 * lost.std() / math.sqrt(n_draws))


def test_the_mean_and_the_interval_are_those_of_the_beta_distribution():
    posterior = summarise((30, 100), (1, 2))[0]
    assert posterior.mean_ratio == pytest.approx(31 / 102)
    assert (posterior.low, posterior.high) == pytest.approx(tuple(beta.ppf([0.025, 0.975], 31, 71)))
    assert (posterior.n_mature, posterior.n_rewarded) == (100, 30)


def test_chances_of_being_best_sum_to_one_however_different_the_sums():
    for pairs in [((0, 10**7), (10**7, 10**7), (5, 10)), ((1, 10**6), (1, 10**6), (2, 10**6)), ((0, 1),) * 8]:
        assert sum(posterior.best_probability for posterior in summarise(*pairs)) == pytest.approx(1, abs=1e-9)


def test_counting_failures_instead_of_rewards_mirrors_the_ranks():
    pairs = ((30, 100), (45, 100))
    plain, mirrored = summarise(*pairs), summarise(*((n - k, n) for k, n in pairs))
    assert plain[0].best_probability == pytest.approx(mirrored[1].best_probability, abs=1e-12)
    assert plain[0].expected_loss_ratio == pytest.approx(mirrored[1].expected_loss_ratio, abs=1e-12)


def test_renaming_the_variants_changes_nothing():
    pairs = [(30, 100), (36, 100), (35, 90)]
    plain, turned = summarise(*pairs), summarise(*pairs[::-1])
    for one, other in zip(plain, turned[::-1], strict=True):
        assert one.best_probability == pytest.approx(other.best_probability, abs=1e-12)


def test_more_rewards_than_units_are_refused_and_the_variant_is_named():
    with pytest.raises(BadExperiment, match=r"1 of 3 variants.*variant 1, 11 of 10"):
        summarise((3, 10), (11, 10), (4, 10))


def test_one_variant_alone_cannot_be_the_best():
    with pytest.raises(BadExperiment, match="at least 2"):
        summarise((3, 10))
