import pytest

from include.experiments.off_policy_replay import VariantSum, keep_on_policy
from include.experiments.rewards import ClusterSum, UnitSum

PARTS = [
    UnitSum("pilot", "none", False, 10, 8, 3),
    UnitSum("rest", "large", False, 5, 5, 4),
    UnitSum("rest", "large", True, 20, 15, 12),
    UnitSum("rest", "none", True, 7, 7, 2),
    UnitSum("holdback", "none", True, 6, 4, 1),
    UnitSum("holdback", "large", True, 9, 9, 8),
]


def test_after_a_decision_only_units_that_agree_with_it_count():
    assert keep_on_policy(PARTS, decided="large", control="none") == [
        VariantSum("holdback", "large", 9, 0, 0, 9),
        VariantSum("holdback", "none", 6, 4, 1, 0),
        VariantSum("pilot", "none", 10, 8, 3, 0),
        VariantSum("rest", "large", 25, 15, 12, 5),
        VariantSum("rest", "none", 7, 0, 0, 7),
    ]


def test_before_a_decision_only_the_pilot_counts():
    kept = keep_on_policy(PARTS, decided=None, control="none")
    assert [part.phase for part in kept if part.n_mature] == ["pilot"]
    assert sum(part.n_off_policy for part in kept) == 47


def test_when_the_control_is_sent_the_rest_with_the_control_counts():
    kept = keep_on_policy(PARTS, decided="none", control="none")
    assert [(part.phase, part.variant) for part in kept if part.n_mature] == [
        ("holdback", "none"),
        ("pilot", "none"),
        ("rest", "none"),
    ]


def test_another_control_keeps_other_held_back_units():
    kept = keep_on_policy(PARTS, decided="large", control="large")
    assert {part.variant: part.n_off_policy for part in kept if part.phase == "holdback"} == {"large": 0, "none": 6}


def test_no_policy_loses_or_doubles_a_unit():
    for decided in (None, "none", "large"):
        kept = keep_on_policy(PARTS, decided=decided, control="none")
        assert sum(part.n_units for part in kept) == sum(part.n_units for part in PARTS)


def test_clusters_add_up_as_their_units_do_and_give_the_design_effect():
    four = ClusterSum(50, 50, 800.0, 480.0, 480.0)
    parts = [
        UnitSum("pilot", "none", False, 200, 200, 120, four),
        UnitSum("rest", "none", False, 10, 10, 1, ClusterSum(9, 9, 12.0, 1.0, 1.0)),
        UnitSum("rest", "none", True, 200, 200, 120, four),
    ]
    pilot, rest = keep_on_policy(parts, decided="none", control="none")
    assert (pilot.clusters, pilot.n_drawn) == (four, 50)
    assert (rest.clusters, rest.n_units, rest.n_off_policy) == (four, 210, 10)
    # Households of 4, all alike: as much as one person each.
    assert pilot.design_effect == pytest.approx(4 * 50 / 49)


def test_without_clusters_every_unit_was_drawn_by_itself():
    part = VariantSum("pilot", "none", 10, 8, 3, 0)
    assert (part.n_drawn, part.design_effect) == (10, 1.0)
