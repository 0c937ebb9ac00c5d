"""Reading how far the loop is: at rest, still, and over a connection that breaks."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from scripts.stack.errors import ComponentDied
from scripts.stack.loop import DagCounts, Loop, Patience, Snapshot, Stillness


def test_the_loop_rests_only_after_it_was_quiet_for_a_while():
    patience, quiet = Patience(settle_s=3), Snapshot({"a__land": DagCounts(done=1)})
    assert [patience.is_at_rest(quiet, now) for now in (0, 2.9, 3)] == [False, False, True]


def test_any_change_starts_the_wait_anew():
    patience = Patience(settle_s=3)
    assert not patience.is_at_rest(Snapshot({"a": DagCounts(done=1)}), 0)
    assert not patience.is_at_rest(Snapshot({"a": DagCounts(done=2)}), 3)


def test_a_running_run_is_never_rest():
    patience, busy = Patience(settle_s=0, stuck_s=0), Snapshot({"a": DagCounts(running=1)})
    assert not patience.is_at_rest(busy, 0)
    assert not patience.is_at_rest(busy, 1e6)


@pytest.mark.parametrize("counts", [DagCounts(pending=1), DagCounts(running=1, waiting=1)])
def test_what_may_wait_for_ever_is_waited_for_longer_but_not_for_ever(counts: DagCounts):
    patience, waiting = Patience(settle_s=3, stuck_s=20), Snapshot({"a": counts})
    assert [patience.is_at_rest(waiting, now) for now in (0, 19, 20)] == [False, False, True]


# ---------------------------------------------------------------- the deadline


def still_after(*steps: tuple[float, dict[str, DagCounts]]) -> list[float]:
    stillness = Stillness(0.0)
    return [stillness.seconds(Snapshot(dags), now) for now, dags in steps]


def test_the_deadline_counts_from_the_last_progress():
    working = {"a__ingest": DagCounts(running=1)}
    done = {"a__ingest": DagCounts(done=1, running=1)}
    assert still_after((0, working), (600, working), (890, done), (1000, done)) == [0, 600, 0, 110]


def test_runs_of_the_clock_are_no_progress_after_their_first():
    stuck = DagCounts(running=1)
    seen = [(now, {"a__land": DagCounts(done=n), "a__train": stuck}) for n, now in enumerate((0, 300, 600, 900))]
    assert still_after(*seen) == [0, 0, 300, 600]


def test_a_run_that_only_changes_from_queued_to_running_counts_as_none():
    assert still_after((0, {"a__train": DagCounts(queued=1)}), (60, {"a__train": DagCounts(running=1)})) == [0, 60]


# ---------------------------------------------------------------- the connection

SCHEMA = "CREATE TABLE import_error (id int); INSERT INTO import_error VALUES (1), (2)"


@pytest.fixture
def loop(warehouse_url: str) -> Iterator[Loop]:
    url = warehouse_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA)
    with Loop(lambda: psycopg.connect(url, autocommit=True), datetime.now(UTC)) as loop:
        yield loop


def test_a_connection_that_is_ended_is_made_again(loop: Loop, warehouse_url: str):
    assert loop.count_import_errors() == 2
    with psycopg.connect(warehouse_url.replace("+psycopg", ""), autocommit=True) as killer:
        killer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND datname = current_database()"
        )
        assert loop.count_import_errors() == 2


def test_dags_of_others_are_neither_counted_nor_waited_for():
    class Told(Loop):
        def _ask(self, query: str, **values: object) -> list[tuple[Any, ...]]:
            if "awaiting_input" in query:
                return [("ours__land", "running", 1, 0), ("theirs__land", "failed", 2, 0)]
            if "t.try_number" in query:
                return [("theirs__land", "r", None, "t", 1, -1)]
            return [("theirs__ingest", 3), ("ours__ingest", 4)] if "asset_partition" in query else []

    loop = Told(psycopg.connect, datetime.now(UTC), is_ours=lambda dag_id: dag_id.startswith("ours"))
    assert {name: counts.total for name, counts in loop.snapshot().dags.items()} == {"ours__land": 1, "ours__ingest": 4}
    assert loop.failed_runs() == []


def test_who_looks_after_the_servers_is_asked_while_the_database_is_away():
    looks = []

    def look() -> None:
        looks.append(1)
        if len(looks) == 2:
            raise ComponentDied("PostgreSQL ended 4 times")

    def connect() -> psycopg.Connection:
        return psycopg.connect("host=127.0.0.1 port=1 user=nobody password=x")

    with Loop(connect, datetime.now(UTC), look) as loop, pytest.raises(ComponentDied):
        loop.count_import_errors()
    assert len(looks) == 2
