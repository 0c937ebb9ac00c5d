import math

import numpy as np
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from include.errors import BadProbabilities
from include.learning import metrics
from include.stats.bootstrap import draw_blocks

HAPPENED = np.array([True, False, True, False])


def make_rows(n_rows: int = 300, seed: int = 1):
    rng = np.random.default_rng(seed)
    p = np.round(rng.random(n_rows), 2)  # rounded, so that there are ties
    return rng.random(n_rows) < p, p


def resample(n_rows: int, n_blocks: int | None = None):
    blocks = np.arange(n_rows) % (n_blocks or n_rows)
    return draw_blocks(blocks, np.random.default_rng(0), 200)


def test_auc_by_hand_counts_ties_half():
    # Pairs (positive, negative): .8>.2, .8>.5, .5>.2, .5=.5: 3.5 of 4.
    p = np.array([0.8, 0.2, 0.5, 0.5])
    assert metrics.auc(HAPPENED, p) == pytest.approx(3.5 / 4)


@pytest.mark.parametrize("n_blocks", [None, 40, 7])
@pytest.mark.parametrize("max_cells", [0, metrics.MAX_CELLS])
def test_auc_of_each_resample_is_the_one_that_sklearn_computes(n_blocks, max_cells, monkeypatch):
    monkeypatch.setattr(metrics, "MAX_CELLS", max_cells)
    happened, p = make_rows()
    resamples = resample(len(p), n_blocks)
    found = metrics.resampled_auc(happened, p, resamples)
    for number in (0, 3, len(found) - 1):
        weights = resamples.weights[number][resamples.block]
        assert found[number] == pytest.approx(roc_auc_score(happened, p, sample_weight=weights), abs=1e-12)


def test_ece_of_each_resample_counts_a_row_as_often_as_it_is_drawn():
    happened, p = make_rows(60)
    resamples = resample(60, 25)
    drawn = np.repeat(np.arange(60), resamples.weights[5][resamples.block].astype(int))
    assert metrics.resampled_ece(happened, p, resamples)[5] == pytest.approx(metrics.ece(happened[drawn], p[drawn]))


def test_one_class_has_no_auc_and_a_resample_of_one_class_has_none_either():
    always = np.ones(4, dtype=bool)
    assert math.isnan(metrics.auc(always, np.linspace(0, 1, 4)))
    measured = metrics.measure(always, np.linspace(0, 1, 4), np.zeros(4), resample(4))
    assert set(measured) == {"log_loss", "brier", "ece", "expected_profit"}


def test_renaming_the_classes_turns_no_metric_but_the_sign_of_the_question():
    happened, p = make_rows()
    for metric in (metrics.auc, metrics.log_loss):
        assert metric(happened, p) == pytest.approx(metric(~happened, 1 - p))


def test_brier_and_log_loss_by_hand_and_as_sklearn_has_it():
    p = np.array([1.0, 0.0, 0.5, 0.5])
    measured = metrics.measure(HAPPENED, p, p, resample(4))
    assert measured["brier"].value == pytest.approx((0 + 0 + 0.25 + 0.25) / 4)
    assert metrics.log_loss(HAPPENED, p) == pytest.approx(2 * math.log(2) / 4, abs=1e-5)
    happened, p = make_rows()
    p = np.clip(p, 0.01, 0.99)
    assert metrics.log_loss(happened, p) == pytest.approx(log_loss(happened, p))


def test_ece_by_hand_over_two_bins():
    # Bin 0..0.1: mean p .05, observed .5: gap .45 over 2 rows. Bin 0.9..1 (1.0 belongs to it): mean 1, observed .5.
    p = np.array([0.05, 0.05, 1.0, 1.0])
    assert metrics.ece(HAPPENED, p) == pytest.approx(0.5 * 0.45 + 0.5 * 0.5)


@pytest.mark.parametrize("bad", [1.2, -0.1, float("nan")])
def test_one_bad_probability_among_good_ones_is_refused_and_named(bad: float):
    p = np.array([0.5, bad, 0.5, 0.5])
    with pytest.raises(BadProbabilities, match=r"1 of 4.*row 1"):
        metrics.measure(HAPPENED, p, p, resample(4))


def test_profits_in_won_are_averaged_to_the_last_won():
    # Single precision would be off by thousands: 16,777,216 is the last whole number it can count to one by one.
    profit = np.full(1_000, 1e11) + np.arange(1_000)
    measured = metrics.measure(np.arange(1_000) % 2 == 0, np.full(1_000, 0.5), profit, resample(1_000))
    assert measured["expected_profit"].value == 1e11 + 499.5
    assert 1e11 + 450 < measured["expected_profit"].low < measured["expected_profit"].high < 1e11 + 550


def test_rows_of_one_block_have_figures_and_nobody_says_how_sure():
    measured = metrics.measure(HAPPENED, np.array([0.8, 0.2, 0.5, 0.5]), np.ones(4), resample(4, 1))
    assert measured["auc"] == metrics.Estimate(3.5 / 4, None, None)
    assert (measured["expected_profit"].low, measured["expected_profit"].high) == (None, None)
