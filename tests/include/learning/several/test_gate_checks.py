import numpy as np

from include.learning.several.gate_checks import check_calibrated_classes, check_no_class_pays
from include.learning.several.targets import Targets
from include.stats.bootstrap import draw_blocks

RNG = np.random.default_rng(5)
P = RNG.dirichlet([2.0, 2.0, 1.0], 1_500)
CODES = np.array([RNG.choice(3, p=row) for row in P])
TARGETS = Targets(("a", "b", "c"), np.eye(3, dtype=bool)[CODES], False)
RESAMPLES = draw_blocks(np.arange(1_500) // 15, np.random.default_rng(0))
WORSE = P.copy()
WORSE[:, 1] *= 0.2  # one class is said far too seldom
WORSE /= WORSE.sum(axis=1, keepdims=True)


def test_only_the_class_that_is_off_fails():
    assert [check.is_pass for check in check_calibrated_classes(TARGETS, P, 0.05)] == [True, True, True]
    found = {check.check_name: check for check in check_calibrated_classes(TARGETS, WORSE, 0.1)}
    assert not found["is_calibrated_b"].is_pass
    assert found["is_calibrated_b"].detail.startswith("b: the probabilities are 0.")


def test_beside_a_champion_the_bound_is_its_own_error():
    assert all(check.is_pass for check in check_calibrated_classes(TARGETS, WORSE, 0.0, WORSE, 0.02))
    assert not all(check.is_pass for check in check_calibrated_classes(TARGETS, WORSE, 0.0, P, 0.02))


def test_a_class_that_pays_for_the_others_fails_and_equals_pass():
    assert all(check.is_pass for check in check_no_class_pays(TARGETS, P, P, RESAMPLES, "v1"))
    found = {check.check_name: check.is_pass for check in check_no_class_pays(TARGETS, WORSE, P, RESAMPLES, "v1")}
    assert found["keeps_b"] is False
    assert all(check.is_pass for check in check_no_class_pays(TARGETS, P, WORSE, RESAMPLES, "v1"))
