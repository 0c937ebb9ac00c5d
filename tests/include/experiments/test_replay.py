from include.experiments.replay import VariantSum, keep_on_policy
from include.experiments.rewards import UnitSum

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
