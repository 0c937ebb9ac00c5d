from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select

from include.monitoring import store
from include.monitoring.measurements import Measured
from include.warehouse.tables.learning import GATE_CHECK, MODEL_VERSION
from include.warehouse.tables.monitoring import ALERT, CALIBRATION_SUMMARY, FEATURE_DRIFT

NOW, LATER = datetime(2013, 6, 1, tzinfo=UTC), datetime(2013, 7, 1, tzinfo=UTC)


def make_drift(key="2013-03", feature="speed", **changes):
    row = {"problem": "p", "partition_key": key, "feature": feature, "reference": "2013-01..2013-02"}
    row |= {"is_in_reference": False, "n_rows": 100, "n_reference": 200, "n_bins": 3, "verdict": "moved", "bins": []}
    figures = dict.fromkeys(
        ("psi_ratio", "psi_chance_ratio", "js_ratio", "missing_ratio", "reference_missing_ratio"), 0.1
    )
    return row | figures | changes


def make_summary(key="2013-03", version="v1", **changes):
    row = {"problem": "p", "partition_key": key, "model_version": version, "label_arm": "log", "measured_at_utc": NOW}
    return row | {"n_rows": 100, "n_labelled": 100, "n_positive": 40} | changes


def make_alert(key="2013-03", alert_id="drift", **changes):
    row = {"problem": "p", "partition_key": key, "alert_id": alert_id, "metric": "psi_ratio", "subject": "speed"}
    return row | {"value": 0.4, "bound": 0.25, "action": "warn", "message": "It moved."} | changes


@pytest.fixture
def connection(house):
    with house.engine.begin() as connection:
        yield connection


def read(connection, table, *columns):
    return connection.execute(select(*(table.c[name] for name in columns)).order_by(*table.primary_key)).all()


def test_measuring_again_replaces_own_partitions_and_leaves_others(connection):
    first = Measured(["2013-03", "2013-04"], [make_drift(), make_drift("2013-04")], [], [make_summary()])
    store.replace_measures(connection, "p", first)
    connection.execute(insert(FEATURE_DRIFT), [make_drift("2013-04") | {"problem": "other"}])
    store.replace_measures(connection, "p", Measured(["2013-04"], [], [], []))
    found = read(connection, FEATURE_DRIFT, "problem", "partition_key")
    assert found == [("other", "2013-04"), ("p", "2013-03")]
    assert read(connection, CALIBRATION_SUMMARY, "partition_key") == [("2013-03",)]


def test_scores_and_columns_remember_what_each_was_compared_with(connection):
    scores = make_drift(feature="p_positive", reference="2013-02 (1 of 2) scored by v1")
    store.replace_measures(connection, "p", Measured(["2013-03"], [make_drift(), scores], [], []))
    assert store.read_references(connection, "p") == {
        ("2013-03", ""): "2013-01..2013-02",
        ("2013-03", "p_positive"): "2013-02 (1 of 2) scored by v1",
    }
    assert store.read_references(connection, "other") == {}


@pytest.mark.parametrize(
    ("figures", "is_read"),
    [
        ({"ece_ratio": 0.2, "ece_chance_ratio": 0.1}, True),
        ({"ece_ratio": 0.05, "ece_chance_ratio": 0.1}, False),
        ({"ece_ratio": 0.05, "ece_chance_ratio": 0.1, "ece_equal_count_ratio": 0.2}, False),
        (
            {"ece_ratio": 0.05, "ece_chance_ratio": 0.1, "ece_equal_count_ratio": 0.2}
            | {"ece_equal_count_chance_ratio": 0.1},
            True,
        ),
        ({}, False),
    ],
)
def test_only_errors_beyond_chance_may_become_alerts(connection, figures, is_read):
    store.replace_measures(connection, "p", Measured(["2013-03"], [], [], [make_summary(**figures)]))
    assert len(store.read_measures(connection, "p")[1]) == is_read


def test_only_columns_that_moved_may_become_alerts(connection):
    drifts = [make_drift(), make_drift(feature="carrier", verdict="stable")]
    store.replace_measures(connection, "p", Measured(["2013-03"], drifts, [], []))
    assert [row["feature"] for row in store.read_measures(connection, "p")[0]] == ["speed"]


def test_an_alert_keeps_its_first_time_and_goes_when_its_cause_is_gone(connection):
    assert store.replace_alerts(connection, "p", [make_alert(), make_alert("2013-04")], NOW) == 2
    assert store.replace_alerts(connection, "p", [make_alert(value=0.6), make_alert("2013-05")], LATER) == 1
    assert read(connection, ALERT, "partition_key", "value", "opened_at_utc") == [
        ("2013-03", 0.6, NOW),
        ("2013-05", 0.4, LATER),
    ]


def test_alerts_of_the_desk_are_not_ours_to_close(connection):
    overdue = make_alert(alert_id="review_overdue", action="review", bound=0.0)
    connection.execute(insert(ALERT), [overdue | {"opened_at_utc": NOW}])
    assert store.replace_alerts(connection, "p", [], LATER) == 0
    assert read(connection, ALERT, "alert_id") == [("review_overdue",)]


def make_version(name="2013-06-aaaaaa", through="2013-06", status="promoted"):
    return {
        "problem": "p", "model_version": name, "model_name": "m", "trained_through": through, "snapshot_id": "1",
        "labels_as_of_utc": NOW, "n_train": 1, "n_calibrate": 1, "n_evaluate": 1, "artifact_url": "f.skops",
        "artifact_sha256": "0", "threshold_ratio": 0.5, "features": ["x"], "parameters": {}, "trained_at_utc": NOW,
        "status": status,
    }  # fmt: skip


def make_check(name="is_calibrated", version="2013-06-aaaaaa", is_pass=True, value=0.2):
    row = {"problem": "p", "model_version": version, "check_name": name, "is_pass": is_pass, "value": value}
    return row | {"bound": 0.1, "detail": "It is off."}


def test_a_model_that_serves_although_it_is_off_is_read_until_another_one_serves(connection):
    connection.execute(insert(MODEL_VERSION), [make_version(), make_version("2013-09-b", "2013-09", "rejected")])
    checks = [make_check(), make_check("is_calibrated_fern", value=0.05), make_check("earns_more", value=3.0)]
    connection.execute(insert(GATE_CHECK), [*checks, make_check("is_calibrated_rose", is_pass=False)])
    [row] = store.read_served_off(connection, "p")
    assert (row["check_name"], row["trained_through"], row["value"]) == ("is_calibrated", "2013-06", 0.2)
    assert store.read_served_off(connection, "other") == []
    connection.execute(insert(MODEL_VERSION), [make_version("2013-12-c", "2013-12")])
    assert store.read_served_off(connection, "p") == []
