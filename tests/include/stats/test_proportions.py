import numpy as np
import pytest
from scipy.stats import binom, binomtest
from statsmodels.stats.multitest import multipletests

from include.errors import BadCounts
from include.stats.proportions import clopper_pearson, effective_rows, holm, korn_graubard


@pytest.mark.parametrize(("n_hits", "n_rows"), [(0, 1), (1, 1), (0, 40), (40, 40), (3, 10), (812, 1_000)])
@pytest.mark.parametrize("confidence", [0.9, 0.95])
def test_the_interval_is_that_of_a_second_implementation(n_hits: int, n_rows: int, confidence: float):
    other = binomtest(n_hits, n_rows).proportion_ci(confidence, method="exact")
    assert clopper_pearson(n_hits, n_rows, confidence) == pytest.approx((other.low, other.high), abs=1e-12)


def test_the_exact_interval_holds_at_least_as_often_as_it_says_for_every_share():
    ends = np.array([clopper_pearson(n, 30) for n in range(31)])
    shares = np.linspace(0.001, 0.999, 199)
    holds = (ends[:, :1] <= shares) & (shares <= ends[:, 1:])
    coverage = (binom.pmf(np.arange(31)[:, None], 30, shares) * holds).sum(axis=0)
    assert coverage.min() >= 0.95


def test_rows_drawn_plainly_have_the_plain_interval():
    share, n = 0.2, 50
    assert korn_graubard(share, share * (1 - share) / n, n, n - 1) == pytest.approx(clopper_pearson(10, 50))


def test_a_variance_of_twice_as_much_leaves_half_the_rows():
    assert effective_rows(0.2, 2 * 0.16 / 50, 50) == pytest.approx(25)
    low, high = korn_graubard(0.2, 2 * 0.16 / 50, 50, 49)
    assert (low, high) == pytest.approx(clopper_pearson(5, 25))


def test_a_variance_known_from_few_blocks_widens_the_interval():
    few, many = korn_graubard(0.2, 0.0064, 50, 3), korn_graubard(0.2, 0.0064, 50, 49)
    assert few[0] < many[0] < many[1] < few[1]


def test_a_share_of_which_nothing_was_seen_is_not_certain():
    assert korn_graubard(0.0, 0.0, 40, 39) == pytest.approx(clopper_pearson(0, 40))


@pytest.mark.parametrize(("share", "n_rows"), [(1.2, 5), (0.5, 0), (float("nan"), 5)])
def test_what_is_no_share_has_no_interval(share: float, n_rows: int):
    with pytest.raises(BadCounts, match="no interval"):
        korn_graubard(share, 0.01, n_rows, 4)


@pytest.mark.parametrize("confidence", [0.95])
def test_clusters_that_hang_together_are_covered_as_stated(confidence: float):
    rng, n_clusters, size, n_held = np.random.default_rng(5), 30, 10, 0
    for _ in range(400):
        chances = rng.beta(0.5, 4.5, n_clusters)  # mean 0.1, alike within a cluster
        shares = rng.binomial(size, chances) / size
        variance = float(shares.var(ddof=1)) / n_clusters
        low, high = korn_graubard(float(shares.mean()), variance, n_clusters * size, n_clusters - 1, confidence)
        n_held += low <= 0.1 <= high
    assert binom.sf(400 - n_held - 1, 400, 1 - confidence) > 0.001  # not missed more often than stated


def test_holm_is_that_of_a_second_implementation_in_any_order():
    p = np.array([0.01, 0.04, 0.03, 0.005, 0.5, 0.03])
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])
    assert holm(p[::-1]) == pytest.approx(holm(p)[::-1])


def test_holm_of_nothing_is_nothing_and_of_one_is_itself():
    assert holm(np.empty(0)).tolist() == []
    assert holm(np.array([0.2])).tolist() == [0.2]


def test_a_p_value_above_one_is_refused():
    with pytest.raises(BadCounts, match="1 of 2 p-values"):
        holm(np.array([0.2, 1.2]))
