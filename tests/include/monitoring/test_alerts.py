import pytest

from include.monitoring.alerts import (
    Thresholds,
    count_watched,
    drift_verdict,
    find_alerts,
    served_off_alerts,
    still_watched,
    thresholds_of,
)
from include.monitoring.drift import Drift
from include.problems.sections.monitor import Monitor
from include.stats.wilson import wilson_interval

LIMITS = Thresholds(psi=0.25, unseen=0.05, error=0.05, relative_error=0.5, minimum_rows=100, action="warn")


def make_drift(**changes):
    row = {
        "problem": "flight_delay",
        "partition_key": "2013-12",
        "feature": "temperature_f",
        "reference": "2013-01..2013-06",
        "is_in_reference": False,
        "n_rows": 200,
        "n_reference": 1000,
        "psi_ratio": 0.4,
        "psi_chance_ratio": 0.1,
        "psi_rest_ratio": None,
        "psi_rest_chance_ratio": None,
        "unseen_ratio": 0.0,
        "unseen_chance_ratio": 0.02,
        "verdict": "moved",
        "bins": [
            {"name": "up to 40", "n_rows": 120, "n_reference": 100},
            {"name": "above 40", "n_rows": 80, "n_reference": 900},
        ],
    }
    return row | changes


def make_summary(**changes):
    row = {
        "problem": "flight_delay",
        "partition_key": "2013-12",
        "model_version": "v1",
        "n_labelled": 200,
        "mean_predicted_ratio": 0.2,
        "positive_ratio": 0.35,
        "ece_ratio": 0.15,
        "ece_chance_ratio": 0.04,
        "ece_equal_count_ratio": 0.16,
        "ece_equal_count_chance_ratio": 0.06,
        "error_ratio": 0.15,
        "relative_error_ratio": 0.15 / 0.35,
    }
    return row | changes


def test_a_column_that_moved_is_told_in_rows_of_a_hundred():
    [alert] = find_alerts([make_drift()], [], LIMITS)
    assert alert["message"] == (
        "flight_delay, 2013-12: temperature_f has moved away from 2013-01..2013-06 (stability index 0.40, allowed "
        "below 0.25). Most of all 'up to 40': 10 of 100 rows before, 60 of 100 now."
    )
    assert (alert["alert_id"], alert["metric"], alert["subject"]) == (
        "drift",
        "psi_ratio",
        "temperature_f",
    )
    assert (alert["value"], alert["bound"], alert["action"]) == (0.4, 0.25, "warn")


def test_a_model_that_is_off_is_told_as_promise_and_outcome():
    [alert] = find_alerts([], [make_summary()], LIMITS)
    assert alert["message"] == (
        "flight_delay, 2013-12: v1 expected 20.0 of 100 rows to be positive, and 35.0 of 100 were (200 labelled rows). "
        "Its probabilities are off by 0.150 on average, allowed up to 0.05."
    )
    assert (alert["alert_id"], alert["metric"], alert["subject"]) == ("calibration", "error_ratio", "v1")
    assert (alert["value"], alert["bound"]) == (0.15, 0.05)


@pytest.mark.parametrize("change", [{"verdict": "stable"}, {"n_rows": 99}, {"is_in_reference": True}])
def test_a_move_that_is_small_thin_or_in_the_reference_is_no_alert(change):
    assert find_alerts([make_drift(**change)], [], LIMITS) == []


@pytest.mark.parametrize(
    "change",
    [
        {"error_ratio": 0.05},
        {"ece_ratio": None, "error_ratio": None},
        {"n_labelled": 99},
        {"ece_equal_count_chance_ratio": 0.16},
    ],
)
def test_an_error_that_is_small_thin_or_chance_is_no_alert(change):
    assert find_alerts([], [make_summary(**change)], LIMITS) == []


def test_a_cause_is_told_once_and_the_order_of_findings_does_not_matter():
    drifts = [make_drift(), make_drift(feature="p_positive"), make_drift(partition_key="2013-11")]
    summaries = [make_summary(), make_summary(model_version="v2")]
    found = find_alerts(drifts, summaries, LIMITS)
    assert found == find_alerts(drifts[::-1], summaries[::-1], LIMITS)
    keys = [(row["partition_key"], row["alert_id"], row["subject"]) for row in found]
    assert keys == [
        ("2013-11", "drift", "temperature_f"),
        ("2013-12", "calibration", "v2"),
        ("2013-12", "drift", "temperature_f"),
        ("2013-12", "output_drift", "p_positive"),
    ]


def test_a_hundred_columns_that_moved_are_one_alert_with_the_worst_named():
    drifts = [make_drift(feature=f"column_{n:03}", psi_ratio=0.3 + n / 100) for n in range(100)]
    drifts += [make_drift(feature="rare", psi_ratio=0.1, unseen_ratio=0.5)]
    [alert] = find_alerts(drifts, [], LIMITS, {("2013-12", "drift"): 120})
    assert alert["message"] == (
        "flight_delay, 2013-12: 101 of 120 watched columns have moved away from 2013-01..2013-06. The worst: rare "
        "(50.0 of 100 values never seen, allowed below 5); column_099 (stability index 1.29, allowed below 0.25); "
        "column_098 (stability index 1.28, allowed below 0.25)."
    )
    assert (alert["subject"], alert["n_watched"]) == ("rare, column_099, column_098 and 98 more", 120)
    assert (alert["metric"], alert["value"], alert["bound"]) == ("unseen_ratio", 0.5, 0.05)
    assert [row["subject"] for row in alert["findings"]][:2] == ["rare", "column_099"]
    assert len(alert["findings"]) == 101


def test_the_order_of_columns_changes_nothing_and_an_uncounted_total_is_not_claimed():
    drifts = [make_drift(feature=name) for name in "cab"]
    [alert] = find_alerts(drifts, [], LIMITS)
    assert [alert] == find_alerts(drifts[::-1], [], LIMITS)
    assert alert["subject"] == "a, b, c"
    assert "3 watched columns have moved" in alert["message"]


def test_columns_are_counted_by_partition_and_cause():
    measured = [("k1", "a"), ("k1", "b"), ("k1", "p_positive: late"), ("k2", "said: interval")]
    assert count_watched(measured) == {("k1", "drift"): 2, ("k1", "output_drift"): 1, ("k2", "output_drift"): 1}


def make_measured(**changes):
    figures = dict.fromkeys(Drift.__dataclass_fields__, 0.0) | {"n_rows": 100, "psi_rest_ratio": None}
    return Drift(**figures | changes)


@pytest.mark.parametrize(
    ("figures", "verdict"),
    [
        ({"psi_ratio": 0.3, "psi_chance_ratio": 0.1}, "moved"),
        ({"psi_ratio": 0.25, "psi_chance_ratio": 0.1}, "moved"),
        ({"psi_ratio": 0.2, "psi_chance_ratio": 0.1}, "stable"),
        ({"psi_ratio": 0.3, "psi_chance_ratio": 0.3}, "stable"),
        ({"unseen_ratio": 0.05, "unseen_chance_ratio": 0.04}, "moved"),
        ({"unseen_ratio": 0.05, "unseen_chance_ratio": 0.06}, "stable"),
        ({"psi_rest_ratio": 0.3, "psi_rest_chance_ratio": 0.2}, "moved"),
        ({"psi_rest_ratio": 0.3, "psi_rest_chance_ratio": 0.4}, "stable"),
        ({"psi_ratio": 9.9, "n_rows": 99}, "too_few_rows"),
    ],
)
def test_a_column_moved_when_it_matters_and_is_more_than_chance(figures, verdict):
    assert drift_verdict(make_measured(**figures), LIMITS) == verdict


def test_what_was_never_seen_is_told_where_the_index_is_small():
    [alert] = find_alerts([make_drift(psi_ratio=0.04, unseen_ratio=0.2)], [], LIMITS)
    assert (alert["metric"], alert["value"], alert["bound"]) == ("unseen_ratio", 0.2, 0.05)
    assert (
        "values that 2013-01..2013-06 never had, or outside its range: 20.0 of 100, allowed below 5."
        in (alert["message"])
    )


def test_few_values_that_moved_among_themselves_are_told_as_such():
    [alert] = find_alerts([make_drift(psi_ratio=0.04, psi_rest_ratio=3.0, psi_rest_chance_ratio=0.5)], [], LIMITS)
    assert alert["metric"] == "psi_rest_ratio"
    assert "temperature_f, among the values that few rows share, has moved" in alert["message"]


def test_an_error_that_is_small_but_large_for_rare_events_is_told_beside_them():
    rare = make_summary(error_ratio=0.0085, relative_error_ratio=0.85, mean_predicted_ratio=0.02, positive_ratio=0.01)
    [alert] = find_alerts([], [rare], LIMITS)
    assert (alert["metric"], alert["value"], alert["bound"]) == ("relative_error_ratio", 0.85, 0.5)
    assert "off by 0.0085 on average, 85 for each 100 that are positive, allowed up to 50." in alert["message"]


def test_what_older_code_measured_is_judged_by_the_plain_error():
    old = dict.fromkeys(
        ("error_ratio", "relative_error_ratio", "ece_equal_count_ratio", "ece_equal_count_chance_ratio")
    )
    [alert] = find_alerts([], [make_summary(**old)], LIMITS)
    assert (alert["metric"], alert["value"]) == ("ece_ratio", 0.15)
    drift = make_drift(unseen_ratio=None, unseen_chance_ratio=None)
    assert len(find_alerts([drift], [], LIMITS)) == 1


def test_the_thresholds_are_those_of_the_file():
    monitor = Monitor(
        features=["a"],
        reference_partitions=1,
        psi_alert=0.3,
        unseen_alert=0.1,
        ece_alert=0.07,
        relative_error_alert=0.9,
        minimum_rows=7,
    )
    assert thresholds_of(monitor) == Thresholds(0.3, 0.1, 0.07, 0.9, 7, "warn")


def test_a_first_model_that_is_off_is_one_alert_for_each_class():
    row = {"model_version": "v1", "trained_through": "2013-06", "value": 0.2, "bound": 0.1, "detail": "It is off."}
    rows = [row | {"check_name": "is_calibrated"}, row | {"check_name": "is_calibrated_late_arrival"}]
    plain, of_class = served_off_alerts("flight_delay", rows, LIMITS)
    assert (plain["alert_id"], of_class["alert_id"]) == ("first_model", "first_model:late_arrival")
    assert (plain["partition_key"], plain["value"], plain["action"]) == ("2013-06", 0.2, "warn")
    assert plain["message"] == "flight_delay: v1 is the first model, and off. It is off."
    assert served_off_alerts("flight_delay", [], LIMITS) == []


@pytest.mark.parametrize(
    ("n_held", "n_labelled", "is_alert"),
    [(80, 100, True), (86, 100, False), (8, 10, False), (990, 1000, True), (900, 1000, False)],
)
def test_intervals_that_surely_hold_too_few_or_too_many_are_an_alert(n_held, n_labelled, is_alert):
    low, high = wilson_interval(n_held, n_labelled)
    row = {"problem": "p", "partition_key": "k", "model_version": "v1", "unit": "minutes", "mean_width": 12.0}
    row |= {"stated_ratio": 0.9, "n_labelled": n_labelled, "n_below": 0, "n_above": n_labelled - n_held}
    row |= {"coverage_ratio": n_held / n_labelled, "coverage_low": low, "coverage_high": high}
    found = find_alerts([], [row], thresholds_of(Monitor(features=["a"], reference_partitions=1, minimum_rows=50)))
    assert bool(found) is is_alert
    if found:
        assert (found[0]["alert_id"], found[0]["metric"]) == ("coverage", "coverage_ratio")
        assert f"{100 * n_held / n_labelled:.1f} held" in found[0]["message"]


def test_a_column_that_is_watched_no_longer_is_no_alert():
    names = ("carrier", "speed", "p_positive", "p_positive: late", "said: interval")
    kept = still_watched([make_drift(feature=name) for name in names], ["speed"])
    assert [row["feature"] for row in kept] == list(names[1:])
