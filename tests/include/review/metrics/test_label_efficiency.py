import numpy as np
import pytest

from include.errors import MulgilError
from include.review.metrics.label_efficiency import Curve, labels_needed, quality_gained


def make_curve(*points: tuple[float, float], half: float = 0.005) -> Curve:
    n_labels, value = (np.array(part, dtype=np.float64) for part in zip(*points, strict=True))
    return Curve(n_labels, value, value - half, np.minimum(value + half, 1.0))


CHANCE = make_curve((50, 0.90), (100, 0.94), (200, 0.96), (400, 0.97))


def needed(quality: float, curve: Curve = CHANCE, *, half: float = 0.005, seed: int = 0):
    return labels_needed(make_curve((60, quality), half=half), curve, np.random.default_rng(seed))


def test_a_quality_between_two_points_needs_labels_between_theirs():
    assert needed(0.94).value == pytest.approx(100)
    assert needed(0.95).value == pytest.approx(np.sqrt(100 * 200))


def test_the_interval_holds_the_value_and_is_wider_where_less_is_known():
    sure, unsure = needed(0.95, half=0.001), needed(0.95, half=0.008)
    assert sure.low < sure.value < sure.high
    assert unsure.low < sure.low


def test_what_chance_never_reached_has_a_lower_bound_at_most():
    found = needed(0.972)
    assert (found.value, found.high) == (None, None)
    assert 100 < found.low < 400


def test_what_the_first_point_had_already_needs_no_more_than_that():
    assert needed(0.85).value == 50


def test_a_dip_of_the_curve_does_not_take_back_what_it_had_reached():
    dipping = make_curve((50, 0.90), (100, 0.96), (200, 0.93))
    assert needed(0.955, dipping).value < 100


def test_a_perfect_ranking_of_few_items_has_an_interval_too():
    assert needed(1.0, half=0.04).low is not None


def test_a_better_quality_never_needs_fewer_labels():
    values = [needed(quality).value for quality in np.linspace(0.86, 0.97, 20)]
    assert values == sorted(values)


def test_without_a_control_arm_nothing_can_be_compared():
    empty = Curve(*(np.empty(0) for _ in range(4)))
    with pytest.raises(MulgilError, match="0 models were fitted on the control arm"):
        labels_needed(CHANCE, empty, np.random.default_rng(0))


def gained(of_all: Curve, by_chance: Curve = CHANCE, *, seed: int = 0):
    return quality_gained(of_all, by_chance, np.random.default_rng(seed))


def test_what_choosing_gained_is_read_off_at_as_many_labels_of_both():
    found = gained(make_curve((100, 0.95), (1600, 0.99)))
    assert (found.n_labels, found.value) == (400, pytest.approx(0.97 - 0.97))
    assert found.low < 0 < found.high


def test_a_gain_beyond_both_intervals_is_one_and_its_mirror_a_loss():
    better = make_curve((50, 0.93), (800, 0.995), half=0.001)
    sure_chance = make_curve((50, 0.90), (400, 0.97), half=0.001)
    assert gained(better, sure_chance).low > 0
    found, mirror = gained(better, sure_chance), gained(sure_chance, better)
    assert mirror.value == pytest.approx(-found.value)
    assert mirror.high < 0


@pytest.mark.parametrize("of_all", [make_curve((500, 0.9), (600, 0.9)), Curve(*(np.empty(0) for _ in range(4)))])
def test_curves_that_meet_nowhere_compare_nothing(of_all):
    assert gained(of_all) is None
    assert gained(CHANCE, Curve(*(np.empty(0) for _ in range(4)))) is None
