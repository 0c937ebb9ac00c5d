import numpy as np
import pytest
from scipy.stats import ttest_ind

from include.stats.ratio_sums import RatioSums, difference_interval
from include.stats.regression_adjustment import adjust_means


def sums_of(x, y):
    x, y = np.asarray(x, float), np.asarray(y, float)
    return RatioSums(len(y), y.sum(), x.sum(), (y * y).sum(), (x * x).sum(), (x * y).sum())


def draw(rng, n=300, effect=0.0, share=0.8):
    """Draw skewed spending before and after, of which `share` goes with what was before."""
    x = rng.gamma(1.0, 20.0, n)
    return x, share * x + rng.gamma(1.0, 5.0, n) + effect


def test_two_units_each_by_hand():
    # Inside of the groups y goes up by 2 where x goes up by 1: nothing is left but the difference at the same x.
    found = adjust_means({"a": sums_of([0, 1], [0, 2]), "b": sums_of([2, 3], [5, 7])})
    assert found.weight == 2.0
    assert {name: one.mean for name, one in found.means.items()} == {"a": 3.0, "b": 4.0}
    assert [one.variance for one in found.means.values()] == [0.0, 0.0]


def test_it_says_what_the_analysis_of_covariance_of_the_rows_says():
    rng = np.random.default_rng(7)
    parts = {name: draw(rng, n, effect) for name, n, effect in [("a", 400, 0.0), ("b", 150, 3.0), ("c", 250, -2.0)]}
    found = adjust_means({name: sums_of(*part) for name, part in parts.items()})
    arm = np.repeat(range(3), [len(x) for x, _ in parts.values()])
    x, y = (np.concatenate([part[place] for part in parts.values()]) for place in (0, 1))
    design = np.column_stack([np.ones(len(x)), arm == 1, arm == 2, x])
    _, in_b, in_c, weight = np.linalg.lstsq(design, y, rcond=None)[0]
    assert found.weight == pytest.approx(weight, rel=1e-9)
    assert found.means["b"].mean - found.means["a"].mean == pytest.approx(in_b, rel=1e-6)
    assert found.means["c"].mean - found.means["a"].mean == pytest.approx(in_c, rel=1e-6)
    left = {name: part[1] - found.weight * part[0] for name, part in parts.items()}
    ends = ttest_ind(left["b"], left["a"], equal_var=False).confidence_interval(0.95)
    assert difference_interval(found.means["b"], found.means["a"], 0.05) == pytest.approx(tuple(ends), rel=1e-6)


def test_the_order_of_groups_and_the_zero_of_x_make_no_difference():
    rng = np.random.default_rng(3)
    (x, y), (u, v) = draw(rng), draw(rng, effect=2.0)
    found = adjust_means({"a": sums_of(x, y), "b": sums_of(u, v)})
    turned = adjust_means({"b": sums_of(u + 100, v), "a": sums_of(x + 100, y)})
    for name in "ab":
        assert turned.means[name].mean == pytest.approx(found.means[name].mean, rel=1e-6)
        assert turned.means[name].variance == pytest.approx(found.means[name].variance, rel=1e-6)


@pytest.mark.parametrize("x", [0.0, 3.0, 1e6 / 3])
def test_where_nobody_differed_before_there_is_nothing_to_take_out(x):
    assert adjust_means({"a": sums_of([x] * 5, range(5)), "b": sums_of([x] * 4, range(4))}) is None


@pytest.mark.parametrize("sums", [{}, {"a": sums_of([1, 2], [1, 2]), "b": sums_of([1], [1])}])
def test_groups_of_fewer_than_two_units_are_not_adjusted(sums):
    assert adjust_means(sums) is None


def test_a_difference_of_groups_before_is_no_variation_inside_of_them():
    assert adjust_means({"a": sums_of([0, 0], [1, 2]), "b": sums_of([9, 9], [1, 2])}) is None


@pytest.mark.parametrize(("n", "share"), [(40, 0.8), (300, 0.8), (300, 0.0)])
def test_the_interval_holds_the_effect_as_often_as_it_says_and_is_no_wider(n, share):
    n_runs, held, widths = 2_000, 0, []
    rng = np.random.default_rng(11)
    for run in range(n_runs):
        control, variant = draw(rng, n, share=share), draw(rng, n, effect=1.0, share=share)
        sums = {"a": sums_of(*control), "b": sums_of(*variant)}
        found = adjust_means(sums)
        low, high = difference_interval(found.means["b"], found.means["a"], 0.05)
        held += low <= 1.0 <= high
        plain = ttest_ind(variant[1], control[1], equal_var=False).confidence_interval(0.95) if run < 50 else None
        if plain is not None:
            widths.append((high - low) / (plain.high - plain.low))
    error = np.sqrt(0.05 * 0.95 / n_runs)
    assert abs(held / n_runs - 0.95) < 3 * error
    # Four fifths of the spending before, against noise of 5: under a third of the width; without a share nothing.
    assert np.mean(widths) < (0.35 if share else 1.01)
