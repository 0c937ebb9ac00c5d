COLUMNS = ("decision", "winner", "decided_partition_key", "best_probability", "n_checks", "n_checks_passed")


def decided(key, outcome, is_final, **changes):
    return {"partition_key": key, "outcome": outcome, "is_final": is_final} | changes


def lift(kind, key, lift_ratio, **changes):
    return {"kind": kind, "partition_key": key, "lift_ratio": lift_ratio} | changes


def test_the_first_final_decision_counts_with_its_checks(fill, read):
    winner = {"variant": "large", "best_probability": 0.99, "is_claimed": True}
    fill("experiment_decision", decided("04", "wait", False), decided("05", "send", True, **winner))
    fill("experiment_decision", decided("06", "send", True, **winner))
    fill("experiment_check", {"check_name": "sample_ratio"}, {"check_name": "maturity"}, partition_key="05")
    fill("experiment_check", {"check_name": "maturity", "is_pass": False}, partition_key="04")
    assert read("experiment_result", *COLUMNS) == [("send", "large", "05", 0.99, 2, 2)]
    assert read("experiment_result", "is_every_check_passed", "failed_checks") == [(True, None)]


def test_an_undecided_experiment_shows_its_newest_window_and_why_not(fill, read):
    fill("experiment_decision", decided("04", "wait", False), decided("05", "blocked", False, variant=None))
    failed = {"check_name": "sample_ratio", "is_pass": False, "detail": "700 of 1000, 500 expected."}
    fill("experiment_check", failed, {"check_name": "maturity"}, partition_key="05")
    assert read("experiment_result", *COLUMNS) == [("blocked", None, "05", None, 2, 1)]
    expected = [(False, "700 of 1000, 500 expected.")]
    assert read("experiment_result", "is_every_check_passed", "failed_checks") == expected


def test_lifts_are_those_of_the_decided_variant_at_their_newest_window(fill, read):
    fill("experiment_decision", decided("05", "send", True, variant="large"))
    fill("experiment_lift", lift("promised", "05", 0.4, low=0.3, high=0.5), variant="large")
    fill(
        "experiment_lift", lift("realised", "06", 0.1), lift("realised", "07", 0.35, low=0.2, high=0.5), variant="large"
    )
    fill("experiment_lift", lift("promised", "08", 0.9), variant="small")
    columns = ("promised_lift_ratio", "promised_low", "promised_high", "realised_lift_ratio", "realised_low")
    assert read("experiment_result", *columns, "realised_partition_key") == [(0.4, 0.3, 0.5, 0.35, 0.2, "07")]


def test_keeping_the_control_is_a_decision_for_the_control_without_lift(fill, read):
    fill("experiment_decision", decided("05", "keep_control", True, variant="none"))
    columns = ("decision", "winner", "variant_in_force", "promised_lift_ratio", "realised_lift_ratio", "n_checks")
    assert read("experiment_result", *columns) == [("keep_control", None, "none", None, None, 0)]


def test_a_split_that_passed_but_is_unlikely_is_told_beside_the_decision(fill, read):
    fill("experiment_decision", decided("05", "send", True, variant="large"))
    likely = {"check_name": "maturity", "value": 0.001, "detail": "not asked"}
    fill(
        "experiment_check",
        {"check_name": "sample_ratio", "value": 0.0086, "detail": "look"},
        likely,
        partition_key="05",
    )
    assert read("experiment_result", "is_every_check_passed", "unlikely_checks") == [(True, "look")]


def test_a_likely_split_and_one_that_failed_are_no_hint(fill, read):
    fill("experiment_decision", decided("05", "blocked", False), decided("06", "blocked", False))
    fill("experiment_check", {"check_name": "sample_ratio", "value": 0.02}, partition_key="05")
    failed = {"check_name": "sample_ratio", "value": 0.0001, "is_pass": False}
    fill("experiment_check", failed, partition_key="06")
    assert read("experiment_result", "unlikely_checks") == [None]


def test_what_is_sent_without_proof_is_no_winner(fill, read):
    fill("experiment_decision", decided("05", "send", True, variant="large", is_claimed=False, claim="No proof."))
    columns = ("winner", "variant_in_force", "claim")
    assert read("experiment_result", *columns) == [(None, "large", "No proof.")]


def test_each_experiment_has_a_row_with_its_newest_phase(fill, read):
    for name, phase in (("mail", "hold"), ("price", "rest")):
        fill("experiment_decision", decided("05", "wait", False), experiment=name)
        fill("allocation", {"partition_key": "04", "phase": "pilot"}, experiment=name)
        fill("allocation", {"partition_key": "05", "phase": phase}, experiment=name)
    assert read("experiment_result", "experiment", "phase") == [("mail", "hold"), ("price", "rest")]


def test_a_new_plan_reopens_what_an_older_one_decided(fill, read):
    fill("experiment_plan", {"version": 1, "sha256": "a"}, {"version": 2, "sha256": "b"})
    fill("experiment_decision", decided("05", "send", True, variant="large"), plan_sha256="a")
    assert read("experiment_result", "decision", "plan_version") == [("send", 1)]
    fill("experiment_decision", decided("06", "blocked", False), plan_sha256="b")
    assert read("experiment_result", "decision", "plan_version", "is_final") == [("blocked", 2, False)]
