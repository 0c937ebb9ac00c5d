import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression

from include.errors import BadCounts, BadProbabilities
from include.stats.reliability import (
    BinSums,
    calibration_error,
    calibration_line,
    error_by_chance,
    expected_calibration_error,
    log_odds_of,
    sum_equal_count,
    sum_equal_width,
)


def make_rows(n_rows: int, seed: int, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 3, n_rows)
    return rng.random(n_rows) < np.clip(p + shift, 0, 1), p


@pytest.mark.parametrize(("strategy", "sums_of"), [("uniform", sum_equal_width), ("quantile", sum_equal_count)])
def test_bins_are_those_of_a_second_implementation(strategy: str, sums_of):
    is_positive, p = make_rows(997, 1)
    sums = sums_of(is_positive, p).filled
    seen, said = calibration_curve(is_positive, p, n_bins=10, strategy=strategy)
    if strategy == "uniform":
        assert sums.n_positive / sums.n_rows == pytest.approx(seen)
        assert sums.predicted / sums.n_rows == pytest.approx(said)
    else:  # quantiles are interpolated there: a row at an edge may lie on the other side
        assert sums.predicted / sums.n_rows == pytest.approx(said, abs=0.003)


def test_the_least_the_last_and_equal_probabilities_have_one_bin_each():
    p = np.array([0.0, 0.1, 0.1, 0.1, 1.0])
    is_positive = np.array([False, True, False, False, True])
    assert sum_equal_width(is_positive, p).n_rows.tolist() == [1, 3, 0, 0, 0, 0, 0, 0, 0, 1]
    assert sum_equal_count(is_positive, p, 5).n_rows.tolist() == [1, 0, 0, 3, 1]


def test_no_row_is_lost_nor_doubled_and_order_does_not_matter():
    is_positive, p = make_rows(1_003, 2)
    order = np.random.default_rng(1).permutation(1_003)
    for sums_of in (sum_equal_width, sum_equal_count):
        sums, shuffled = sums_of(is_positive, p), sums_of(is_positive[order], p[order])
        assert sums.n_rows.sum() == 1_003
        assert np.allclose(sums.parts, shuffled.parts)


def test_ten_bins_are_a_hundred_bins_joined():
    is_positive, p = make_rows(1_234, 3)
    assert np.allclose(sum_equal_count(is_positive, p, 100).merge(10).parts, sum_equal_count(is_positive, p, 10).parts)


def test_sums_of_nothing_are_refused_by_what_divides_them():
    empty = sum_equal_count(np.empty(0, dtype=np.bool_), np.empty(0))
    for measure in (expected_calibration_error, error_by_chance, calibration_error):
        with pytest.raises(BadCounts, match="0 rows"):
            measure(empty)


def test_what_is_no_probability_is_refused():
    for sums_of in (sum_equal_width, sum_equal_count):
        with pytest.raises(BadProbabilities, match="1 of 2 values"):
            sums_of(np.array([True, False]), np.array([0.5, 1.5]))


def test_the_error_of_two_bins_worked_by_hand():
    sums = BinSums(np.array([10.0, 30.0]), np.array([2.0, 15.0]), np.array([1.0, 18.0]), np.array([0.2, 11.0]))
    assert expected_calibration_error(sums) == pytest.approx((1 + 3) / 40)
    # 1/4 (0.1² - 0.2 * 0.8 / 9) + 3/4 (0.1² - 0.5 * 0.5 / 29)
    squared = 0.25 * (0.01 - 0.16 / 9) + 0.75 * (0.01 - 0.25 / 29)
    assert calibration_error(sums).value == pytest.approx(np.sqrt(max(squared, 0)))
    assert calibration_error(sums).base_rate == pytest.approx(17 / 40)


def test_few_rows_add_nothing_to_the_squared_error_on_average():
    bins = [sum_equal_count(*make_rows(300, seed)) for seed in range(400)]
    plain = [expected_calibration_error(one) for one in bins]
    debiased = [calibration_error(one).value for one in bins]
    assert np.median(plain) > 0.05
    assert np.median(debiased) < 0.02


def test_an_error_of_a_tenth_never_passes_for_half_of_it():
    rng, n_runs = np.random.default_rng(4), 400
    errors = []
    for _ in range(n_runs):
        p = rng.uniform(0, 0.9, 300)
        errors.append(calibration_error(sum_equal_count(rng.random(300) < p + 0.1, p)))
    values, highs = np.array([one.value for one in errors]), np.array([one.high for one in errors])
    assert np.sqrt((values**2).mean()) == pytest.approx(0.1, abs=0.01)
    assert (values <= 0.05).mean() < 0.12
    assert stats.binom.cdf((highs >= 0.1).sum(), n_runs, 0.95) > 0.001  # the upper end holds as often as it says


def test_rare_events_predicted_twice_too_often_are_seen_in_bins_of_equal_count():
    rng = np.random.default_rng(5)
    p = rng.beta(0.5, 50, 40_000)
    is_positive = rng.random(40_000) < p**1.2 * 0.5
    assert sum_equal_width(is_positive, p).filled.n_rows.max() > 0.99 * 40_000
    error = calibration_error(sum_equal_count(is_positive, p))
    assert error.relative > 0.5
    assert error.value > 3 * calibration_error(sum_equal_width(is_positive, p)).value / 2


@pytest.mark.parametrize("alpha", [0.3, 3.0])
@pytest.mark.parametrize("n_rows", [200, 2_000])
def test_faultless_probabilities_exceed_the_mark_of_chance_once_in_a_thousand(alpha: float, n_rows: int):
    rng, n_runs = np.random.default_rng(6), 4_000
    p = rng.beta(alpha, 9.0, n_rows)
    mark = error_by_chance(sum_equal_width(np.zeros(n_rows, dtype=np.bool_), p))
    place = np.minimum((p * 10).astype(int), 9)[:, None] == np.arange(10)
    gaps = [(p - (rng.random((400, n_rows)) < p)) @ place.astype(float) for _ in range(n_runs // 400)]
    n_above = int((np.abs(np.concatenate(gaps)).sum(axis=1) / n_rows > mark).sum())
    assert stats.binom.sf(n_above - 1, n_runs, 0.001) > 0.001


def test_the_mark_of_chance_is_the_same_whenever_it_is_asked():
    sums = sum_equal_width(*make_rows(500, 7))
    assert error_by_chance(sums) == error_by_chance(sums) > error_by_chance(sums, probability=0.9)


def test_the_line_is_that_of_a_second_implementation():
    rng = np.random.default_rng(8)
    p = rng.uniform(0.02, 0.98, 5_000)
    is_positive = rng.random(5_000) < expit(0.5 * logit(p) + 0.3)
    line = calibration_line(log_odds_of(p), is_positive.astype(float), np.ones(5_000))
    other = LogisticRegression(C=np.inf, tol=1e-9, max_iter=1_000).fit(logit(p)[:, None], is_positive)
    assert (line.slope, line.intercept) == pytest.approx((other.coef_[0, 0], other.intercept_[0]), abs=1e-4)
    mirrored = calibration_line(-log_odds_of(p), (~is_positive).astype(float), np.ones(5_000))
    assert (mirrored.slope, mirrored.intercept) == pytest.approx((line.slope, -line.intercept))


@pytest.mark.parametrize(
    ("p", "n_positive"),
    [([0.2, 0.4, 0.6], [0, 0, 0]), ([0.3, 0.3, 0.3], [0, 1, 0]), ([0.1, 0.2, 0.9], [0, 0, 1])],
    ids=["one class", "one probability", "parted perfectly"],
)
def test_where_no_line_can_be_drawn_there_is_none(p: list[float], n_positive: list[int]):
    assert calibration_line(log_odds_of(np.array(p)), np.array(n_positive, dtype=float), np.ones(3)) is None
