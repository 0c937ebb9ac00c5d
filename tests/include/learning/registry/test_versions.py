from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from include.errors import UnknownVersion
from include.learning.checks import Check
from include.learning.registry import versions
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.explaining import MODEL_NOTE
from include.warehouse.tables.learning import GATE_CHECK, LEARNING_CURVE, MODEL_EVENT, MODEL_METRIC

NOW = datetime(2020, 1, 1, tzinfo=UTC)
GOOD = Check("a", True, 1.0, 0.0, "Fine.")
LAST = Check("c", True, 1.0, 0.0, "Fine.")
BAD = Check("b", False, None, None, "Poor.")
METRIC = {"candidate": "dummy", "metric": "auc", "value": 0.5, "low": None, "high": None, "n_rows": 3}
POINT = {"arm": "all", "metric": "auc", "n_labels": 3, "value": 0.5, "low": None, "high": None}


def make_version(name: str = "2013-06-aaaaaa", **changed: Any) -> dict[str, Any]:
    row = {
        "problem": "late", "model_version": name, "model_name": "m", "trained_through": "2013-06", "snapshot_id": "1",
        "labels_as_of_utc": NOW, "n_train": 1, "n_calibrate": 1, "n_evaluate": 1, "artifact_url": "f.skops",
        "artifact_sha256": "0", "threshold_ratio": 0.5, "features": ["x"], "parameters": {}, "trained_at_utc": NOW,
    }  # fmt: skip
    return row | changed


def fit(house: Any, name: str, **changed: Any) -> versions.Row:
    with house.engine.begin() as connection:
        versions.save_version(connection, make_version(name, **changed), [METRIC], [POINT])
        return versions.read_version(connection, "late", name)


def judge(house: Any, row: versions.Row, *checks: Check, serves_from: str = "2013-07", at: int = 0) -> str:
    with house.engine.begin() as connection:
        return versions.record_decision(
            connection,
            row,
            checks,
            [],
            serves_from=serves_from,
            reason="R",
            actor="run",
            now=NOW + timedelta(minutes=at),
        )


def count(house: Any, table: Any) -> int:
    with house.engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def serving(house: Any, key: str) -> str | None:
    with house.engine.connect() as connection:
        return versions.serving_version(connection, "late", key)


def test_a_promoted_version_serves_what_comes_after_its_training_and_nothing_before(house):
    assert judge(house, fit(house, "2013-06-aaaaaa"), GOOD) == "promoted"
    assert [serving(house, key) for key in ("2013-06", "2013-07", "2014-01")] == [None, *["2013-06-aaaaaa"] * 2]


def test_a_round_run_again_names_the_version_of_its_own_time(house):
    assert [judge(house, fit(house, version), GOOD) for version in ("round-001-a", "round-003-b")] == ["promoted"] * 2
    with house.engine.connect() as connection:
        rounds = ("round-000", "round-001", "round-002", "round-003", "round-010")
        named = [versions.serving_after_round(connection, "late", round_id) for round_id in rounds]
    assert named == [None, "round-001-a", "round-001-a", "round-003-b", "round-003-b"]


def test_one_failed_check_among_good_ones_rejects_and_serves_nothing(house):
    assert judge(house, fit(house, "2013-06-aaaaaa"), GOOD, BAD, LAST) == "rejected"
    assert serving(house, "2013-07") is None
    with house.engine.connect() as connection:
        assert versions.decided_points(connection, "late") == {"2013-06"}


def test_a_decision_leaves_a_newer_fit_of_the_version_in_place(house):
    read_before = fit(house, "2013-06-aaaaaa")
    fit(house, "2013-06-aaaaaa", artifact_url="newer.skops")
    judge(house, read_before, GOOD)
    with house.engine.connect() as connection:
        row = versions.read_version(connection, "late", "2013-06-aaaaaa")
    assert (row["artifact_url"], row["status"]) == ("newer.skops", "promoted")


def test_a_fitted_version_is_not_decided_and_does_not_serve(house):
    fit(house, "2013-06-aaaaaa")
    with house.engine.connect() as connection:
        assert versions.decided_points(connection, "late") == set()
    assert serving(house, "2013-07") is None


def test_a_later_version_takes_over_after_its_own_training(house):
    # The later one is decided first: the order of the clock must not matter.
    judge(house, fit(house, "2013-09-000000"), GOOD, serves_from="2013-10")
    judge(house, fit(house, "2013-06-ffffff"), GOOD, at=5)
    assert [serving(house, key) for key in ("2013-09", "2013-10")] == ["2013-06-ffffff", "2013-09-000000"]


def test_a_second_fit_of_one_point_takes_over_by_its_time_of_fitting(house):
    judge(house, fit(house, "2013-06-ffffff"), GOOD)
    judge(house, fit(house, "2013-06-000000", trained_at_utc=NOW + timedelta(days=1)), GOOD)
    assert serving(house, "2013-07") == "2013-06-000000"


def test_the_champion_of_a_version_is_of_an_earlier_point(house):
    for name in ("2013-03-aaaaaa", "2013-06-aaaaaa", "2013-06-bbbbbb", "2013-09-aaaaaa"):
        judge(house, fit(house, name), GOOD)
    with house.engine.connect() as connection:
        champion = versions.champion_before(connection, "late", "2013-06-bbbbbb")
        assert champion is not None
        assert champion["model_version"] == "2013-03-aaaaaa"
        assert versions.champion_before(connection, "late", "2013-03-aaaaaa") is None


def test_deciding_again_adds_no_event_and_changing_the_verdict_adds_one(house):
    row = fit(house, "2013-06-aaaaaa")
    for at in (0, 1):
        judge(house, row, GOOD, at=at)
    assert (count(house, MODEL_EVENT), count(house, GATE_CHECK)) == (1, 1)
    judge(house, row, GOOD, BAD, at=2)
    assert (count(house, MODEL_EVENT), count(house, GATE_CHECK)) == (2, 2)
    assert serving(house, "2013-07") is None


def test_fitting_again_replaces_and_keeps_the_decision(house):
    judge(house, fit(house, "2013-06-aaaaaa"), GOOD)
    row = fit(house, "2013-06-aaaaaa", artifact_sha256="1")
    assert (row["status"], row["artifact_sha256"]) == ("promoted", "1")
    assert (count(house, MODEL_METRIC), count(house, LEARNING_CURVE)) == (1, 1)


def test_no_gate_overrules_a_person_who_took_a_version_out(house):
    row = fit(house, "2013-06-aaaaaa")
    judge(house, row, GOOD)
    event = {"event": "rolled_back", "event_at_utc": NOW + timedelta(hours=1), "actor": "ann", "reason": "complaints"}
    keys = {"problem": "late", "model_version": row["model_version"], "serves_from": ""}
    with house.engine.begin() as connection:
        upsert_rows(connection, MODEL_EVENT, [{**keys, **event}])
    assert judge(house, row, GOOD, at=90) == "rolled_back"
    assert serving(house, "2013-07") is None
    assert count(house, MODEL_EVENT) == 2


def test_a_version_nobody_fitted_is_named(house):
    with house.engine.connect() as connection, pytest.raises(UnknownVersion, match="no model version 'x'"):
        versions.read_version(connection, "late", "x")


def test_a_thousandth_round_is_younger_than_the_one_before_it(house):
    names = ["round-999-aaaaaa", "round-1000-aaaaaa"]
    for at, name in enumerate(reversed(names)):  # fitted the other way round
        judge(house, fit(house, name, trained_at_utc=NOW + timedelta(hours=at)), GOOD, serves_from="", at=at)
    assert serving(house, "") == "round-1000-aaaaaa"
    with house.engine.connect() as connection:
        assert [row["model_version"] for row in versions.list_promoted(connection, "late")] == names
        assert [row["model_version"] for row in versions.list_versions(connection, "late")] == names
        before = versions.champion_before(connection, "late", names[1])
        assert before is not None
        assert before["model_version"] == names[0]
        assert versions.champion_before(connection, "late", names[0]) is None


def test_a_note_that_is_said_no_more_is_taken_away(house):
    row = fit(house, "2013-06-aaaaaa")
    for note, expected in (("12 of 40 items are undecided.", 1), ("", 0)):
        with house.engine.begin() as connection:
            versions.save_notes(connection, row, {"undecided": note})
        assert count(house, MODEL_NOTE) == expected


def test_a_version_is_changed_where_asked_and_no_other_one_is(house):
    first, second = fit(house, "2013-06-aaaaaa"), fit(house, "2013-09-bbbbbb")
    with house.engine.begin() as connection:
        versions.change_version(connection, first, {"calibration": "sigmoid"})
        changed, kept = (versions.read_version(connection, "late", row["model_version"]) for row in (first, second))
    assert (changed["calibration"], kept["calibration"]) == ("sigmoid", None)
    assert changed["artifact_url"] == first["artifact_url"]
