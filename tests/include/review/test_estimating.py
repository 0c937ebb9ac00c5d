import numpy as np
import pytest

from include.errors import MulgilError
from include.review.estimating import estimate_mean, hajek_mean, horvitz_thompson_total, weights_over_rounds

N, N_RANDOM, N_DOUBT, N_ROUNDS = 300, 15, 35, 3
IS_POSITIVE = (np.arange(N) % 3 == 0).astype(np.float64)


def play(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Play three rounds in which doubt takes every positive it can get."""
    rng = np.random.default_rng(seed)
    left, chosen, rounds, by_chance, sizes = np.arange(N), [], [], [], []
    for index in range(N_ROUNDS):
        sizes.append(left.size)
        drawn = rng.choice(left, N_RANDOM, replace=False)
        rest = np.setdiff1d(left, drawn)
        doubtful = rest[np.argsort(-IS_POSITIVE[rest], kind="stable")][:N_DOUBT]
        for rows, is_random in ((drawn, True), (doubtful, False)):
            chosen += rows.tolist()
            rounds += [index] * rows.size
            by_chance += [is_random] * rows.size
        left = np.setdiff1d(rest, doubtful)
    return IS_POSITIVE[chosen], np.array(rounds), np.array(by_chance), np.array(sizes)


def test_totals_and_means_worked_by_hand():
    values, chances = np.array([1.0, 0.0, 1.0]), np.array([0.5, 0.25, 1.0])
    assert horvitz_thompson_total(values, chances) == 2 + 0 + 1
    assert hajek_mean(values, chances) == pytest.approx(3 / 7)


def test_over_many_draws_the_total_is_right_whatever_the_chances():
    rng = np.random.default_rng(4)
    values, chances = rng.normal(5, 2, 60), rng.uniform(0.1, 0.9, 60)
    totals = [
        horvitz_thompson_total(values[drawn], chances[drawn])
        for drawn in (rng.random(60) < chances for _ in range(4000))
    ]
    assert np.mean(totals) == pytest.approx(values.sum(), abs=4 * np.std(totals) / np.sqrt(4000))


@pytest.mark.parametrize("bad", [0.0, -0.1, 1.1, np.nan])
def test_one_chance_that_is_none_is_refused_and_named(bad):
    with pytest.raises(MulgilError, match=r"1 of 3 inclusion probabilities.*row 1"):
        horvitz_thompson_total(np.ones(3), np.array([0.5, bad, 1.0]))


def test_nothing_drawn_has_no_mean():
    with pytest.raises(MulgilError, match="0 items were drawn"):
        hajek_mean(np.empty(0), np.empty(0))


def test_control_arms_added_up_are_wrong_and_weighted_over_rounds_they_are_right():
    naive, weighted = [], []
    for seed in range(600):
        values, rounds, is_random, n_pool = play(seed)
        naive.append(values[is_random].mean())
        weighted.append(estimate_mean(values, rounds, is_random, n_pool).value)
    truth, error = IS_POSITIVE.mean(), np.std(weighted) / np.sqrt(600)
    assert np.mean(weighted) == pytest.approx(truth, abs=3 * error)
    assert np.mean(naive) < truth - 20 * error


def test_the_interval_holds_the_truth_about_nineteen_times_in_twenty():
    estimates = [estimate_mean(*play(seed)) for seed in range(600)]
    hits = np.mean([estimate.low <= IS_POSITIVE.mean() <= estimate.high for estimate in estimates])
    assert 0.90 <= hits <= 0.99


def test_one_round_of_chance_alone_is_the_plain_mean():
    values = np.array([1.0, 0.0, 0.0, 1.0, 1.0])
    estimate = estimate_mean(values, np.zeros(5, dtype=np.int64), np.full(5, True), np.array([50]))
    assert estimate.value == pytest.approx(0.6)
    assert estimate.low < 0.6 < estimate.high


def test_when_everything_was_drawn_nothing_is_uncertain():
    estimate = estimate_mean(np.array([1.0, 0.0]), np.zeros(2, dtype=np.int64), np.full(2, True), np.array([2]))
    assert (estimate.value, estimate.low, estimate.high) == (0.5, 0.5, 0.5)


def test_weights_of_constant_things_add_up_to_the_population_exactly():
    _, rounds, is_random, n_pool = play(1)
    assert weights_over_rounds(rounds, is_random, n_pool).sum() == pytest.approx(N)


def test_when_the_pool_grew_earlier_control_arms_stand_for_another_population():
    rounds, is_random = np.array([0, 0, 1, 1]), np.array([True, False, True, True])
    weights = weights_over_rounds(rounds, is_random, np.array([10, 108]))  # 8 were left, and 100 came
    assert weights.tolist() == [1.0, 1.0, 54.0, 54.0]


def test_without_a_control_label_there_is_no_estimate():
    with pytest.raises(MulgilError, match="0 of 1 rounds"):
        weights_over_rounds(np.array([0]), np.array([False]), np.array([10]))
