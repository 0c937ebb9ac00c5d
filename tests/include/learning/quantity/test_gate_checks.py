"""Whether intervals hold, as the gate asks."""

import numpy as np
import pytest

from include.learning.quantity.gate_checks import check_coverage
from include.learning.quantity.levels import Answers
from include.stats.bootstrap import draw_blocks
from tests.include.learning.quantity.conftest import LEVELS


def check(share, n_days=30):
    n_rows = 100 * n_days
    actual = np.where(np.arange(n_rows) % 100 < 100 * share, 0.0, 5.0)
    table = np.tile([0.0, -1.0, 1.0, 0.0], (n_rows, 1))
    resamples = draw_blocks(np.arange(n_rows) // 100, np.random.default_rng(0))
    return check_coverage(actual, Answers.from_table(table), LEVELS, resamples)


@pytest.mark.parametrize(("share", "is_pass"), [(0.9, True), (0.86, True), (0.84, False), (1.0, True)])
def test_intervals_that_surely_hold_too_few_rows_fail(share, is_pass):
    found = check(share)
    assert found.is_pass is is_pass
    assert f"Of 100 held-out rows {100 * share:.1f} lie within" in found.detail


def test_a_single_day_says_how_many_held_and_has_no_interval():
    found = check(0.8, n_days=1)
    assert not found.is_pass
    assert "(no interval, 100 rows, 1 block" in found.detail
