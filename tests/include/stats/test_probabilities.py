import numpy as np
import pytest
from sklearn.metrics import log_loss

from include.errors import BadProbabilities
from include.stats.probabilities import (
    LEAST_PROBABILITY,
    require_class_probabilities,
    require_probabilities,
    row_log_loss,
)


@pytest.mark.parametrize("bad", [-0.1, 1.5, float("nan"), float("inf")])
def test_one_value_that_is_no_probability_is_refused_and_named(bad: float):
    with pytest.raises(BadProbabilities, match=r"1 of 3 values.*row 1"):
        require_probabilities(np.array([0.2, bad, 1.0]))


def test_of_several_bad_values_the_worst_is_named():
    with pytest.raises(BadProbabilities, match=r"2 of 3 values.*row 2, 7\.0"):
        require_probabilities(np.array([1.1, 0.5, 7.0]))


@pytest.mark.parametrize("bad_row", [[0.9, 0.3], [-0.1, 1.1], [float("nan"), 1.0]])
def test_one_row_that_does_not_sum_to_one_is_refused_and_named(bad_row: list[float]):
    with pytest.raises(BadProbabilities, match=r"1 of 3 rows.*row 1"):
        require_class_probabilities(np.array([[0.5, 0.5], bad_row, [1.0, 0.0]]))


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_a_single_class_is_no_choice(shape: tuple[int, ...]):
    with pytest.raises(BadProbabilities, match="at least 2 classes"):
        require_class_probabilities(np.full(shape, 1.0))


def test_nothing_and_single_precision_pass():
    require_probabilities(np.empty(0))
    require_class_probabilities(np.full((2, 3), 1 / 3, dtype=np.float32))


def test_log_loss_is_that_of_a_second_implementation():
    rng = np.random.default_rng(3)
    p, is_positive = rng.uniform(0.001, 0.999, 500), rng.random(500) < 0.4
    assert row_log_loss(is_positive, p).mean() == pytest.approx(log_loss(is_positive, p))


def test_a_certain_and_wrong_row_costs_as_much_as_one_in_a_million():
    costs = row_log_loss(np.array([True, False, True]), np.array([0.0, 1.0, 1.0]))
    assert costs.tolist() == pytest.approx([-np.log(LEAST_PROBABILITY)] * 2 + [0.0], abs=2e-6)


def test_single_precision_of_one_is_not_taken_for_certain():
    assert np.isfinite(row_log_loss(np.array([False]), np.array([1.0], dtype=np.float32))).all()
