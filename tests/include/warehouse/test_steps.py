import multiprocessing
import time

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from include.errors import WarehouseAway
from include.names import Coverage, Stage
from include.warehouse.coverage import mark
from include.warehouse.database import open_warehouse
from include.warehouse.steps import step
from include.warehouse.tables.runs import COVERAGE, RUN_STEP

SPAWN = multiprocessing.get_context("spawn")
# The server is shared with other tests; each has a database of its own.
HELD_LOCKS = """
    SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE locktype = 'advisory' AND datname = current_database()
"""


@step(Stage.LAND)
def hold_lock(*, problem, partition_key, run_id, folder):
    """Say that it has started, then hold on until it may end."""
    (folder / f"{run_id}.started").touch()
    wait_for(folder / f"{run_id}.end")
    return {"n_rows": 1}


@step(Stage.LAND)
def follow(*, problem, partition_key, run_id, folder):
    """Be another step of the same stage."""
    (folder / f"{run_id}.started").touch()
    return {"n_rows": 1}


def wait_for(path, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} never came"
        time.sleep(0.01)


def start(folder, run_id, partition_key="2013-01", target=hold_lock):
    arguments = {"problem": "p", "partition_key": partition_key, "run_id": run_id, "folder": folder}
    process = SPAWN.Process(target=target, kwargs=arguments)
    process.start()
    return process


def wait_for_waiter(engine):
    """Wait until PostgreSQL itself says that somebody waits for a lock."""
    deadline = time.monotonic() + 20
    query = text(f"{HELD_LOCKS} AND NOT granted")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.scalar(query) == 0:
            assert time.monotonic() < deadline, "nobody waits"
            time.sleep(0.01)


def recorded(engine):
    with engine.connect() as connection:
        query = select(RUN_STEP.c.run_id, RUN_STEP.c.status, RUN_STEP.c.n_rows).order_by(RUN_STEP.c.run_id)
        return [tuple(row) for row in connection.execute(query)]


def test_a_second_process_waits_for_the_same_partition(house, tmp_path):
    first = start(tmp_path, "a")
    wait_for(tmp_path / "a.started")
    second = start(tmp_path, "b")
    wait_for_waiter(house.engine)
    assert not (tmp_path / "b.started").exists()
    for run_id in "ab":
        (tmp_path / f"{run_id}.end").touch()
    first.join(20)
    second.join(20)
    assert (tmp_path / "b.started").exists()
    assert recorded(house.engine) == [("a", "done", 1), ("b", "done", 1)]


def test_the_next_step_of_another_run_waits_for_the_same_partition(house, tmp_path):
    first = start(tmp_path, "a")
    wait_for(tmp_path / "a.started")
    second = start(tmp_path, "b", target=follow)
    wait_for_waiter(house.engine)
    assert not (tmp_path / "b.started").exists()
    (tmp_path / "a.end").touch()
    first.join(20)
    second.join(20)
    assert recorded(house.engine) == [("a", "done", 1), ("b", "done", 1)]


def test_another_partition_does_not_wait(house, tmp_path):
    first = start(tmp_path, "a")
    second = start(tmp_path, "b", "2013-02")
    wait_for(tmp_path / "a.started")
    wait_for(tmp_path / "b.started")
    for run_id in "ab":
        (tmp_path / f"{run_id}.end").touch()
    first.join(20)
    second.join(20)
    assert len(recorded(house.engine)) == 2


def test_the_lock_of_a_killed_process_is_free(house, tmp_path):
    first = start(tmp_path, "a")
    wait_for(tmp_path / "a.started")
    first.kill()
    first.join(20)
    (tmp_path / "b.end").touch()
    second = start(tmp_path, "b")
    second.join(20)
    assert recorded(house.engine) == [("b", "done", 1)]


def fail_in(error):
    @step(Stage.INGEST)
    def fail(*, problem, run_id="by-hand"):
        raise error

    return fail


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt("stopped")])
def test_a_failed_step_is_recorded_and_lets_go_of_its_lock(house, error):
    fail = fail_in(error)
    for _ in range(2):
        with pytest.raises(type(error)):
            fail(problem="p", run_id="r")
    with house.engine.connect() as connection:
        row = connection.execute(select(RUN_STEP)).one()
        assert connection.scalar(text(HELD_LOCKS)) == 0
    assert (row.status, row.partition_key, row.stage) == ("failed", "", "ingest")
    assert row.outcome == {"error": f"{type(error).__name__}: {error}"}


def test_a_step_that_runs_twice_in_one_run_keeps_its_last_time(house):
    @step(Stage.TRAIN)
    def count_rows(*, problem, partition_key, run_id, n_rows):
        return {"n_rows": n_rows}

    for n_rows in (1, 2):
        assert count_rows(problem="p", partition_key="k", run_id="r", n_rows=n_rows) == {"n_rows": n_rows}
    assert recorded(house.engine) == [("r", "done", 2)]


def test_a_step_without_rows_records_none_and_a_time(house):
    @step(Stage.TRAIN)
    def sleep(*, problem):
        time.sleep(0.05)
        return {}

    sleep(problem="p")
    with house.engine.connect() as connection:
        row = connection.execute(select(RUN_STEP)).one()
    assert (row.run_id, row.n_rows, row.outcome) == ("by-hand", None, {})
    assert 0.05 <= row.duration_s < 5
    assert open_warehouse().url == house.engine.url


def fail(*, problem, partition_key, run_id, error=None):
    """Fail, or not."""
    if error is not None:
        raise error
    return {"n_rows": 1}


def coverage_row(engine):
    with engine.connect() as connection:
        columns = (COVERAGE.c.status, COVERAGE.c.detail, COVERAGE.c.n_failures)
        row = connection.execute(select(*columns)).one_or_none()
        return tuple(row) if row else None


def run(stage, error=None):
    arguments = {"problem": "p", "partition_key": "2013-01", "run_id": "r", "error": error}
    if error is None:
        step(stage)(fail)(**arguments)
    else:
        with pytest.raises(type(error)):
            step(stage)(fail)(**arguments)


def test_a_failed_step_is_counted_until_one_goes_through(house):
    run(Stage.INGEST, ValueError("no"))
    run(Stage.INGEST, ValueError("no again"))
    assert coverage_row(house.engine) == ("failed", "fail: ValueError: no again", 2)
    run(Stage.INGEST)
    assert coverage_row(house.engine) == ("running", None, 2)


def test_a_stage_without_an_end_keeps_no_failure_that_is_over(house):
    run(Stage.TRAIN, ValueError("no"))
    assert coverage_row(house.engine)[0] == "failed"
    run(Stage.TRAIN)
    assert coverage_row(house.engine) is None


@pytest.mark.parametrize("status", [Coverage.DONE, Coverage.REFUSED])
def test_what_is_settled_stays_so_when_a_step_fails_on_it(house, status):
    with house.engine.begin() as connection:
        mark(connection, "p", Stage.INGEST, "2013-01", status)
    run(Stage.INGEST, ValueError("no"))
    assert coverage_row(house.engine) == (status, None, 0)


def test_what_is_new_or_done_forgets_the_failures(house):
    run(Stage.INGEST, ValueError("no"))
    with house.engine.begin() as connection:
        mark(connection, "p", Stage.INGEST, "2013-01", Coverage.WAITING)
    assert coverage_row(house.engine) == ("waiting", None, 0)


def test_a_warehouse_that_goes_away_is_named_in_a_sentence(house, monkeypatch):
    def lose(**_):
        with open_warehouse().connect() as connection:
            pid = connection.scalar(text("SELECT pg_backend_pid()"))
            with house.engine.connect() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            connection.execute(text("SELECT 1"))

    with pytest.raises(WarehouseAway, match=r"does not answer .*clear the task"):
        step(Stage.LAND)(lose)(problem="p", partition_key="2013-01", run_id="r")
    assert recorded(house.engine) == [("r", "failed", None)]


@pytest.mark.parametrize("code", ["deadlock_detected", "query_canceled"])
def test_what_the_warehouse_answers_is_not_called_a_warehouse_that_is_away(house, code):
    def meet_an_error(*, problem, partition_key, run_id):
        with open_warehouse().begin() as connection:
            connection.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{code}'; END $$"))

    with pytest.raises(OperationalError):
        step(Stage.LAND)(meet_an_error)(problem="p", partition_key="2013-01", run_id="r")
    assert recorded(house.engine) == [("r", "failed", None)]
