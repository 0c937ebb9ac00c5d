from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from include.landing.lost_events import claim_all_lost, claim_lost
from include.landing.steps import find_unheard_models, find_unheard_rows
from include.names import Coverage, Stage
from include.warehouse.coverage import mark
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.runs import COVERAGE, LOST_EVENT, RUN_STEP

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def ago(minutes):
    return NOW - timedelta(minutes=minutes)


@pytest.fixture
def published(house):
    """Write that partitions were published, so many minutes ago."""

    def write(minutes=60, *keys, stage=Stage.INGEST, status=Coverage.DONE):
        with house.engine.begin() as connection:
            for key in keys or ("2013-01",):
                mark(connection, "p", stage, key, status)
                is_this = (COVERAGE.c.partition_key == key) & (COVERAGE.c.stage == str(stage))
                connection.execute(update(COVERAGE).where(is_this).values(updated_at_utc=ago(minutes)))

    return write


@pytest.fixture
def began(house):
    """Write that a stage began with a partition, so many minutes ago."""

    def write(minutes, key="2013-01", stage=Stage.TRAIN, duration_s=1.0, problem="p"):
        row = {"problem": problem, "stage": str(stage), "step": "s", "partition_key": key, "run_id": f"{minutes}"}
        more = {"started_at_utc": ago(minutes), "duration_s": duration_s, "status": "failed", "outcome": {}}
        with house.engine.begin() as connection:
            upsert_rows(connection, RUN_STEP, [row | more | {"n_rows": None}])

    return write


@pytest.fixture
def claim(house):
    def ask(run_id="r1", now=NOW, problem="p", stage=Stage.TRAIN, announced_by=Stage.INGEST):
        with house.engine.begin() as connection:
            return claim_lost(connection, problem, announced_by, stage, now, run_id)

    return ask


def test_one_partition_among_heard_ones_that_nobody_began_with_is_announced_again(published, began, claim):
    published(60, "2013-01", "2013-02", "2013-03")
    began(59, "2013-01")
    began(58, "2013-03")
    assert claim() == ["2013-02"]


def test_what_was_published_a_moment_ago_is_on_its_way(published, claim):
    published(14)
    assert claim() == []
    assert claim(now=NOW + timedelta(minutes=1)) == ["2013-01"]


def test_a_partition_that_was_published_anew_must_be_begun_with_anew(published, began, claim):
    published(60)
    began(61)
    assert claim() == ["2013-01"]


@pytest.mark.parametrize("status", [Coverage.REFUSED, Coverage.WAITING, Coverage.FAILED])
def test_what_is_not_published_was_never_announced(published, claim, status):
    published(60, status=status)
    assert claim() == []


def test_a_stage_that_is_busy_has_a_queue_and_has_lost_nothing(published, began, claim):
    published(60, "2013-01", "2013-02")
    began(90, "2013-01", duration_s=80 * 60.0)
    assert claim() == []
    assert claim(now=NOW + timedelta(minutes=6)) == ["2013-01", "2013-02"]


def test_another_problem_or_another_stage_says_nothing(published, began, claim):
    published(60)
    began(1, stage=Stage.REVIEW)
    began(1, problem="q")
    assert claim() == ["2013-01"]
    assert claim(problem="q") == []
    assert claim(announced_by=Stage.TRAIN) == []


def test_it_is_announced_again_after_longer_and_longer_waits_and_counted(published, claim, house):
    published(60)
    assert claim("r1") == claim("r1") == ["2013-01"]
    assert claim("r2", NOW + timedelta(minutes=29)) == []
    assert claim("r2", NOW + timedelta(minutes=30)) == ["2013-01"]
    assert claim("r3", NOW + timedelta(minutes=89)) == []
    assert claim("r3", NOW + timedelta(minutes=90)) == ["2013-01"]
    with house.engine.connect() as connection:
        assert connection.execute(select(LOST_EVENT.c.n_announced, LOST_EVENT.c.run_id)).one() == (3, "r3")


def test_a_dag_that_was_paused_for_long_hears_of_it_once_a_day(published, claim):
    published(60)
    moments = [NOW + timedelta(hours=hour) for hour in range(24 * 20)]
    n_last_week = [bool(claim(f"r{moment}", moment)) for moment in moments][-24 * 7 :]
    assert sum(n_last_week) == 7


def test_what_any_of_several_stages_did_not_hear_is_announced_once(published, began, house):
    published(60, "2013-01", "2013-02")
    began(50, "2013-01", Stage.TRAIN)
    began(50, "2013-02", Stage.EXPERIMENT)
    with house.engine.begin() as connection:
        both = [Stage.EXPERIMENT, Stage.TRAIN]
        assert claim_all_lost(connection, "p", Stage.INGEST, both, NOW, "r") == ["2013-01", "2013-02"]


def test_rounds_are_announced_again_in_their_order_not_as_text(published, claim, house):
    published(60, "round-1000", "round-999", stage=Stage.TRAIN)
    asked = {"stage": Stage.MONITOR, "announced_by": Stage.TRAIN}
    assert claim(**asked) == ["round-999", "round-1000"]
    with house.engine.begin() as connection:
        both = [Stage.MONITOR, Stage.REVIEW]
        assert claim_all_lost(connection, "p", Stage.TRAIN, both, NOW, "r") == ["round-999", "round-1000"]


def test_the_steps_ask_for_the_stages_that_the_problem_has(house, published):
    """`campaign` has an experiment and no model; `flight_delay` trains on the log and is monitored."""
    long_ago = datetime.now(UTC) - timedelta(days=1)
    with house.engine.begin() as connection:
        for problem in ("campaign", "flight_delay"):
            for stage in (Stage.INGEST, Stage.TRAIN):
                mark(connection, problem, stage, "2013-01", Coverage.DONE)
        connection.execute(update(COVERAGE).values(updated_at_utc=long_ago))
    assert find_unheard_rows(problem="campaign")["partitions"] == ["2013-01"]
    assert find_unheard_models(problem="campaign")["partitions"] == []
    assert find_unheard_rows(problem="flight_delay")["partitions"] == ["2013-01"]
    assert find_unheard_models(problem="flight_delay")["partitions"] == ["2013-01"]
    with house.engine.connect() as connection:
        heard = {tuple(row) for row in connection.execute(select(LOST_EVENT.c.problem, LOST_EVENT.c.stage))}
    assert heard == {("campaign", "experiment"), ("flight_delay", "train"), ("flight_delay", "monitor")}
