from collections import Counter

import numpy as np
import pytest
from scipy.stats import binom

from include.errors import MulgilError
from include.review.metrics.prevalence import estimate_share, weights_over_rounds
from include.stats.truth_inference import settle_items

N, N_RANDOM, N_DOUBT, N_ROUNDS = 300, 15, 35, 3
IS_POSITIVE = np.arange(N) % 3 == 0


def play(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Play three rounds in which doubt takes every positive it can get."""
    rng = np.random.default_rng(seed)
    left, chosen, rounds, by_chance, sizes = np.arange(N), [], [], [], []
    for index in range(N_ROUNDS):
        sizes.append(left.size)
        drawn = rng.choice(left, N_RANDOM, replace=False)
        rest = np.setdiff1d(left, drawn)
        doubtful = rest[np.argsort(~IS_POSITIVE[rest], kind="stable")][:N_DOUBT]
        for rows, is_random in ((drawn, True), (doubtful, False)):
            chosen += rows.tolist()
            rounds += [index] * rows.size
            by_chance += [is_random] * rows.size
        left = np.setdiff1d(rest, doubtful)
    return IS_POSITIVE[chosen], np.array(rounds), np.array(by_chance), np.array(sizes)


def test_control_arms_added_up_are_wrong_and_weighted_over_rounds_they_are_right():
    naive, weighted = [], []
    for seed in range(600):
        values, rounds, is_random, n_pool = play(seed)
        naive.append(values[is_random].mean())
        weighted.append(float((weights_over_rounds(rounds, is_random, n_pool) * values).sum()) / N)
    truth, error = IS_POSITIVE.mean(), np.std(weighted) / np.sqrt(600)
    assert np.mean(weighted) == pytest.approx(truth, abs=3 * error)
    assert np.mean(naive) < truth - 20 * error


def test_the_interval_holds_the_truth_about_nineteen_times_in_twenty():
    estimates = [estimate_share(*play(seed)) for seed in range(600)]
    hits = sum(estimate.low <= IS_POSITIVE.mean() <= estimate.high for estimate in estimates)
    assert binom.cdf(hits, 600, 0.95) > 0.001  # exact intervals hold at least as often as they say


@pytest.mark.parametrize("n_positive", [10, 40])
@pytest.mark.parametrize("n_rounds", [1, 4])
def test_the_interval_of_a_rare_class_holds_as_often_as_it_says(n_positive: int, n_rounds: int):
    rng, truth, n_held = np.random.default_rng(n_positive + n_rounds), np.arange(1_000) < n_positive, 0
    for _ in range(300):
        left, chosen, sizes = np.arange(1_000), [], []
        for index in range(n_rounds):
            sizes.append(left.size)
            drawn = rng.choice(left, 10, replace=False)
            rest = np.setdiff1d(left, drawn)
            doubtful = rest[np.argsort(-(truth[rest] + rng.normal(size=rest.size)))][:20]
            chosen += [(row, index, True) for row in drawn] + [(row, index, False) for row in doubtful]
            left = np.setdiff1d(rest, doubtful)
        rows, rounds, by_chance = (np.array(part) for part in zip(*chosen, strict=True))
        estimate = estimate_share(truth[rows], rounds, by_chance, np.array(sizes))
        n_held += estimate.low <= truth.mean() <= estimate.high
    assert binom.cdf(n_held, 300, 0.95) > 0.001


def test_an_estimate_is_never_below_the_positives_that_were_found():
    is_random = np.arange(60) < 20
    estimate = estimate_share(~is_random, np.zeros(60, dtype=np.int64), is_random, np.array([6_000]))
    assert estimate.value == estimate.low == pytest.approx(40 / 6_000)
    assert 0.05 < estimate.high < 0.25  # 0 of 20 drawn by chance


def test_an_estimate_is_never_above_what_the_negatives_leave():
    is_random = np.arange(90) < 5
    estimate = estimate_share(is_random, np.zeros(90, dtype=np.int64), is_random, np.array([100]))
    assert estimate.value == estimate.high == pytest.approx(15 / 100)
    assert estimate.low >= 5 / 100


def test_one_round_of_chance_alone_is_the_plain_mean():
    values = np.array([True, False, False, True, True])
    estimate = estimate_share(values, np.zeros(5, dtype=np.int64), np.full(5, True), np.array([50]))
    assert estimate.value == pytest.approx(0.6)
    assert estimate.low < 0.6 < estimate.high


def test_when_everything_was_drawn_nothing_is_uncertain():
    estimate = estimate_share(np.array([True, False]), np.zeros(2, dtype=np.int64), np.full(2, True), np.array([2]))
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


def play_a_crowd(seed: int) -> tuple[float, list[tuple[float, float]]]:
    """Let five people label each item of three rounds: three who look, and two who nearly always say yes.

    Returns:
        the share of positives, and its interval by the count of heads and by what the answers are settled as.
    """
    rng = np.random.default_rng(seed)
    truth = rng.random(600) < 0.25
    left, asked, rounds, by_chance, sizes = np.arange(600), [], [], [], []
    for index in range(3):
        sizes.append(left.size)
        drawn = rng.choice(left, 40, replace=False)
        rest = np.setdiff1d(left, drawn)
        doubtful = rest[np.argsort(-(truth[rest] + rng.normal(size=rest.size)))][:40]
        asked += [*drawn, *doubtful]
        rounds += [index] * 80
        by_chance += [True] * 40 + [False] * 40
        left = np.setdiff1d(rest, doubtful)
    right = np.array([0.97, 0.96, 0.95, 0.95, 0.94])
    rows = []
    for item in asked:
        given = {f"p{one}": truth[item] ^ (rng.random() > right[one]) for one in rng.choice(5, 3, replace=False)}
        given |= {who: rng.random() < 0.95 for who in ("yes-1", "yes-2")}
        rows += [(f"i{item:03d}", who, str(bool(said))) for who, said in given.items()]
    settled = settle_items(*zip(*rows, strict=True), ("False", "True"))
    yes = Counter(item for item, _, said in rows if said == "True")
    heads = {item: int(yes[item] >= 3) for item in settled}
    intervals = []
    for verdicts in (heads, settled):
        said = np.array([verdicts[f"i{item:03d}"] for item in asked])
        known = said >= 0
        n_undecided = np.bincount(np.array(rounds)[~known], minlength=3)
        decidable = np.array(sizes) - np.cumsum(n_undecided[::-1])[::-1]
        chosen = (part[known] for part in (said == 1, np.array(rounds), np.array(by_chance)))
        found = estimate_share(*chosen, decidable)
        intervals.append((found.low, found.high))
    return float(truth.mean()), intervals


def test_the_interval_holds_by_settled_labels_where_it_does_not_by_heads():
    n_worlds, held = 200, np.zeros(2)
    for seed in range(n_worlds):
        truth, intervals = play_a_crowd(seed)
        held += [low <= truth <= high for low, high in intervals]
    by_heads, settled = held
    assert binom.cdf(settled, n_worlds, 0.95) > 0.001
    assert by_heads < 0.5 * n_worlds  # 67 of 300 where settled held 291
