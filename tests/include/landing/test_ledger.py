from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from include.engine.formats.object_records import CANNOT_BE_READ
from include.engine.object_store.objects import RawObject
from include.landing.ledger import claim_unsettled, note_rules, read_known, store_objects
from include.landing.object_changes import ReadObject
from include.names import Coverage, Stage
from include.warehouse.coverage import mark, read_statuses
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.landing import LANDING_OBJECT
from include.warehouse.tables.runs import COVERAGE

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
RULES = '{"format": "jsonl", "grain": "month", "event_time": "at", "earliest": "2013", "latest": "2014"}'


def make_read(key="a", fingerprint="f1", flaw=None, n_unplaced=0, **n_rows):
    return ReadObject(RawObject(key, 10, f"v-{fingerprint}"), fingerprint, "2013-01", n_rows, n_unplaced, flaw)


@pytest.fixture
def connection(house):
    with house.engine.begin() as connection:
        yield connection


def store(connection, *objects, problem="p", run_id="r1"):
    known = read_known(connection, problem)
    return store_objects(connection, problem, objects, known, RULES, NOW, run_id)


def test_what_was_stored_is_known_and_only_of_its_own_problem(connection):
    store(connection, make_read(m1=3, m2=4, n_unplaced=2), make_read("empty", flaw="object is empty"))
    store(connection, make_read(m9=1), problem="q")
    known = read_known(connection, "p")
    assert sorted(known) == ["a", "empty"]
    assert (known["a"].version, known["a"].fingerprint, known["a"].home_partition) == ("v-f1", "f1", "2013-01")
    assert (known["a"].n_rows, known["a"].n_unplaced, known["a"].placed_by) == ({"m1": 3, "m2": 4}, 2, RULES)
    assert known["empty"].n_rows == {}
    assert read_known(connection, "q")["a"].n_rows == {"m9": 1}


def test_an_object_that_changed_feeds_only_what_it_holds_now(connection):
    assert store(connection, make_read(m1=3, m2=4)) == {"m1", "m2"}
    store(connection, make_read(m1=7), problem="q")
    assert store(connection, make_read(fingerprint="f2", m2=4, m3=1)) == {"m1", "m2", "m3"}
    assert read_known(connection, "p")["a"].n_rows == {"m2": 4, "m3": 1}
    assert read_known(connection, "q")["a"].n_rows == {"m1": 7}


def test_the_same_bytes_wake_nobody(connection):
    store(connection, make_read(m1=3))
    mark(connection, "p", Stage.INGEST, "m1", Coverage.DONE)
    assert store(connection, make_read(m1=3)) == set()
    assert read_statuses(connection, "p", Stage.INGEST) == {"m1": "done"}


def test_only_what_could_not_be_read_is_tried_again(connection):
    store(connection, make_read("away", flaw=f"{CANNOT_BE_READ}OSError", m1=1), make_read("cut", flaw="object is cut"))
    rows = connection.execute(select(LANDING_OBJECT.c.object_key, LANDING_OBJECT.c.version))
    assert dict(map(tuple, rows)) == {"away": "", "cut": "v-f1"}


def test_other_rules_are_noted_of_the_named_objects_of_one_problem(connection):
    store(connection, make_read("a", m1=1), make_read("b", m1=1))
    store(connection, make_read("a", m1=1), problem="q")
    note_rules(connection, "p", ["a"], "new")
    assert {key: item.placed_by for key, item in read_known(connection, "p").items()} == {"a": "new", "b": RULES}
    assert read_known(connection, "q")["a"].placed_by == RULES


def landed(connection, key, status, minutes=60, n_failures=0, run_id="before", problem="p"):
    mark(connection, problem, Stage.LAND, key, Coverage.DONE)
    mark(connection, problem, Stage.INGEST, key, status, run_id=run_id)
    noted = {"updated_at_utc": NOW - timedelta(minutes=minutes), "n_failures": n_failures}
    is_this = (COVERAGE.c.problem == problem) & (COVERAGE.c.partition_key == key) & (COVERAGE.c.stage == "ingest")
    connection.execute(update(COVERAGE).where(is_this).values(noted))


def test_only_what_landed_and_was_not_finished_in_time_is_claimed(connection):
    landed(connection, "lost", Coverage.WAITING)
    landed(connection, "dead", Coverage.RUNNING)
    landed(connection, "done", Coverage.DONE)
    landed(connection, "refused", Coverage.REFUSED)
    landed(connection, "fresh", Coverage.WAITING, minutes=14)
    landed(connection, "theirs", Coverage.WAITING, problem="q")
    mark(connection, "p", Stage.INGEST, "never-landed", Coverage.WAITING, run_id="r2")
    assert claim_unsettled(connection, "p", NOW, "r2") == {"lost", "dead"}


def test_what_is_claimed_is_named_again_by_its_own_run_alone(connection):
    landed(connection, "lost", Coverage.FAILED)
    assert claim_unsettled(connection, "p", NOW, "r2") == {"lost"}
    assert claim_unsettled(connection, "p", NOW, "r2") == {"lost"}
    assert claim_unsettled(connection, "p", NOW, "r3") == set()
    row = connection.execute(select(COVERAGE.c.status, COVERAGE.c.run_id).where(COVERAGE.c.stage == "ingest")).one()
    assert tuple(row) == ("waiting", "r2")


@pytest.mark.parametrize(("n_failures", "wait"), [(0, 15), (1, 15), (2, 30), (4, 120), (7, 960), (8, 1440), (40, 1440)])
def test_a_failing_partition_waits_twice_as_long_each_time_at_most_a_day(connection, n_failures, wait):
    landed(connection, "early", Coverage.FAILED, wait - 1, n_failures)
    landed(connection, "due", Coverage.FAILED, wait, n_failures)
    assert claim_unsettled(connection, "p", NOW, "r2") == {"due"}


@pytest.mark.slow
def test_more_objects_than_a_statement_takes_values_are_stored(connection):
    """PostgreSQL takes 65,535 values in a statement; a landing of years of small objects has more at once."""
    names = [str(number) for number in range(66_000)]
    store(connection, *[make_read(name, m1=1) for name in names])
    assert store(connection, *[make_read(name, "f2", m2=1) for name in names]) == {"m1", "m2"}
    note_rules(connection, "p", names, "new")
    assert {(item.placed_by, *item.n_rows) for item in read_known(connection, "p").values()} == {("new", "m2")}
    row = {"problem": "p", "status": "waiting", "n_failures": 0, "updated_at_utc": NOW - timedelta(days=1)}
    for stage in ("land", "ingest"):
        upsert_rows(connection, COVERAGE, [row | {"stage": stage, "partition_key": name} for name in names])
    assert claim_unsettled(connection, "p", NOW, "r2") == set(names)
