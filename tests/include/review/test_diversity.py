import numpy as np
import pytest

from include.errors import MulgilError
from include.review.diversity import choose_diverse, drop_near_copies, find_medoids


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def make_heaps(n_heaps: int = 4, n_each: int = 30) -> np.ndarray:
    centres = 10.0 * np.eye(n_heaps)
    return np.concatenate([centre + rng(7).normal(0, 0.1, (n_each, n_heaps)) for centre in centres])


def test_every_heap_gives_one_item():
    chosen = choose_diverse(make_heaps(), np.ones(120), 4, rng())
    assert sorted(chosen // 30) == [0, 1, 2, 3]


def test_where_doubt_is_more_items_come_from():
    weights = np.where(np.arange(120) < 30, 1.0, 1e-9)
    chosen = choose_diverse(make_heaps(), weights, 4, rng())
    assert (chosen[:2] < 30).all()
    assert (choose_diverse(make_heaps(), np.ones(120), 4, rng()) < 30).sum() == 1


def test_the_heaviest_comes_first():
    weights = np.linspace(0.1, 1, 120)
    chosen = choose_diverse(make_heaps(), weights, 4, rng())
    assert weights[chosen].tolist() == sorted(weights[chosen], reverse=True)


def test_a_heap_of_copies_gives_one_item_however_doubtful_it_is():
    vectors = np.concatenate([np.zeros((50, 2)), np.array([[5.0, 0], [0, 5.0], [5.0, 5.0]])])
    weights = np.concatenate([np.full(50, 9.0), np.ones(3)])
    chosen = choose_diverse(vectors, weights, 10, rng())
    assert sorted(chosen.tolist())[1:] == [50, 51, 52]
    assert len(chosen) == 4


def test_the_near_distance_decides_what_a_copy_is():
    vectors = np.array([[0.0], [0.1], [1.0]])
    weights = np.array([3.0, 2.0, 1.0])
    assert len(choose_diverse(vectors, weights, 3, rng(), near_distance=0.05)) == 3
    assert sorted(choose_diverse(vectors, weights, 3, rng(), near_distance=0.2).tolist()) == [0, 2]


def test_a_description_that_tells_nobody_apart_leaves_the_ranking():
    assert choose_diverse(np.zeros((5, 3)), np.array([1.0, 5, 3, 2, 4]), 3, rng()).tolist() == [1, 4, 2]


@pytest.mark.parametrize(("n_items", "n_chosen", "expected"), [(0, 3, 0), (1, 3, 1), (5, 0, 0), (5, 9, 5)])
def test_there_are_never_more_than_there_are(n_items, n_chosen, expected):
    vectors = np.arange(n_items, dtype=float)[:, None]
    assert len(set(choose_diverse(vectors, np.ones(n_items), n_chosen, rng()).tolist())) == expected


def test_without_any_doubt_all_weigh_alike():
    assert len(find_medoids(make_heaps(), np.zeros(120), 4, rng())) == 4


def test_the_queue_is_kept_in_its_order():
    vectors = np.array([[0.0], [1.0], [1.0], [2.0]])
    assert drop_near_copies(vectors, np.array([3, 2, 1, 0]), 3, 0.0).tolist() == [3, 2, 0]


@pytest.mark.parametrize(("weight", "value"), [(-1.0, 0.0), (np.nan, 0.0), (1.0, np.inf)])
def test_one_unusable_item_among_good_ones_is_refused_and_named(weight, value):
    vectors, weights = np.arange(4.0)[:, None], np.ones(4)
    weights[2], vectors[2, 0] = weight, value if value else 2.0
    with pytest.raises(MulgilError, match=r"1 of 4 items.*row 2"):
        choose_diverse(vectors, weights, 2, rng())
