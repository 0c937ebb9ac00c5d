import numpy as np
import pytest

from include.errors import MulgilError
from include.review.selection.covering import choose_covering, covering_radius, weigh_uncertainty


def make_heaps(n_each: int = 30) -> np.ndarray:
    """Four heaps, far from each other; of one heap the rows stand together."""
    centres = np.repeat([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0], [9.0, 9.0]], n_each, axis=0)
    return centres + np.random.default_rng(2).normal(0, 0.3, (4 * n_each, 2))


def heaps_of(chosen: np.ndarray, n_each: int = 30) -> list[int]:
    return sorted((chosen // n_each).tolist())


def test_four_choices_of_four_heaps_are_one_of_each():
    assert heaps_of(choose_covering(make_heaps(), np.ones(120), 4)) == [0, 1, 2, 3]


def test_a_heap_with_a_label_is_asked_about_last():
    covered = make_heaps()[:2]
    assert heaps_of(choose_covering(make_heaps(), np.ones(120), 3, covered=covered)) == [1, 2, 3]


def test_what_weighs_nothing_is_not_worth_a_question():
    weights = np.repeat([1.0, 1.0, 0.0, 0.0], 30)
    assert set(heaps_of(choose_covering(make_heaps(), weights, 8))) == {0, 1}


def test_each_choice_covers_most_of_what_the_ones_before_left_open():
    vectors = np.random.default_rng(5).normal(size=(60, 3))
    weights = np.random.default_rng(6).random(60)
    chosen = choose_covering(vectors, weights, 12)
    scale = covering_radius(vectors.astype(np.float32), 12) ** 2
    covers = np.exp(-((vectors[:, None] - vectors[None]) ** 2).sum(axis=2) / scale)
    is_covered, expected = np.zeros(60), []
    for _ in range(12):
        gains = np.maximum(covers - is_covered, 0.0) @ weights
        gains[expected] = -1.0
        expected.append(int(gains.argmax()))
        is_covered = np.maximum(is_covered, covers[expected[-1]])
    assert chosen.tolist() == expected


def test_of_near_copies_one_is_asked_about_and_the_batch_is_smaller():
    vectors = np.array([[0.0, 0.0], [0.1, 0.0], [5.0, 0.0]])
    assert len(choose_covering(vectors, np.ones(3), 3, near_distance=0.05)) == 3
    assert len(choose_covering(vectors, np.ones(3), 3, near_distance=0.2)) == 2


def test_where_nothing_tells_items_apart_the_heaviest_are_asked_about():
    assert choose_covering(np.zeros((5, 3)), np.array([1.0, 5, 3, 2, 4]), 3).tolist() == [1, 4, 2]


@pytest.mark.parametrize(("n_items", "n_chosen", "expected"), [(0, 3, 0), (1, 3, 1), (5, 0, 0), (40, 40, 40)])
def test_never_more_than_there_are_and_nobody_twice(n_items, n_chosen, expected):
    vectors = np.arange(2.0 * n_items).reshape(n_items, 2)
    assert len(set(choose_covering(vectors, np.ones(n_items), n_chosen).tolist())) == expected


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
def test_one_weight_that_is_none_is_refused_and_named(weight):
    with pytest.raises(MulgilError, match="1 of 3 items"):
        choose_covering(np.eye(3), np.array([1.0, weight, 1.0]), 2)


def test_many_choices_reach_less_far_than_few():
    places = make_heaps().astype(np.float32)
    assert covering_radius(places, 60) < covering_radius(places, 4) < 9.0


def test_doubt_weighs_by_what_the_model_is_to_be_believed():
    scores, stands_for = np.array([0.0, 1.0]), np.array([3.0, 1.0])
    assert weigh_uncertainty(scores, stands_for, 0.0).tolist() == [3.0, 1.0]
    assert weigh_uncertainty(scores, stands_for, 0.5).tolist() == [1.5, 2.5]
    assert weigh_uncertainty(scores, stands_for, 1.0).tolist() == [0.0, 4.0]


def test_an_item_without_a_score_weighs_as_the_mean():
    assert weigh_uncertainty(np.array([np.nan, 2.0, 0.0]), np.ones(3), 1.0).tolist() == [1.0, 2.0, 0.0]
    assert weigh_uncertainty(np.zeros(2), np.array([3.0, 1.0]), 1.0).tolist() == [3.0, 1.0]
