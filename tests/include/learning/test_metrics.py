import math

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from include.errors import BadProbabilities
from include.learning import metrics

ONE = metrics.ones(4)
HAPPENED = np.array([True, False, True, False])


def make_rows(n_rows: int = 300, seed: int = 1):
    rng = np.random.default_rng(seed)
    p = np.round(rng.random(n_rows), 2)  # rounded, so that there are ties
    return rng.random(n_rows) < p, p


def test_auc_by_hand_counts_ties_half():
    # Pairs (positive, negative): .8>.2, .8>.5, .5>.2, .5=.5: 3.5 of 4.
    p = np.array([0.8, 0.2, 0.5, 0.5])
    assert metrics.auc(HAPPENED, p, ONE)[0] == pytest.approx(3.5 / 4)


def test_auc_and_log_loss_agree_with_sklearn_for_any_weights():
    happened, p = make_rows()
    p = np.clip(p, 0.01, 0.99)
    weights = metrics.draw_weights(len(p), 3, np.random.default_rng(0))
    for number, weight in enumerate(weights):
        assert metrics.auc(happened, p, weights)[number] == pytest.approx(
            roc_auc_score(happened, p, sample_weight=weight), abs=1e-6
        )
        assert metrics.log_loss(happened, p, weights)[number] == pytest.approx(
            log_loss(happened, p, sample_weight=weight), abs=1e-5
        )


def test_auc_of_one_class_has_no_answer_and_no_interval():
    auc = metrics.auc(np.ones(4, dtype=bool), np.linspace(0, 1, 4), ONE)
    assert math.isnan(auc[0])
    assert metrics.interval(auc) == (None, None)


def test_renaming_the_classes_turns_no_metric_but_the_sign_of_the_question():
    happened, p = make_rows()
    one = metrics.ones(len(p))
    for metric in (metrics.auc, metrics.log_loss, metrics.brier):
        assert metric(happened, p, one)[0] == pytest.approx(metric(~happened, 1 - p, one)[0])


def test_brier_and_log_loss_by_hand():
    p = np.array([1.0, 0.0, 0.5, 0.5])
    assert metrics.brier(HAPPENED, p, ONE)[0] == pytest.approx((0 + 0 + 0.25 + 0.25) / 4)
    assert metrics.log_loss(HAPPENED, p, ONE)[0] == pytest.approx(2 * math.log(2) / 4, abs=1e-5)


def test_certain_and_wrong_costs_much_but_not_everything():
    assert metrics.log_loss(np.array([True]), np.array([0.0]), metrics.ones(1))[0] == pytest.approx(13.8, abs=0.1)


def test_ece_by_hand_over_two_bins():
    # Bin 0..0.1: mean p .05, observed .5: gap .45 over 2 rows. Bin 0.9..1 (1.0 belongs to it): mean 1, observed .5.
    p = np.array([0.05, 0.05, 1.0, 1.0])
    assert metrics.ece(HAPPENED, p, ONE)[0] == pytest.approx(0.5 * 0.45 + 0.5 * 0.5)


def test_ece_counts_a_row_as_often_as_its_weight():
    p = np.array([0.05, 0.05, 1.0, 1.0])
    assert metrics.ece(HAPPENED, p, np.array([[1.0, 0, 1, 0]]))[0] == pytest.approx(0.5 * 0.95)


def test_chance_alone_shows_some_error_and_less_with_more_rows():
    few, many = (metrics.ece_by_chance(np.full(n, 0.3), np.random.default_rng(0)) for n in (50, 5_000))
    assert 0.03 < few < 0.08
    assert many < 0.01


def test_resamples_have_as_many_rows_and_repeat_with_their_seed():
    weights = metrics.draw_weights(50, 20, np.random.default_rng(3))
    assert weights.shape == (20, 50)
    assert (weights.sum(axis=1) == 50).all()
    assert (weights == metrics.draw_weights(50, 20, np.random.default_rng(3))).all()
    assert (weights != metrics.draw_weights(50, 20, np.random.default_rng(4))).any()


def test_rows_of_a_day_are_drawn_together_where_there_are_ten_days():
    blocks = np.repeat(np.arange(10), 5)
    weights = metrics.draw_weights(50, 4, np.random.default_rng(0), blocks).reshape(4, 10, 5)
    assert (weights == weights[:, :, :1]).all()


def test_rows_are_drawn_one_by_one_where_days_are_few():
    blocks = np.repeat(np.arange(9), 5)
    weights = metrics.draw_weights(45, 4, np.random.default_rng(0), blocks).reshape(4, 9, 5)
    assert (weights != weights[:, :, :1]).any()


def test_an_interval_holds_the_middle_95_percent():
    assert metrics.interval(np.arange(1001.0)) == pytest.approx((25, 975))


@pytest.mark.parametrize("bad", [1.2, -0.1, float("nan")])
def test_one_bad_probability_among_good_ones_is_refused_and_named(bad: float):
    p = np.array([0.5, bad, 0.5, 0.5])
    with pytest.raises(BadProbabilities, match=r"1 of 4.*row 1"):
        metrics.measure(HAPPENED, p, p, ONE)


def test_expected_profit_is_the_mean_of_what_rows_earned():
    measured = metrics.measure(HAPPENED, np.full(4, 0.5), np.array([20.0, -8, -5, 0]), ONE)
    assert measured["expected_profit"][0] == pytest.approx(7 / 4)
