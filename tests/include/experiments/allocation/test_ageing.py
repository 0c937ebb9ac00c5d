import numpy as np
import pytest

from include.errors import BadExperiment
from include.experiments.allocation.ageing import discount_windows, keep_last_windows

WINDOWS = np.array([[8.0, 0.0], [4.0, 2.0], [1.0, 6.0]])


def test_discounted_windows_are_worked_by_hand():
    assert discount_windows(WINDOWS, 0.5).tolist() == [8 / 4 + 4 / 2 + 1, 0 + 2 / 2 + 6]


def test_nothing_is_forgotten_at_one():
    assert discount_windows(WINDOWS, 1.0).tolist() == WINDOWS.sum(axis=0).tolist()


def test_discounting_window_by_window_comes_to_the_same():
    running = np.zeros(2)
    for window in WINDOWS:
        running = 0.9 * running + window
    assert discount_windows(WINDOWS, 0.9) == pytest.approx(running)


@pytest.mark.parametrize(("n", "expected"), [(1, [1.0, 6.0]), (2, [5.0, 8.0]), (9, [13.0, 8.0])])
def test_only_the_last_windows_are_kept(n: int, expected: list[float]):
    assert keep_last_windows(WINDOWS, n).tolist() == expected


@pytest.mark.parametrize("factor", [0.0, 1.01])
def test_a_factor_that_forgets_all_or_grows_is_refused(factor: float):
    with pytest.raises(BadExperiment, match="cannot be discounted"):
        discount_windows(WINDOWS, factor)


def test_keeping_no_window_is_refused():
    with pytest.raises(BadExperiment, match="at least 1"):
        keep_last_windows(WINDOWS, 0)
