from datetime import UTC, datetime

from sqlalchemy import insert

from include.names import Coverage, Stage
from include.warehouse import coverage
from include.warehouse.tables.quality import PARTITION_AUDIT


def test_the_settled_prefix_stops_at_the_first_unsettled_and_skips_refused(house):
    with house.engine.begin() as connection:
        for month in ("01", "02", "03", "04", "05"):
            coverage.mark(connection, "p", Stage.LAND, f"2013-{month}", Coverage.DONE)
        for month, status in (("05", "done"), ("03", "running"), ("02", "refused"), ("01", "done")):
            coverage.mark(connection, "p", Stage.INGEST, f"2013-{month}", Coverage(status))
        assert coverage.settled_prefix(connection, "p") == ["2013-01"]
        coverage.mark(connection, "p", Stage.INGEST, "2013-03", Coverage.DONE)
        assert coverage.settled_prefix(connection, "p") == ["2013-01", "2013-03"]
        coverage.mark(connection, "p", Stage.INGEST, "2013-04", Coverage.FAILED)
        assert coverage.settled_prefix(connection, "p") == ["2013-01", "2013-03"]
        assert coverage.settled_prefix(connection, "other") == []


def test_done_partitions_are_those_of_one_stage_with_data_in_place_oldest_first(house):
    with house.engine.begin() as connection:
        coverage.mark(connection, "p", Stage.INGEST, "2013-02", Coverage.DONE)
        coverage.mark(connection, "p", Stage.INGEST, "2013-01", Coverage.DONE)
        coverage.mark(connection, "p", Stage.INGEST, "2013-03", Coverage.REFUSED, detail="too few rows")
        coverage.mark(connection, "p", Stage.LAND, "2013-04", Coverage.DONE)
        assert coverage.done_partitions(connection, "p", Stage.INGEST) == ["2013-01", "2013-02"]
        assert coverage.read_statuses(connection, "p", Stage.INGEST)["2013-03"] == Coverage.REFUSED


def test_what_is_done_stays_usable_while_it_is_done_again(house):
    with house.engine.begin() as connection:
        for key, status in (("2013-01", Coverage.DONE), ("2013-02", Coverage.WAITING), ("2013-03", Coverage.REFUSED)):
            coverage.mark(connection, "p", Stage.INGEST, key, status)
        for month in ("01", "02", "03", "04"):
            coverage.mark_running(connection, "p", Stage.INGEST, f"2013-{month}", "run")
        statuses = coverage.read_statuses(connection, "p", Stage.INGEST)
        assert list(statuses.values()) == [Coverage.DONE, *[Coverage.RUNNING] * 3]


def test_marking_again_overwrites_what_stood_there(house):
    with house.engine.begin() as connection:
        coverage.mark(connection, "p", Stage.INGEST, "2013-01", Coverage.FAILED, detail="why", run_id="a")
        coverage.mark(connection, "p", Stage.INGEST, "2013-01", Coverage.DONE)
        assert coverage.read_statuses(connection, "p", Stage.INGEST) == {"2013-01": Coverage.DONE}


def test_what_fails_again_and_again_without_a_row_holds_up_nobody_and_is_said(house):
    with house.engine.begin() as connection:
        for month in ("01", "02", "03"):
            coverage.mark(connection, "p", Stage.LAND, f"2013-{month}", Coverage.DONE)
        coverage.mark(connection, "p", Stage.INGEST, "2013-03", Coverage.DONE)
        coverage.mark(connection, "p", Stage.INGEST, "2013-01", Coverage.REFUSED, detail="no row left")
        for _ in range(coverage.MOST_FAILURES - 1):
            coverage.mark_failed(connection, "p", Stage.INGEST, "2013-02", detail="gone", run_id="r")
        assert coverage.settled_prefix(connection, "p") == []
        coverage.mark_failed(connection, "p", Stage.INGEST, "2013-02", detail="it is gone", run_id="r")
        assert coverage.settled_prefix(connection, "p") == ["2013-03"]
        assert coverage.passed_partitions(connection, "p") == {
            "2013-01": "no row left",
            "2013-02": "failed 9 times and brought no row yet: it is gone",
        }
        coverage.mark_running(connection, "p", Stage.INGEST, "2013-02", "r2")
        assert coverage.settled_prefix(connection, "p") == ["2013-03"]
        coverage.mark(connection, "p", Stage.INGEST, "2013-02", Coverage.DONE)
        assert coverage.settled_prefix(connection, "p") == ["2013-02", "2013-03"]
        assert coverage.passed_partitions(connection, "q") == {}


def test_what_was_published_once_holds_up_the_rest_however_often_it_fails(house):
    counts = dict.fromkeys(("n_in", "n_published", "n_in_lake"), 1)
    counts |= dict.fromkeys(("n_quarantined", "n_duplicate", "n_refused", "n_withdrawn"), 0)
    row = {"problem": "p", "partition_key": "2013-01", "run_id": "r", "verdict": "published", **counts}
    with house.engine.begin() as connection:
        connection.execute(insert(PARTITION_AUDIT), [row | {"finished_at_utc": datetime(2013, 7, 1, tzinfo=UTC)}])
        coverage.mark(connection, "p", Stage.LAND, "2013-01", Coverage.DONE)
        for _ in range(20):
            coverage.mark_failed(connection, "p", Stage.INGEST, "2013-01", detail="gone", run_id="r")
        assert coverage.passed_partitions(connection, "p") == {}
