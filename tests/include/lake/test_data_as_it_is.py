"""Logs that were not made for Mulgil: other names, nested fields, codes, no time and no id."""

import json
import os
from datetime import UTC, datetime

from include.engine.formats.object_times import UNTIMED_NAME
from include.lake.reading import open_rows
from include.landing.steps import find_new_partitions
from tests.include.lake.test_bad_input import EVENTS, accounted, ingest_all
from tests.include.lake.test_odd_objects import published, reasons

CARDS = {
    "limit_bal": {"type": "number", "from": "LIMIT_BAL"},
    "sex": {"type": "integer", "from": "SEX", "missing": [-9]},
    "will_default": {"type": "boolean", "from": "default.payment.next.month"},
}
CSV = "LIMIT_BAL,SEX,default.payment.next.month\n20000,2,1\n?,-9,0\nNA,x,1\n"


def test_a_table_with_foreign_names_codes_no_time_and_no_id_is_published(landing):
    rule = {"from": "name", "pattern": "cards_%Y-%m"}
    landing.write_problem(format="csv", columns=CARDS, key=["_object", "_line"], event_time=rule, missing=["?", "NA"])
    landing.drop("cards_2013-01.csv", *CSV.splitlines())
    landing.drop("cards_unnamed.csv", *CSV.splitlines())
    assert find_new_partitions(problem="flights")["flaws"] == {
        "flights/cards_unnamed.csv": f"{UNTIMED_NAME}cards_%Y-%m"
    }
    ingest_all()
    found = published("_row_key", "limit_bal", "sex", "will_default", "event_time")["cards_2013-01.csv"]
    month = datetime(2013, 1, 1, tzinfo=UTC)
    key = "flights/cards_2013-01.csv|"
    assert found == [(f"{key}2", 20000.0, 2, True, month), (f"{key}3", None, None, False, month)]
    assert reasons() == {
        "cards_2013-01.csv": ["sex is not a whole number"],
        "cards_unnamed.csv": [f"{UNTIMED_NAME}cards_%Y-%m"],
    }
    accounted(landing)
    # The same object again gives the same rows.
    ingest_all()
    assert published("_row_key", "limit_bal", "sex", "will_default", "event_time")["cards_2013-01.csv"] == found


def test_an_object_keeps_its_arrival_when_it_is_only_touched(landing):
    columns = {"a": {"type": "string"}}
    landing.write_problem(columns=columns, key=["_object", "_line"], event_time={"from": "object"})
    path = landing.folder / landing.drop("x.jsonl", {"a": "1"})
    os.utime(path, (1357380000, 1357380000))
    assert find_new_partitions(problem="flights")["partitions"] == ["2013-01"]
    ingest_all()
    os.utime(path, (1362000000, 1362000000))
    assert find_new_partitions(problem="flights")["n_rows"] == 1
    ingest_all()
    assert published("event_time") == {"x.jsonl": [(datetime(2013, 1, 5, 10, tzinfo=UTC),)]}


def test_a_nested_event_is_read_by_path_kept_whole_and_masked_value_by_value(landing):
    columns = {
        "id": {"type": "string"},
        "at": {"type": "timestamp", "path": ["meta", "ms"], "format": "epoch_milliseconds"},
        "sha": {"type": "string", "path": ["payload", "commits", 0, "sha"]},
        "payload": {"type": "json", "pii": "free_text"},
    }
    landing.write_problem(columns=columns, key=["id"], event_time="at")
    payload = {"commits": [{"sha": "1e5", "by": "jane@example.org"}], "body": "@name", "n": 703.5550118}
    event = {"id": "a", "meta": {"ms": 1357380000123}, "payload": payload}
    landing.drop(
        "x.jsonl", event, {**event, "id": "b", "payload": {"commits": {"sha": "2"}}}, {**event, "id": "c", "meta": []}
    )
    find_new_partitions(problem="flights")
    ingest_all()
    (row, other) = open_rows(EVENTS).order_by("_line_number").to_pyarrow().to_pylist()
    assert (row["sha"], row["at"]) == ("1e5", datetime(2013, 1, 5, 10, 0, 0, 123000, tzinfo=UTC))
    hidden = {"commits": [{"sha": "1e5", "by": "[email]"}], "body": "@name", "n": 703.5550118}
    assert (json.loads(row["payload"]), other["sha"]) == (hidden, None)
    (reason,) = reasons()["x.jsonl"]
    assert reason == "at is read through meta, which is a list: say which of its items, such as path: [meta, 0, ms]"
    accounted(landing)


def test_without_a_bound_a_time_a_day_ahead_of_its_arrival_is_quarantined(landing, flight):
    landing.write_problem(latest=None)
    landing.drop("x.jsonl", flight("a"), flight("b", "2999-01-01T00:00:00Z"))
    assert find_new_partitions(problem="flights")["partitions"] == ["2013-01"]
    ingest_all()
    assert published("flight_id") == {"x.jsonl": [("a",)]}
    assert reasons() == {"x.jsonl": ["at is after a day behind the arrival of its object"]}
    accounted(landing)
