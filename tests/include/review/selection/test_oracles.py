import math

import numpy as np
import pytest
from scipy.stats import entropy as scipy_entropy

from include.errors import BadProbabilities
from include.problems.sections.learning import Value
from include.review.selection.uncertainty import predictive_entropy
from include.review.selection.value_of_information import value_matrix
from tests.include.review.selection.oracles import (
    choose_most_uncertain,
    divergence_from_consensus,
    least_confidence,
    margin_doubt,
    value_of_knowing,
    vote_entropy,
)

MAIL = Value(unit="cents", true_positive=5, false_positive=-50, true_negative=0, false_negative=-10)

SPLIT = np.array([[[0.9, 0.1]], [[0.2, 0.8]]])  # two members, one item


def test_an_even_split_of_two_votes_is_worth_ln_two_and_unanimity_nothing():
    proba = np.array([[[0.9, 0.1], [0.6, 0.4]], [[0.2, 0.8], [0.9, 0.1]]])
    assert vote_entropy(proba).tolist() == pytest.approx([math.log(2), 0.0])


def test_the_divergence_is_what_scipy_says():
    consensus = SPLIT.mean(axis=0)[0]
    expected = np.mean([scipy_entropy(member[0], consensus) for member in SPLIT])
    assert divergence_from_consensus(SPLIT).tolist() == pytest.approx([expected])


def test_members_who_are_unsure_alike_do_not_disagree():
    assert divergence_from_consensus(np.full((3, 1, 2), 0.5)).tolist() == [0.0]


def test_certain_members_who_contradict_each_other_diverge_by_ln_two():
    proba = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    assert divergence_from_consensus(proba).tolist() == pytest.approx([math.log(2)])


@pytest.mark.parametrize("measure", [vote_entropy, divergence_from_consensus])
def test_the_order_of_members_and_classes_changes_nothing(measure):
    proba = np.random.default_rng(1).dirichlet([1, 1, 1], size=(4, 30))
    assert np.allclose(measure(proba), measure(proba[::-1, :, ::-1]))
    assert (measure(proba) >= 0).all()


@pytest.mark.parametrize("measure", [vote_entropy, divergence_from_consensus])
def test_one_bad_row_of_one_member_is_refused(measure):
    proba = np.full((2, 3, 2), 0.5)
    proba[1, 2] = [0.9, 0.3]
    with pytest.raises(BadProbabilities, match=r"1 of 3 rows.*row 2"):
        measure(proba)
    with pytest.raises(BadProbabilities, match="one member at least"):
        measure(np.empty((0, 3, 2)))


def make_ids(n_items: int) -> np.ndarray:
    return np.array([f"mail-{index:04d}" for index in range(n_items)])


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


def test_worked_by_hand_for_a_mail_that_is_unsolicited_at_eight_to_two():
    # Knowing earns 0.8 * 5 + 0.2 * 0 = 4; holding it back 0.8 * 5 - 0.2 * 50 = -6, letting it through -0.8 * 10 = -8.
    assert value_of_knowing(np.array([[0.2, 0.8]]), value_matrix(MAIL)).tolist() == pytest.approx([4 + 6])


def test_certainty_is_worth_nothing_and_the_threshold_is_worth_most():
    p = np.linspace(0, 1, 1301)
    worth = value_of_knowing(np.column_stack([1 - p, p]), value_matrix(MAIL))
    assert worth[[0, -1]].tolist() == [0.0, 0.0]
    assert p[worth.argmax()] == pytest.approx(50 / 65)  # where both decisions earn the same
    assert (worth >= 0).all()


def test_with_even_costs_it_ranks_as_least_confidence_does():
    proba = np.random.default_rng(2).dirichlet([1, 1, 1], size=40)
    assert np.allclose(value_of_knowing(proba, np.eye(3)), 1 - proba.max(axis=1))


def test_one_bad_row_and_values_for_other_classes_are_refused():
    with pytest.raises(BadProbabilities, match="1 of 2 rows"):
        value_of_knowing(np.array([[0.5, 0.5], [0.9, 0.9]]), value_matrix(MAIL))
    with pytest.raises(BadProbabilities, match="one column for each class"):
        value_of_knowing(np.array([[0.5, 0.5]]), np.eye(3))
