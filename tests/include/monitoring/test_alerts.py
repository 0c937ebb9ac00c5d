import pytest

from include.monitoring.alerts import Thresholds, drift_verdict, find_alerts

LIMITS = Thresholds(psi_alert=0.25, ece_alert=0.05, minimum_rows=100, action="warn")


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
    }
    return row | changes


def test_a_column_that_moved_is_told_in_rows_of_a_hundred():
    [alert] = find_alerts([make_drift()], [], LIMITS)
    assert alert["message"] == (
        "flight_delay, 2013-12: temperature_f has moved away from 2013-01..2013-06 (stability index 0.40, allowed "
        "below 0.25). Most of all 'up to 40': 10 of 100 rows before, 60 of 100 now."
    )
    assert (alert["alert_id"], alert["metric"], alert["subject"]) == (
        "drift:temperature_f",
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
    assert (alert["alert_id"], alert["metric"], alert["subject"]) == ("calibration", "ece_ratio", "v1")
    assert (alert["value"], alert["bound"]) == (0.15, 0.05)


@pytest.mark.parametrize("change", [{"verdict": "stable"}, {"n_rows": 99}, {"is_in_reference": True}])
def test_a_move_that_is_small_thin_or_in_the_reference_is_no_alert(change):
    assert find_alerts([make_drift(**change)], [], LIMITS) == []


@pytest.mark.parametrize(
    "change", [{"ece_ratio": 0.05}, {"ece_ratio": None}, {"n_labelled": 99}, {"ece_chance_ratio": 0.15}]
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
        ("2013-11", "drift:temperature_f", "temperature_f"),
        ("2013-12", "calibration", "v2"),
        ("2013-12", "drift:p_positive", "p_positive"),
        ("2013-12", "drift:temperature_f", "temperature_f"),
    ]


@pytest.mark.parametrize(
    ("psi", "chance", "bound", "verdict"),
    [(0.3, 0.1, 0.25, "moved"), (0.25, 0.1, 0.25, "moved"), (0.2, 0.1, 0.25, "stable"), (0.3, 0.3, 0.25, "stable")],
)
def test_a_column_moved_when_it_matters_and_is_more_than_chance(psi, chance, bound, verdict):
    assert drift_verdict(psi, chance, bound, n_rows=100, minimum_rows=100) == verdict


def test_a_handful_of_rows_neither_moves_nor_stands():
    assert drift_verdict(9.9, 0.1, 0.25, n_rows=99, minimum_rows=100) == "too_few_rows"
