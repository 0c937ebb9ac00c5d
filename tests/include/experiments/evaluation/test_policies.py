import numpy as np
import pytest

from include.experiments.evaluation.policies import AS_LOGGED, UNIFORM, PropensitySum, evaluate_policies

VARIANTS = ["none", "large"]
PARTS = [PropensitySum("none", 0.25, 100, 20), PropensitySum("large", 0.75, 300, 150)]


def values(parts, estimator, variants=VARIANTS):
    return {found.policy: found.value for found in evaluate_policies(parts, variants) if found.estimator == estimator}


def test_every_policy_is_worked_by_hand():
    # With true propensities an arm's rate is what sending it to everybody brings.
    for estimator in ("ips", "snips", "dm", "dr", "switch_dr"):
        expected = {AS_LOGGED: 170 / 400, "none": 0.2, "large": 0.5, UNIFORM: 0.35}
        assert values(PARTS, estimator) == pytest.approx(expected), estimator


def test_a_unit_without_propensity_is_counted_and_not_used():
    missing = [PropensitySum("large", 0.0, 7, 7), PropensitySum("none", 1.5, 2, 0)]
    found = evaluate_policies([*PARTS, *missing], VARIANTS)
    assert {(one.n_units, one.n_left_out) for one in found} == {(400, 9)}
    assert values([*PARTS, *missing], "snips") == pytest.approx(values(PARTS, "snips"))


def test_a_variant_never_sent_has_no_value_and_no_effective_unit():
    found = [one for one in evaluate_policies(PARTS, [*VARIANTS, "new"]) if one.policy == "new"]
    assert {(one.value, one.low, one.n_effective_units) for one in found} == {(None, None, 0.0)}
    assert len(found) == 5


def test_heavy_units_are_left_to_the_model_by_the_switch_alone():
    parts = [*PARTS, PropensitySum("none", 0.01, 1, 1)]
    found = {one.estimator: one for one in evaluate_policies(parts, VARIANTS) if one.policy == "none"}
    assert found["dr"].largest_weight == pytest.approx(100)
    assert found["dr"].value > found["switch_dr"].value + 0.1


def test_fewer_than_two_units_give_no_estimate():
    assert evaluate_policies([PropensitySum("none", 0.5, 1, 1)], VARIANTS) == []


def test_the_order_of_the_parts_changes_no_digit():
    rng = np.random.default_rng(0)
    parts = [
        PropensitySum(str(rng.choice(VARIANTS)), float(rng.uniform(0.01, 1)), int(n), int(n // 3))
        for n in rng.integers(1, 999, 60)
    ]
    expected = evaluate_policies(parts, VARIANTS)
    for _ in range(20):
        rng.shuffle(parts)
        assert evaluate_policies(parts, VARIANTS) == expected
