from datetime import UTC, datetime

from sqlalchemy import text


def at(day, hour=0):
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def event(day, version, kind="promoted", **changes):
    return {"event_at_utc": at(day), "model_version": version, "event": kind} | changes


SPAN = ("model_version", "valid_from_utc", "valid_until_utc", "replaced_by", "is_in_production")


def test_each_promotion_ends_the_span_before_it(fill, read):
    why = {"actor": "ada", "reason": "earns more", "serves_from": "2013-07"}
    fill("model_event", event(1, "v1", **why), event(5, "v2"), event(6, "v3", "rejected"))
    assert read("model_in_production", *SPAN, by="valid_from_utc") == [
        ("v1", at(1), at(5), "v2", False),
        ("v2", at(5), None, None, True),
    ]
    columns = ("promoted_by", "reason", "serves_from", "promoted_at_utc")
    assert read("model_in_production", *columns, by="valid_from_utc")[0] == ("ada", "earns more", "2013-07", at(1))


def test_the_model_of_a_day_is_one_row(house, fill, read):
    fill("model_event", event(1, "v1"), event(5, "v2"))
    query = text(
        "SELECT model_version FROM bi.model_in_production WHERE problem = 'p' AND valid_from_utc <= :day "
        "AND (valid_until_utc > :day OR valid_until_utc IS NULL)"
    )
    with house.engine.connect() as connection:
        found = [connection.scalars(query, {"day": day}).all() for day in (at(1), at(4, 23), at(5), datetime.now(UTC))]
    assert found == [["v1"], ["v1"], ["v2"], ["v2"]]


def test_a_rollback_brings_the_one_before_back(fill, read):
    fill("model_event", event(1, "v1"), event(5, "v2"), event(7, "v2", "rolled_back"))
    assert read("model_in_production", *SPAN, by="valid_from_utc") == [
        ("v1", at(1), at(5), "v2", False),
        ("v2", at(5), at(7), "v1", False),
        ("v1", at(7), None, None, True),
    ]


def test_rolling_back_one_that_no_longer_serves_changes_nothing_and_the_last_leaves_nothing(fill, read):
    fill("model_event", event(1, "v1"), event(5, "v2"), event(6, "v1", "rolled_back"), event(8, "v2", "rolled_back"))
    assert read("model_in_production", *SPAN, by="valid_from_utc") == [
        ("v1", at(1), at(5), "v2", False),
        ("v2", at(5), at(8), None, False),
    ]


def test_a_gate_that_changes_its_verdict_takes_the_model_out_as_a_rollback_does(fill, read):
    fill("model_event", event(1, "v1"), event(5, "v2"), event(7, "v2", "rejected"))
    assert read("model_in_production", *SPAN, by="valid_from_utc") == [
        ("v1", at(1), at(5), "v2", False),
        ("v2", at(5), at(7), "v1", False),
        ("v1", at(7), None, None, True),
    ]


def test_a_late_promotion_of_an_older_training_point_does_not_replace_a_newer_one(fill, read):
    fill("model_event", event(1, "2013-09-ffffff"), event(5, "2013-06-aaaaaa"))
    assert read("model_in_production", *SPAN, by="valid_from_utc") == [("2013-09-ffffff", at(1), None, None, True)]


def test_of_two_models_of_one_training_point_the_one_promoted_last_serves(fill, read):
    fill("model_event", event(1, "2013-09-ffffff"), event(5, "2013-09-aaaaaa"))
    assert read("model_in_production", "model_version", "is_in_production", by="valid_from_utc") == [
        ("2013-09-ffffff", False),
        ("2013-09-aaaaaa", True),
    ]


def test_problems_do_not_replace_each_others_models(fill, read):
    fill("model_event", event(1, "v1"), event(2, "v9", problem="q"))
    assert read("model_in_production", "problem", "is_in_production") == [("p", True), ("q", True)]
