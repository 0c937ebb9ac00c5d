import numpy as np

from include.review.cold_start import choose_spread


def make_pool() -> np.ndarray:
    """Ninety-nine items in three heaps, and one that is like nothing else."""
    noise = np.random.default_rng(3).normal(0, 0.2, (99, 2))
    return np.concatenate([np.repeat([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]], 33, axis=0) + noise, [[40.0, -40.0]]])


def test_what_is_typical_comes_from_every_heap_and_what_is_odd_beside_it():
    spread, outliers = choose_spread(make_pool(), 10, np.random.default_rng(1))
    assert (len(spread), len(outliers)) == (9, 1)
    assert {row // 33 for row in spread} >= {0, 1, 2}
    assert 99 in {*spread.tolist(), *outliers.tolist()}


def test_the_oddest_item_that_no_region_stands_for_is_the_outlier():
    pool = np.concatenate([make_pool(), [[41.0, -41.0]]])
    spread, outliers = choose_spread(pool, 10, np.random.default_rng(1))
    assert {99, 100} <= {*spread.tolist(), *outliers.tolist()}


def test_nobody_is_chosen_twice():
    spread, outliers = choose_spread(make_pool(), 60, np.random.default_rng(1))
    assert len({*spread.tolist(), *outliers.tolist()}) == len(spread) + len(outliers) == 60


def test_a_small_batch_has_no_place_for_the_odd_and_an_empty_pool_none_for_anybody():
    assert [len(part) for part in choose_spread(make_pool(), 9, np.random.default_rng(1))] == [9, 0]
    assert [len(part) for part in choose_spread(np.empty((0, 2)), 9, np.random.default_rng(1))] == [0, 0]
