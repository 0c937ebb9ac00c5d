import numpy as np
import pytest

from include.errors import BadProbabilities
from include.learning.errors import BadLabels
from include.learning.label_errors.confident_learning import find_suspects


def two(*p_positive):
    p = np.array(p_positive)
    return np.column_stack([1 - p, p])


def test_the_example_worked_by_hand():
    given = np.array([0, 0, 0, 1, 1, 1])
    found = find_suspects(given, two(0.1, 0.2, 0.9, 0.8, 0.7, 0.3))
    # t_0 = (.9 + .8 + .1) / 3 = .6 and t_1 = (.8 + .7 + .3) / 3 = .6: rows 2 and 5 are surely the other class.
    assert found.thresholds.tolist() == pytest.approx([0.6, 0.6])
    assert found.confident_joint.tolist() == [[2, 1], [1, 2]]
    assert found.rows.tolist() == [2, 5]
    assert found.suggested.tolist() == [1, 0]
    assert found.given_probability.tolist() == pytest.approx([0.1, 0.3])


def test_a_class_that_the_model_is_never_sure_of_asks_for_less():
    given = np.array([0, 0, 0, 0, 1, 1])
    found = find_suspects(given, two(0.05, 0.05, 0.05, 0.55, 0.4, 0.3))
    # t_1 is only .35, and row 3 is above it: a threshold of one half for all would find it too, but not count row 4.
    assert found.thresholds.tolist() == pytest.approx([0.825, 0.35])
    assert found.rows.tolist() == [3]
    assert found.confident_joint.tolist() == [[3, 1], [0, 1]]


def test_a_class_less_probable_than_the_given_one_is_no_suspect():
    given = np.array([0, 0, 0, 1, 1])
    found = find_suspects(given, two(0.01, 0.01, 0.35, 0.3, 0.3))
    assert found.confident_joint[0, 1] == 1
    assert found.rows.tolist() == []


def test_flipped_labels_are_found_among_right_ones():
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 3, 600)
    proba = rng.dirichlet([1, 1, 1], 600) * 0.3 + 0.7 * np.eye(3)[truth]
    given, flipped = truth.copy(), rng.choice(600, 30, replace=False)
    given[flipped] = (truth[flipped] + 1) % 3
    found = find_suspects(given, proba)
    # Sure means above the mean of the class: about half of the flipped ones are, and no right one.
    assert set(found.rows) <= set(flipped)
    assert len(found.rows) >= 12
    assert (found.suggested == truth[found.rows]).all()


def test_renaming_the_classes_and_moving_the_rows_changes_no_suspect():
    rng = np.random.default_rng(2)
    given, proba = rng.integers(0, 3, 200), rng.dirichlet([1, 1, 1], 200)
    expected = set(find_suspects(given, proba).rows.tolist())
    names, order = np.array([2, 0, 1]), rng.permutation(200)
    renamed = find_suspects(names[given], proba[:, np.argsort(names)])
    moved = find_suspects(given[order], proba[order])
    assert expected
    assert set(renamed.rows.tolist()) == expected
    assert set(order[moved.rows].tolist()) == expected


def test_one_class_only_and_no_rows_have_no_suspects():
    assert find_suspects(np.zeros(3, dtype=int), two(0.1, 0.9, 0.5)).rows.tolist() == []
    assert find_suspects(np.empty(0, dtype=int), np.empty((0, 2))).rows.tolist() == []


def test_one_bad_label_or_row_among_good_ones_is_refused_and_named():
    with pytest.raises(BadLabels, match=r"1 of 3 labels.*row 1, 2"):
        find_suspects(np.array([0, 2, 1]), two(0.1, 0.2, 0.3))
    with pytest.raises(BadLabels, match="2 labels for 3 rows"):
        find_suspects(np.array([0, 1]), two(0.1, 0.2, 0.3))
    bad = two(0.1, 0.2, 0.3)
    bad[1] = [np.nan, 1.0]
    with pytest.raises(BadProbabilities, match=r"1 of 3 rows.*row 1"):
        find_suspects(np.array([0, 1, 1]), bad)
