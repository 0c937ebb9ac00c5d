from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select

from include.errors import BadForm, LakeConflict
from include.lake.replay.record import (
    NOTHING,
    PUBLISHING,
    WAITING,
    count_quarantined,
    note_announced,
    published_replays,
    read_request,
    record_outcome,
    record_request,
    require_none_since,
)
from include.warehouse.tables.quality import REJECTED_RECORD, REPLAY

NOW = datetime(2013, 2, 1, 9, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ASKED = {"actor": "kim", "reason": "the range was too narrow"}


def key(partition_key="2013-01", run_id="r1", problem="flights"):
    return {"problem": problem, "partition_key": partition_key, "run_id": run_id}


def ask(connection, n_tried=3, why_not=None, now=NOW, **named):
    record_request(connection, key(**named), n_tried, ASKED, why_not, now)


def publish(connection, now=NOW, verdict="published", **named):
    outcome = {"verdict": verdict, "first_reason": None, "n_published": 2, "n_quarantined": 1, "n_duplicate": 0}
    record_outcome(connection, key(**named), outcome, now)


@pytest.fixture
def connection(house):
    with house.engine.begin() as connection:
        yield connection


def test_quarantined_rows_are_counted_by_partition_and_only_of_the_problem(connection):
    rows = [("flights", "2013-02", "b", 5), ("flights", "2013-01", "a", 2), ("flights", "2013-01", "b", 3)]
    columns = ("problem", "partition_key", "reason", "n_rows")
    connection.execute(
        insert(REJECTED_RECORD), [dict(zip(columns, row, strict=True)) for row in [*rows, ("mail", "2013-01", "a", 9)]]
    )
    assert list(count_quarantined(connection, "flights").items()) == [("2013-01", 5), ("2013-02", 5)]
    assert count_quarantined(connection, "nobody") == {}


def test_a_request_waits_with_every_row_still_in_quarantine(connection):
    ask(connection)
    row = read_request(connection, key())
    assert {"verdict": WAITING, "n_tried": 3, "n_quarantined": 3, "n_published": 0, **ASKED}.items() <= row.items()


def test_a_request_with_nothing_to_do_says_why(connection):
    ask(connection, why_not="it waits for its ingest")
    row = read_request(connection, key())
    assert (row["verdict"], row["first_reason"]) == (NOTHING, "it waits for its ingest")


@pytest.mark.parametrize("verdict", PUBLISHING)
def test_asking_again_does_not_take_back_what_the_run_published(connection, verdict):
    ask(connection)
    publish(connection, verdict=verdict)
    before = read_request(connection, key())
    ask(connection, n_tried=1, now=LATER)
    assert read_request(connection, key()) == before


def test_a_run_that_was_refused_may_be_asked_again(connection):
    ask(connection)
    publish(connection, verdict="refused")
    ask(connection, now=LATER)
    row = read_request(connection, key())
    assert (row["verdict"], row["replayed_at_utc"]) == (WAITING, LATER)


def test_an_outcome_is_written_beside_its_own_request_alone(connection):
    ask(connection)
    ask(connection, run_id="r2")
    ask(connection, partition_key="2013-02")
    publish(connection)
    verdicts = connection.execute(select(REPLAY.c.run_id, REPLAY.c.partition_key, REPLAY.c.verdict)).all()
    assert sorted(verdicts) == [
        ("r1", "2013-01", "published"),
        ("r1", "2013-02", WAITING),
        ("r2", "2013-01", WAITING),
    ]


def test_a_run_that_nobody_asked_is_refused_by_name(connection):
    ask(connection)
    with pytest.raises(BadForm, match="Run r2 was not asked to replay rows of flights 2013-01"):
        read_request(connection, key(run_id="r2"))


def test_only_a_replay_that_published_after_the_partition_was_read_conflicts(connection):
    ask(connection)
    before = published_replays(connection, "flights", "2013-01")
    publish(connection, now=NOW)
    ask(connection, run_id="r2", now=LATER)
    publish(connection, now=LATER, verdict="refused", run_id="r2")
    now = published_replays(connection, "flights", "2013-01")
    assert (before, now, published_replays(connection, "flights", "2013-02")) == ([], ["r1"], [])
    require_none_since("flights", "2013-01", now, now)  # it had published when the partition was read
    with pytest.raises(LakeConflict, match=r"flights 2013-01: rows of its quarantine were replayed \(by r1\)"):
        require_none_since("flights", "2013-01", before, now)


def test_what_was_published_is_named_each_time_and_dated_the_first(connection):
    for partition in ("2013-02", "2013-01", "2013-03"):
        ask(connection, partition_key=partition)
    publish(connection, partition_key="2013-02")
    publish(connection, partition_key="2013-01", verdict="published_with_warnings")
    assert note_announced(connection, "flights", "r1", NOW) == ["2013-01", "2013-02"]
    assert note_announced(connection, "flights", "r1", LATER) == ["2013-01", "2013-02"]
    assert read_request(connection, key())["announced_at_utc"] == NOW
    assert read_request(connection, key("2013-03"))["announced_at_utc"] is None
    assert note_announced(connection, "flights", "r2", NOW) == []
