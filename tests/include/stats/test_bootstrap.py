import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from include.stats.bootstrap import MINIMUM_BLOCKS, draw_blocks, sum_by_block


def make_days(
    rng: np.random.Generator, n_days: int, n_per_day: int, mean: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of days that share half of their weather."""
    days = np.repeat(np.arange(n_days), n_per_day)
    return days, rng.normal(size=n_days)[days] + rng.normal(size=n_days * n_per_day)


def test_whole_blocks_are_drawn_never_rows():
    days, _ = make_days(np.random.default_rng(1), 25, 4)
    resamples = draw_blocks(days, np.random.default_rng(1))
    assert resamples.weights.shape == (2_000, 25)
    assert (resamples.weights.sum(axis=1) == 25).all()
    assert resamples.weights.dtype == np.float64


def test_means_of_resamples_are_those_of_the_drawn_rows():
    days, values = make_days(np.random.default_rng(2), 30, 3)
    resamples = draw_blocks(days, np.random.default_rng(3), n_resamples=5)
    for weights, mean in zip(resamples.weights, resamples.mean(values), strict=True):
        drawn = np.concatenate([values[days == day] for day in range(30) for _ in range(int(weights[day]))])
        assert mean == pytest.approx(drawn.mean())


def test_below_twenty_blocks_the_interval_of_a_mean_is_students_over_blocks():
    days, values = make_days(np.random.default_rng(4), 8, 5)
    resamples = draw_blocks(days, np.random.default_rng(1))
    means = values.reshape(8, 5).mean(axis=1)
    expected = stats.ttest_1samp(means, 0.0).confidence_interval(0.95)
    low, high = resamples.interval(float(values.mean()), resamples.mean(values))
    assert (low, high) == pytest.approx((expected.low, expected.high))
    p_value = stats.ttest_1samp(means, 0.0, alternative="greater").pvalue
    assert resamples.probability_above(float(values.mean()), resamples.mean(values)) == pytest.approx(1 - p_value)


@pytest.mark.parametrize("n_days", [5, 12, 19, 20, 40])
def test_an_interval_of_95_percent_holds_in_about_95_of_100(n_days: int):
    rng, n_held, n_runs = np.random.default_rng(n_days), 0, 300
    for _ in range(n_runs):
        days, values = make_days(rng, n_days, 20)
        resamples = draw_blocks(days, rng, n_resamples=400)
        low, high = resamples.interval(float(values.mean()), resamples.mean(values))
        n_held += low <= 0.0 <= high
    # Not fewer than 1 in 1,000 runs of a true 94 % would show; rows drawn singly hold in about 50.
    assert n_held >= stats.binom.ppf(0.001, n_runs, 0.94)


@pytest.mark.parametrize("n_days", [6, 25])
def test_a_claim_of_being_above_is_false_as_often_as_stated(n_days: int):
    rng, n_false, n_runs = np.random.default_rng(n_days), 0, 400
    for _ in range(n_runs):
        days, values = make_days(rng, n_days, 10)
        resamples = draw_blocks(days, rng, n_resamples=400)
        n_false += resamples.probability_above(float(values.mean()), resamples.mean(values)) > 0.9
    assert stats.binom.cdf(n_false, n_runs, 0.1) < 0.999


def test_of_a_single_block_nobody_can_say():
    resamples = draw_blocks(np.zeros(50, dtype=np.int64), np.random.default_rng(1))
    assert resamples.interval(1.0, resamples.mean(np.ones(50))) == (None, None)
    assert resamples.probability_above(1.0, resamples.mean(np.ones(50))) is None
    assert resamples.method == "1 block: nobody can say"


def test_a_measure_that_one_block_alone_carries_has_no_interval():
    days = np.repeat(np.arange(5), 4)
    is_asked = days == 2
    resamples = draw_blocks(days, np.random.default_rng(1))
    means = resamples.mean_where(np.ones(20), is_asked)
    assert np.isnan(means).sum() == 1
    assert resamples.interval(1.0, means) == (None, None)


def test_a_measure_that_is_no_sum_is_computed_in_parts(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(6)
    days, p = np.repeat(np.arange(24), 5), rng.random(120)
    is_positive = rng.random(120) < p
    resamples = draw_blocks(days, rng, n_resamples=11)
    monkeypatch.setattr("include.stats.bootstrap._CHUNK", 400)

    def area(weights: np.ndarray) -> np.ndarray:
        return np.array([roc_auc_score(is_positive, p, sample_weight=one) for one in weights])

    assert resamples.apply(area) == pytest.approx(area(resamples.weights[:, days]))


def test_blocks_may_be_named_in_any_way_and_order():
    named = np.array(["b", "a", "b", "c"])
    resamples = draw_blocks(named, np.random.default_rng(1))
    assert resamples.mean(np.array([1.0, 5.0, 3.0, 9.0])).tolist() == pytest.approx([13 / 3, 7.0, 3.0])


def test_nothing_that_differs_is_an_even_chance_however_many_blocks():
    for n_days in (5, MINIMUM_BLOCKS):
        resamples = draw_blocks(np.arange(n_days), np.random.default_rng(1))
        assert resamples.probability_above(0.0, resamples.mean(np.zeros(n_days))) == 0.5


def test_columns_are_summed_by_block_without_loss():
    large = np.array([[2.0**53], [1.0], [1.0]])
    assert sum_by_block(large, np.array([0, 1, 1]), 2).tolist() == [[2.0**53], [2.0]]
