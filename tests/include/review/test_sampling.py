import math

import numpy as np
import pytest
from scipy.stats import entropy as scipy_entropy

from include.errors import BadProbabilities
from include.review.sampling import (
    choose_most_uncertain,
    choose_random,
    least_confidence,
    margin_doubt,
    predictive_entropy,
)


def make_ids(n_items: int) -> np.ndarray:
    return np.array([f"mail-{index:04d}" for index in range(n_items)])


def test_a_dead_heat_is_worth_ln_n_classes_and_certainty_is_worth_nothing():
    proba = np.array([[0.5, 0.5], [1.0, 0.0]])
    assert predictive_entropy(proba).tolist() == pytest.approx([math.log(2), 0.0])


@pytest.mark.parametrize("bad_row", [[0.9, 0.3], [-0.1, 1.1], [float("nan"), 1.0], [float("inf"), 0.0]])
def test_one_bad_row_among_good_ones_is_refused_and_named(bad_row):
    proba = np.array([[0.5, 0.5], bad_row, [1.0, 0.0]])
    with pytest.raises(BadProbabilities, match=r"1 of 3 rows.*row 1"):
        predictive_entropy(proba)


def test_the_worst_of_two_bad_rows_is_the_one_that_is_named():
    proba = np.array([[0.5, 0.6], [1.2, -0.36]])
    with pytest.raises(BadProbabilities, match=r"2 of 2 rows.*row 1, \[1\.2, -0\.36\].*decision_function"):
        predictive_entropy(proba)


def test_one_column_is_not_a_distribution_over_classes():
    with pytest.raises(BadProbabilities, match=r"shape \(2, 1\)"):
        predictive_entropy(np.array([[1.0], [1.0]]))


def test_no_rows_have_no_entropies():
    assert predictive_entropy(np.empty((0, 2))).shape == (0,)


def test_a_rounding_error_below_zero_is_not_minus_infinity():
    assert predictive_entropy(np.array([[1.0 + 1e-9, -1e-9]])).tolist() == pytest.approx([0.0], abs=1e-8)


def test_renaming_the_classes_changes_no_row():
    proba = np.random.default_rng(7).dirichlet([1, 1, 1], size=50)
    assert np.allclose(predictive_entropy(proba), predictive_entropy(proba[:, [2, 0, 1]]))


def test_scipy_says_the_same_of_every_row():
    proba = np.random.default_rng(8).dirichlet([0.2, 1, 1, 3], size=200)
    assert np.allclose(predictive_entropy(proba), scipy_entropy(proba, axis=1), atol=1e-12)


def test_the_most_uncertain_come_first():
    chosen = choose_most_uncertain(np.array([0.1, 0.6, 0.0, 0.5]), make_ids(4), 2)
    assert chosen.tolist() == [1, 3]


@pytest.mark.parametrize("n_chosen", [0, 1, 7, 50, 80])
def test_the_chosen_are_those_a_full_sort_would_choose(n_chosen):
    entropy = np.random.default_rng(3).random(50)
    chosen = choose_most_uncertain(entropy, make_ids(50), n_chosen)
    assert chosen.tolist() == np.argsort(-entropy)[:n_chosen].tolist()


def test_equal_doubt_is_settled_by_the_item_and_never_by_its_row():
    rng = np.random.default_rng(5)
    ids, entropy = make_ids(60), np.repeat([0.6, 0.3, 0.3], 20)
    expected = ids[choose_most_uncertain(entropy, ids, 30)].tolist()
    for _ in range(5):
        order = rng.permutation(60)
        assert ids[order][choose_most_uncertain(entropy[order], ids[order], 30)].tolist() == expected


def test_ties_are_not_settled_by_the_alphabet():
    ids = make_ids(200)
    chosen = set(choose_most_uncertain(np.full(200, 0.4), ids, 20).tolist())
    assert chosen != set(range(20))
    assert chosen != set(range(180, 200))


def test_a_doubt_that_is_no_number_is_refused_and_not_ranked_first():
    with pytest.raises(BadProbabilities, match=r"1 of 3 entropies.*row 1"):
        choose_most_uncertain(np.array([0.1, np.nan, 0.2]), make_ids(3), 1)


def test_nothing_can_be_chosen_from_nothing():
    assert choose_most_uncertain(np.empty(0), make_ids(0), 3).size == 0
    assert choose_random(make_ids(0), 3, np.random.default_rng(0)).size == 0


def test_chance_chooses_no_item_twice_and_never_more_than_there_are():
    chosen = choose_random(make_ids(10), 25, np.random.default_rng(1))
    assert sorted(chosen.tolist()) == list(range(10))


def test_the_same_seed_chooses_the_same_items_in_whatever_order_the_rows_come():
    ids = make_ids(100)
    order = np.random.default_rng(9).permutation(100)
    first = ids[choose_random(ids, 12, np.random.default_rng(4))]
    again = ids[order][choose_random(ids[order], 12, np.random.default_rng(4))]
    assert first.tolist() == again.tolist()


def test_another_seed_chooses_other_items():
    ids = make_ids(100)
    first, second = (set(choose_random(ids, 12, np.random.default_rng(seed)).tolist()) for seed in (0, 1))
    assert first != second


def test_every_item_is_drawn_as_often_as_its_inclusion_probability_says():
    rng = np.random.default_rng(11)
    hits = np.zeros(10)
    for _ in range(4000):
        hits[choose_random(make_ids(10), 3, rng)] += 1
    # 0.3 +- 5 standard errors of a share over 4,000 draws.
    assert np.abs(hits / 4000 - 0.3).max() < 5 * math.sqrt(0.3 * 0.7 / 4000)


def test_margin_and_least_confidence_worked_by_hand():
    proba = np.array([[0.5, 0.3, 0.2], [0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    assert margin_doubt(proba).tolist() == pytest.approx([0.8, 1.0, 0.0])
    assert least_confidence(proba).tolist() == pytest.approx([0.5, 0.5, 0.0])


def test_of_two_classes_entropy_margin_and_least_confidence_rank_alike():
    p = np.random.default_rng(3).random(50)
    proba = np.column_stack([p, 1 - p])
    orders = [measure(proba).argsort().tolist() for measure in (predictive_entropy, margin_doubt, least_confidence)]
    assert orders[0] == orders[1] == orders[2]


def test_of_three_classes_they_do_not():
    three_way, two_way = [0.4, 0.3, 0.3], [0.5, 0.5, 0.0]
    proba = np.array([three_way, two_way])
    assert predictive_entropy(proba).argmax() == least_confidence(proba).argmax() == 0
    assert margin_doubt(proba).argmax() == 1


@pytest.mark.parametrize("measure", [margin_doubt, least_confidence])
def test_one_bad_row_is_refused_by_every_measure(measure):
    with pytest.raises(BadProbabilities, match=r"1 of 2 rows.*row 1"):
        measure(np.array([[0.5, 0.5], [0.9, 0.3]]))
