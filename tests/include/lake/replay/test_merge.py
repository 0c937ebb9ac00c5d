import itertools
import json
import sys
from contextlib import contextmanager

import pytest
from sqlalchemy import select

from include.errors import BadForm, CountsDoNotAddUp, LakeConflict, PartitionRefused, UnknownPartitionKey
from include.lake.catalog import load_table
from include.lake.reading import planned_files
from include.lake.replay import record
from include.lake.steps import choose_quarantined, list_replayed, publish_replay, stage_replay
from include.warehouse.tables.quality import REPLAY
from tests.include.lake.test_steps import (
    EVENTS,
    JANUARY,
    QUARANTINE,
    audit_of,
    audit_row,
    ids,
    ingest,
    ingest_status,
    land,
    publish,
    reasons,
    set_clock,
    stage,
)

EARLY, LATE = "2013-01-05T10:00:00Z", "2013-01-25T10:00:00Z"
NARROW, WIDE = "2013-01-15T00:00:00Z", "2014-01-01T00:00:00Z"


def choose(*partitions, run_id="replay-1", reason="the range was too narrow"):
    return choose_quarantined(
        problem="flights", partitions=list(partitions), reason=reason, actor="kim", run_id=run_id
    )["partitions"]


def stage_again(run_id="replay-1", key=JANUARY):
    return json.loads(json.dumps(stage_replay(problem="flights", partition_key=key, run_id=run_id)))


def publish_again(staged, run_id="replay-1", key=JANUARY, **more):
    audit = {**audit_of(staged), "results": [], "html": "<p>page</p>", **more}
    return publish_replay(problem="flights", partition_key=key, staged=staged, audit=audit, run_id=run_id)


def replay(run_id="replay-1", key=JANUARY):
    choose(key, run_id=run_id)
    return publish_again(stage_again(run_id, key), run_id, key)


def history(landing, *columns):
    with landing.house.engine.begin() as connection:
        query = select(*(REPLAY.c[name] for name in columns)).order_by(REPLAY.c.run_id, REPLAY.c.partition_key)
        return [tuple(row) for row in connection.execute(query)]


def state(landing):
    """Everything that a replay may change, but for times."""
    tables = [planned_files(load_table(name)) for name in (EVENTS, QUARANTINE)]
    audit = {name: value for name, value in audit_row(landing).items() if not name.endswith("_at_utc")}
    return tables, audit, reasons(landing), ingest_status(landing)


@pytest.fixture
def narrow(landing, flight):
    """January has a, and in quarantine b and c, which are later than the range allows, and a line that is no JSON."""
    landing.write_problem(latest=NARROW)
    rows = (flight("b", LATE), flight("a", EARLY), "{", flight("c", LATE), flight("a", EARLY, delay=9))
    landing.drop("a.jsonl", *rows)
    land()
    ingest()
    assert (ids(), ids(QUARANTINE, "_line_number")) == (["a"], [1, 3, 4])
    return landing


def test_after_a_mend_only_quarantined_rows_come_in_and_counts_add_up(narrow):
    narrow.write_problem(latest=WIDE)
    assert choose() == [JANUARY]
    done = publish_again(stage_again())
    assert done == {"verdict": "published", "n_published": 2, "n_quarantined": 1, "n_duplicate": 0, "n_rows": 2}
    assert (ids(), ids(QUARANTINE, "_line_number")) == (["a", "b", "c"], [3])
    row = audit_row(narrow)
    counts = [row[name] for name in ("n_in", "n_published", "n_quarantined", "n_duplicate", "n_in_lake")]
    assert counts == [5, 3, 1, 1, 3]
    assert reasons(narrow) == [("record is not JSON", 1, "flights/a.jsonl:3")]
    columns = ("actor", "reason", "verdict", "n_tried", "n_published", "n_quarantined", "n_duplicate")
    assert history(narrow, *columns) == [("kim", "the range was too narrow", "published", 3, 2, 1, 0)]


def test_a_replay_leaves_the_very_files_that_an_ingest_of_the_whole_partition_would(narrow):
    narrow.write_problem(latest=WIDE)
    replay()
    files = state(narrow)[0]
    ingest()
    assert state(narrow)[0] == files


def test_running_it_twice_or_clearing_the_run_changes_nothing_more(narrow):
    narrow.write_problem(latest=WIDE)
    replay()
    after, recorded = state(narrow), history(narrow, "run_id", "verdict", "n_published")
    assert choose(JANUARY) == [JANUARY]
    assert stage_again() == {"is_over": True, "reason": f"{JANUARY} was published by this run before", "n_rows": 0}
    assert (state(narrow), history(narrow, "run_id", "verdict", "n_published")) == (after, recorded)
    assert replay("replay-2")["n_published"] == 0
    assert state(narrow)[0] == after[0]


def test_what_still_cannot_be_used_stays_where_it_is(narrow):
    before = state(narrow)[0]
    assert replay() == {"verdict": "published", "n_published": 0, "n_quarantined": 3, "n_duplicate": 0, "n_rows": 0}
    assert state(narrow)[0] == before


def test_of_two_rows_of_one_key_the_first_arrival_stays_even_if_replayed(landing, flight):
    landing.write_problem(latest=NARROW)
    landing.drop("a.jsonl", flight("a", LATE, delay=1), flight("a", EARLY, delay=2), flight("b", EARLY))
    land()
    ingest()
    landing.write_problem(latest=WIDE)
    assert replay() == {"verdict": "published", "n_published": 0, "n_quarantined": 0, "n_duplicate": 1, "n_rows": 0}
    assert ids(column="delay") == [1.0, 5.0]
    assert audit_row(landing)["n_duplicate"] == 1


def test_a_run_that_dies_before_its_commit_is_over_has_changed_nothing(narrow, monkeypatch):
    narrow.write_problem(latest=WIDE)
    choose()
    before, staged = state(narrow), stage_again()
    with monkeypatch.context() as dying:
        dying.setattr(record, "record_outcome", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            publish_again(staged)
    assert state(narrow) == before
    publish_again(stage_again())
    assert ids() == ["a", "b", "c"]


class Died(BaseException):
    """What ends a run at once, wherever it is."""


@contextmanager
def dying_at(n_calls):
    """End whatever runs when it calls a function of the lake room for the n-th time."""
    left = itertools.count(n_calls, -1)

    def count(frame, event, _):
        if event == "call" and "/include/lake/" in frame.f_code.co_filename and next(left) == 0:
            sys.setprofile(None)
            raise Died

    sys.setprofile(count)
    try:
        yield
    finally:
        sys.setprofile(None)


@pytest.mark.slow
def test_wherever_it_dies_all_or_nothing_changed_and_the_next_try_ends_well(narrow):
    narrow.write_problem(latest=WIDE)
    choose()
    before, seen, points = state(narrow)[0], [], itertools.count(3, 67)
    while True:
        try:
            with dying_at(next(points)):
                staged = stage_again()
                if "is_over" not in staged:
                    publish_again(staged)
        except Died:
            seen.append(state(narrow)[0] == before)
        else:
            break
    assert len(seen) >= 5
    assert seen == sorted(seen, reverse=True), "what was published must not be taken back"
    assert seen[0]
    assert (ids(), ids(QUARANTINE, "_line_number")) == (["a", "b", "c"], [3])
    files, audit, _, status = state(narrow)
    assert (audit["n_published"], audit["n_quarantined"], status) == (3, 1, "done")
    ingest()
    assert state(narrow)[0] == files


def test_a_replay_that_an_ingest_overtook_starts_over(narrow):
    narrow.write_problem(latest=WIDE)
    choose()
    staged = stage_again()
    ingest()
    after = state(narrow)
    with pytest.raises(LakeConflict, match="was changed while its rows were replayed"):
        publish_again(staged)
    assert state(narrow) == after
    assert choose(JANUARY) == [JANUARY]


@pytest.mark.parametrize("shift_s", [0, 30])
def test_an_ingest_that_a_replay_overtook_does_not_take_the_rows_back(narrow, monkeypatch, shift_s):
    set_clock(monkeypatch, shift_s)
    staged = stage()
    set_clock(monkeypatch, 0)
    narrow.write_problem(latest=WIDE)
    replay()
    with pytest.raises(LakeConflict, match=r"were replayed \(by replay-1\)"):
        publish(staged)
    assert ids() == ["a", "b", "c"]


def test_merged_files_that_an_ingest_has_cleared_away_are_noticed(narrow):
    narrow.write_problem(latest=WIDE)
    choose()
    staged = stage_again()
    audit = {**audit_of(staged), "results": [], "html": "<p>page</p>"}
    narrow.write_problem(latest=NARROW)
    stage()
    with pytest.raises(LakeConflict, match=r"2 of 2 files .* were cleared away"):
        publish_replay(problem="flights", partition_key=JANUARY, staged=staged, audit=audit, run_id="replay-1")


def test_a_stop_with_these_rows_leaves_the_partition_as_it_was_and_says_so(narrow):
    narrow.write_problem(latest=WIDE)
    choose()
    before = state(narrow)
    with pytest.raises(PartitionRefused, match="stays as it is: too late"):
        publish_again(stage_again(), verdict="stop", first_reason="too late")
    assert state(narrow) == before
    assert history(narrow, "verdict", "first_reason", "n_tried", "n_quarantined") == [("refused", "too late", 3, 3)]
    assert list_replayed(problem="flights", run_id="replay-1")["keys"] == []


def test_a_partition_of_which_every_row_was_quarantined_comes_to_life(landing, flight):
    landing.write_problem(latest=NARROW)
    landing.drop("a.jsonl", flight("b", LATE))
    land()
    with pytest.raises(PartitionRefused):
        ingest()
    landing.write_problem(latest=WIDE)
    assert replay()["n_published"] == 1
    assert (ids(), ingest_status(landing), audit_row(landing)["verdict"]) == (["b"], "done", "published")


def test_rows_that_are_of_another_partition_by_now_stay_quarantined_and_say_so(landing, flight):
    landing.write_problem(latest="2013-02-01T00:00:00Z")
    landing.drop("a.jsonl", flight("a", EARLY), flight("b", "2013-02-05T10:00:00Z"))
    land()
    ingest()
    landing.write_problem(latest=WIDE)
    assert replay()["n_quarantined"] == 1
    assert reasons(landing) == [("at is of another partition by now", 1, "flights/a.jsonl:2")]


def test_what_is_published_is_announced_again_and_again_until_the_run_is_over(narrow):
    narrow.write_problem(latest=WIDE)
    replay()
    assert list_replayed(problem="flights", run_id="replay-1")["keys"] == [JANUARY]
    ((first,),) = history(narrow, "announced_at_utc")
    assert list_replayed(problem="flights", run_id="replay-1")["keys"] == [JANUARY]
    assert history(narrow, "announced_at_utc") == [(first,)] != [(None,)]
    assert list_replayed(problem="flights", run_id="another")["keys"] == []


def test_a_partition_that_waits_for_ingest_is_left_and_others_are_chosen(narrow, flight):
    narrow.drop("b.jsonl", flight("d", "2013-02-05T10:00:00Z", gate="x"), flight("e", EARLY))
    land()
    assert choose(JANUARY, "2013-02", "2013-03") == []
    assert [reason for (reason,) in history(narrow, "first_reason")] == [
        "2013-01 waits for its ingest, which reads all of its rows",
        "2013-02 was never ingested, so nothing of it is in quarantine",
        "2013-03 was never ingested, so nothing of it is in quarantine",
    ]
    assert stage_again() == {
        "is_over": True,
        "reason": "2013-01 waits for its ingest, which reads all of its rows",
        "n_rows": 0,
    }


def test_a_reason_a_key_and_a_request_are_required(narrow):
    with pytest.raises(BadForm, match="needs a reason of 5 letters"):
        choose(reason="  no ")
    with pytest.raises(UnknownPartitionKey, match="2013"):
        choose(JANUARY, "2013-01-05")
    with pytest.raises(BadForm, match="was not asked"):
        stage_again("nobody")
    assert history(narrow, "run_id") == []


def test_a_quarantined_row_that_landing_does_not_have_any_more_stops_everything(narrow, monkeypatch):
    choose()
    monkeypatch.setattr("include.lake.replay.merge.read_places", lambda *_: {"flights/a.jsonl": [1, 99]})
    with pytest.raises(CountsDoNotAddUp, match="2 rows are in quarantine, and 1 were found again"):
        stage_again()
