COLUMNS = ("decision", "winner", "decided_partition_key", "best_probability", "n_checks", "n_checks_passed")


def decided(key, outcome, is_final, **changes):
    return {"partition_key": key, "outcome": outcome, "is_final": is_final} | changes


def lift(kind, key, lift_ratio, **changes):
    return {"kind": kind, "partition_key": key, "lift_ratio": lift_ratio} | changes


def test_the_first_final_decision_counts_with_its_checks(fill, read):
    winner = {"variant": "large", "best_probability": 0.99}
    fill("experiment_decision", decided("04", "wait", False), decided("05", "winner", True, **winner))
    fill("experiment_decision", decided("06", "winner", True, **winner))
    fill("experiment_check", {"check_name": "sample_ratio"}, {"check_name": "maturity"}, partition_key="05")
    fill("experiment_check", {"check_name": "maturity", "is_pass": False}, partition_key="04")
    assert read("experiment_result", *COLUMNS) == [("winner", "large", "05", 0.99, 2, 2)]
    assert read("experiment_result", "is_every_check_passed", "failed_checks") == [(True, None)]


def test_an_undecided_experiment_shows_its_newest_window_and_why_not(fill, read):
    fill("experiment_decision", decided("04", "wait", False), decided("05", "blocked", False, variant=None))
    failed = {"check_name": "sample_ratio", "is_pass": False, "detail": "700 of 1000, 500 expected."}
    fill("experiment_check", failed, {"check_name": "maturity"}, partition_key="05")
    assert read("experiment_result", *COLUMNS) == [("blocked", None, "05", None, 2, 1)]
    expected = [(False, "700 of 1000, 500 expected.")]
    assert read("experiment_result", "is_every_check_passed", "failed_checks") == expected


def test_promised_and_realised_lift_are_those_of_the_decided_variant_as_of_their_newest_window(fill, read):
    fill("experiment_decision", decided("05", "winner", True, variant="large"))
    fill("experiment_lift", lift("promised", "05", 0.4, low=0.3, high=0.5), variant="large")
    fill(
        "experiment_lift", lift("realised", "06", 0.1), lift("realised", "07", 0.35, low=0.2, high=0.5), variant="large"
    )
    fill("experiment_lift", lift("promised", "08", 0.9), variant="small")
    columns = ("promised_lift_ratio", "promised_low", "promised_high", "realised_lift_ratio", "realised_low")
    assert read("experiment_result", *columns, "realised_partition_key") == [(0.4, 0.3, 0.5, 0.35, 0.2, "07")]


def test_no_winner_is_a_decision_for_the_control_without_lift(fill, read):
    fill("experiment_decision", decided("05", "no_winner", True, variant="none"))
    columns = ("decision", "winner", "variant_in_force", "promised_lift_ratio", "realised_lift_ratio", "n_checks")
    assert read("experiment_result", *columns) == [("no_winner", None, "none", None, None, 0)]
