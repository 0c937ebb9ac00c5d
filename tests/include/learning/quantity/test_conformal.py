"""Offsets that make intervals hold, and how often they do."""

import numpy as np
import pytest

from include.learning.quantity.conformal import offsets_of, rows_needed
from include.learning.quantity.levels import Answers, Levels

LEVELS = Levels("squared", 0.9, 0.75)


def test_offsets_are_worked_by_hand():
    actual, said = np.arange(1.0, 20.0), np.zeros((19, 4))
    # Of 19 rows the 19th is the upper end: ceil(20 * 0.95); the lower end is the first.
    assert offsets_of(LEVELS, said, actual).tolist() == [10.0, 1.0, 19.0, 14.5]


def test_a_mirror_mirrors_the_ends():
    rng = np.random.default_rng(3)
    said, actual = rng.normal(size=(200, 4)), rng.exponential(size=200)
    there = offsets_of(LEVELS, said, actual)
    back = offsets_of(LEVELS, -said[:, [0, 2, 1, 3]], -actual)
    assert there[[1, 2]] == pytest.approx(-back[[2, 1]])


@pytest.mark.parametrize(("loss", "expected"), [("squared", 4.0), ("absolute", 2.0)])
def test_a_mean_moves_by_the_mean_and_a_median_by_the_median(loss, expected):
    actual = np.array([1.0, 2.0, 9.0])
    assert offsets_of(Levels(loss, 0.9, 0.5), np.zeros((3, 4)), actual)[0] == expected


@pytest.mark.parametrize(("interval", "n_rows"), [(0.9, 19), (0.8, 9), (0.5, 3)])
def test_an_interval_needs_so_many_rows(interval, n_rows):
    assert rows_needed(Levels("squared", interval, 0.5)) == n_rows


@pytest.mark.parametrize("n_rows", [40, 200])
def test_stated_90_of_100_hold_whatever_the_forecast_says(n_rows):
    rng, held = np.random.default_rng(11), []
    for _ in range(400):
        actual = rng.standard_t(3, n_rows + 20) + 5
        said = np.tile([0.0, 1.0, 2.0, 0.0], (n_rows + 20, 1))
        moved = said[n_rows:] + offsets_of(LEVELS, said[:n_rows], actual[:n_rows])
        held.append(Answers.from_table(moved).is_held(actual[n_rows:]).mean())
    # Finite rows make it (n + 1) in place of n: never below, by two rows at most above.
    assert 0.895 <= np.mean(held) <= 0.9 + 2 / n_rows + 0.01
