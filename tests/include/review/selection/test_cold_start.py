import numpy as np

from include.review.selection.cold_start import choose_spread


def make_pool() -> np.ndarray:
    """Ninety-nine items in three heaps, and one that is like nothing else."""
    noise = np.random.default_rng(3).normal(0, 0.2, (99, 2))
    return np.concatenate([np.repeat([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]], 33, axis=0) + noise, [[40.0, -40.0]]])


def choose(pool: np.ndarray, n_chosen: int) -> tuple[np.ndarray, np.ndarray]:
    return choose_spread(pool, np.ones(len(pool)), n_chosen, np.random.default_rng(1))


def test_what_is_typical_comes_from_every_heap_and_what_is_odd_beside_it():
    spread, outliers = choose(make_pool(), 10)
    assert (len(spread), len(outliers)) == (9, 1)
    assert {row // 33 for row in spread} >= {0, 1, 2}
    assert 99 in {*spread.tolist(), *outliers.tolist()}


def test_the_oddest_item_that_no_region_stands_for_is_the_outlier():
    pool = np.concatenate([make_pool(), [[41.0, -41.0]]])
    spread, outliers = choose(pool, 10)
    assert set(outliers.tolist()) <= {99, 100}
    assert not set(outliers.tolist()) & set(spread.tolist())


def test_nobody_is_chosen_twice():
    spread, outliers = choose(make_pool(), 60)
    assert len({*spread.tolist(), *outliers.tolist()}) == len(spread) + len(outliers) == 60


def test_a_small_batch_has_no_outliers_and_an_empty_pool_nothing():
    assert [len(part) for part in choose(make_pool(), 9)] == [9, 0]
    assert [len(part) for part in choose(np.empty((0, 2)), 9)] == [0, 0]
