import math

import numpy as np
import pytest
from scipy.stats import entropy as scipy_entropy

from include.errors import BadProbabilities
from include.review.committee import divergence_from_consensus, vote_entropy

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
