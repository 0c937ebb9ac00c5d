import numpy as np
import pytest

from include.errors import BadProbabilities
from include.problems.sections.learning import Value
from include.review.expected_cost import value_matrix, value_of_knowing

MAIL = Value(unit="cents", true_positive=5, false_positive=-50, true_negative=0, false_negative=-10)


def test_the_worth_of_each_outcome_stands_at_its_decision_and_its_truth():
    assert value_matrix(MAIL).tolist() == [[0, -10], [-50, 5]]


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
