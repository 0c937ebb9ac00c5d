import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss, log_loss

from include.errors import BadCounts
from include.stats.corp import ScoredCells, draw_curve, recalibrate, split_brier, split_log_loss


def cells_of(p, y):
    """Count rows of one prediction together, the plain way."""
    values, place = np.unique(p, return_inverse=True)
    return ScoredCells(values, np.bincount(place).astype(float), np.bincount(place, weights=y))


# Said 0.1, 0.3, 0.6 and 0.8 of two rows each. Happened: 0, 2, 0 and 2 of 2; the middle two violate the order.
P = np.repeat([0.1, 0.3, 0.6, 0.8], 2)
Y = np.array([0, 0, 1, 1, 0, 0, 1, 1])
CELLS = cells_of(P, Y)


def test_neighbours_that_fall_are_pooled_worked_by_hand():
    assert recalibrate(CELLS).tolist() == [0.0, 0.5, 0.5, 1.0]
    score = float(np.mean((P - Y) ** 2))
    parts = split_brier(CELLS, score)
    # Recalibrated: half of the rows cost a quarter each. The base rate is a half.
    assert (parts.uncertainty, parts.discrimination, parts.miscalibration) == (0.25, 0.125, score - 0.125)
    nats = split_log_loss(CELLS, 1.0)
    assert (nats.uncertainty, nats.discrimination) == pytest.approx((np.log(2), np.log(2) / 2))


def test_a_constant_that_is_right_has_parts_of_zero_and_not_below():
    p, y = np.full(10, 0.3), np.arange(10) < 3
    parts = split_brier(cells_of(p, y), float(np.mean((p - y) ** 2)))
    assert (parts.miscalibration, parts.discrimination) == (0.0, 0.0)


ROWS = st.lists(st.tuples(st.integers(1, 39), st.booleans()), min_size=1, max_size=120)


@given(ROWS)
def test_the_parts_are_those_of_scikit_learn_and_add_up(rows):
    p, y = np.array([value / 40 for value, _ in rows]), np.array([int(label) for _, label in rows])
    cells, brier, nats = cells_of(p, y), brier_score_loss(y, p, labels=[0, 1]), log_loss(y, p, labels=[0, 1])
    fitted = IsotonicRegression(y_min=0, y_max=1).fit(p, y).predict(p)
    assert recalibrate(cells) == pytest.approx(np.unique(np.column_stack([p, fitted]), axis=0)[:, 1], abs=1e-9)
    parts = split_brier(cells, brier)
    assert parts.miscalibration == pytest.approx(brier - np.mean((fitted - y) ** 2), abs=1e-9)
    assert parts.discrimination == pytest.approx(np.mean((y.mean() - y) ** 2) - np.mean((fitted - y) ** 2), abs=1e-9)
    assert parts.miscalibration > -1e-12
    assert parts.discrimination > -1e-12
    assert parts.score == pytest.approx(brier, abs=1e-12)
    in_nats = split_log_loss(cells, nats)
    safe = np.clip(fitted, 1e-15, 1 - 1e-15)
    assert in_nats.miscalibration == pytest.approx(nats - log_loss(y, safe, labels=[0, 1]), abs=1e-9)
    assert in_nats.score == pytest.approx(nats, abs=1e-12)


@given(ROWS)
def test_the_points_are_on_the_curve_and_hold_every_row_once(rows):
    p, y = np.array([value / 40 for value, _ in rows]), np.array([int(label) for _, label in rows])
    cells = cells_of(p, y)
    curve = draw_curve(cells, seed=1, n_draws=10)
    at = np.searchsorted(cells.p, curve.p)
    assert curve.recalibrated.tolist() == recalibrate(cells)[at].tolist()
    assert (curve.n_rows.sum(), curve.n_positive.sum()) == (len(y), y.sum())
    # Between its points the curve is straight, so that nothing of it is lost.
    assert np.interp(cells.p, curve.p, curve.recalibrated) == pytest.approx(recalibrate(cells), abs=1e-12)
    assert (np.diff(curve.recalibrated) >= 0).all()
    assert (curve.low <= curve.high).all()


def test_equal_seeds_give_equal_bands_and_others_do_not():
    cells = ScoredCells(np.arange(1, 10) / 10, np.full(9, 500.0), np.arange(1, 10) * 50.0)
    first, again, other = (draw_curve(cells, seed) for seed in (1, 1, 2))
    assert (first.low.tolist(), first.high.tolist()) == (again.low.tolist(), again.high.tolist())
    assert first.high.tolist() != other.high.tolist()


def test_nine_of_ten_faultless_curves_are_inside_the_band_at_a_point():
    rng = np.random.default_rng(5)
    inside = []
    for seed in range(150):
        p = np.sort(rng.beta(2, 5, 400)).round(2)
        curve = draw_curve(cells_of(p, rng.random(400) < p), seed, n_draws=200)
        inside.append(np.mean((curve.low <= curve.recalibrated) & (curve.recalibrated <= curve.high)))
    assert 0.87 < np.mean(inside) < 0.97


def test_a_model_that_says_too_much_leaves_the_band():
    p = np.repeat(np.arange(1, 10) / 10, 200)
    y = np.random.default_rng(6).random(len(p)) < 0.6 * p
    curve = draw_curve(cells_of(p, y), 1)
    assert (curve.recalibrated < curve.low).mean() > 0.7


@pytest.mark.parametrize("n_positive", [[1.0, 3.0], [-1.0, 0.0]])
def test_counts_that_are_none_are_refused(n_positive):
    with pytest.raises(BadCounts, match="1 of 2 cells"):
        recalibrate(ScoredCells(np.array([0.1, 0.2]), np.array([2.0, 2.0]), np.array(n_positive)))


def test_nothing_has_no_curve():
    with pytest.raises(BadCounts, match="0 of 0 cells"):
        draw_curve(ScoredCells(np.zeros(0), np.zeros(0), np.zeros(0)), 1)
