import math

import numpy as np
import pytest
from scipy.stats import entropy as scipy_entropy

from include.errors import BadProbabilities
from include.review.selection.uncertainty import predictive_entropy


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
