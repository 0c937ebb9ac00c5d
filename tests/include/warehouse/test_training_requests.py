from datetime import timedelta

import pytest
from sqlalchemy import create_engine, insert

from include.warehouse import training_requests
from include.warehouse.tables.monitoring import ALERT_EVENT
from include.warehouse.tables.runs import RUN_STEP
from tests.include.warehouse.test_alert_queries import OPENED, make_event


@pytest.fixture
def connection(migrated_warehouse_url):
    engine = create_engine(migrated_warehouse_url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def happen(connection, *events):
    connection.execute(insert(ALERT_EVENT), [make_event(*event) for event in events])


def plan(connection, hours, step="plan_training", problem="p", status="done"):
    row = {"problem": problem, "stage": "train", "step": step, "partition_key": "k", "run_id": f"{step}{hours}"}
    row |= {"status": status, "started_at_utc": OPENED + timedelta(hours=hours), "duration_s": 1.0}
    connection.execute(insert(RUN_STEP), [row])


def test_plans_of_a_problem_are_those_that_went_through(connection):
    plan(connection, 1)
    plan(connection, 2, step="fit_candidates")
    plan(connection, 3, problem="q")
    plan(connection, 4, status="failed")
    plan(connection, 5)
    since = OPENED + timedelta(hours=1)
    assert training_requests.read_plans(connection, "p", since) == [since, OPENED + timedelta(hours=5)]
    assert training_requests.read_plans(connection, "p", since + timedelta(hours=1)) == [OPENED + timedelta(hours=5)]


def causes(rows):
    return [(row["alert_id"], row["event_number"]) for row in rows]


@pytest.mark.parametrize("end", ["retrained", "closed"])
def test_a_request_is_open_until_a_version_was_decided_or_its_alert_ends(connection, end):
    happen(connection, ("drift", 1, "opened"), ("drift", 2, "retrain_asked"), ("drift", 3, "snoozed"))
    happen(connection, ("late", 2, "closed"))
    assert causes(training_requests.read_open(connection, "p")) == [("drift", 2)]
    happen(connection, ("drift", 4, end))
    assert training_requests.read_open(connection, "p") == training_requests.read_unheard(connection, "p") == []
    happen(connection, ("drift", 5, "retrain_asked"))
    assert causes(training_requests.read_open(connection, "p")) == [("drift", 5)]
    assert training_requests.read_open(connection, "q") == []


def test_a_request_is_heard_when_a_training_of_the_problem_is_planned_after_it(connection):
    happen(connection, ("drift", 2, "retrain_asked"))
    plan(connection, 1)
    plan(connection, 3, step="fit_candidates")
    plan(connection, 3, problem="q")
    plan(connection, 3, status="failed")
    assert causes(training_requests.read_unheard(connection, "p")) == [("drift", 2)]
    plan(connection, 4)
    assert training_requests.read_unheard(connection, "p") == []
    assert causes(training_requests.read_open(connection, "p")) == [("drift", 2)]
