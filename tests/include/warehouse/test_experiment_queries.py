"""What the pages read of experiments is true, and is there whatever stands in the tables."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from include.warehouse.experiment_queries import experiments
from include.warehouse.tables.experiments import (
    EXPERIMENT_CHECK,
    EXPERIMENT_DECISION,
    EXPERIMENT_EXCLUSION,
    EXPERIMENT_QUESTION,
)
from tests.include.warehouse.edge_rows import PROBLEM


@pytest.mark.parametrize("problem", [PROBLEM, "nobody"])
def test_experiments_are_read_whatever_the_rows_are(connection: Any, problem: str) -> None:
    assert bool(experiments(connection, problem)) == (problem == PROBLEM)


def test_each_experiment_has_its_own_checks_what_holds_first_and_its_largest_exclusions(connection: Connection) -> None:
    where = {"problem": "p", "partition_key": "2004-11-05"}
    for name in ("mail", "price"):
        decision = where | {"experiment": name, "outcome": "wait", "is_final": False, "reason": "Early."}
        connection.execute(insert(EXPERIMENT_DECISION).values(decision | {"decided_at_utc": "2004-11-06T00:00:00Z"}))
    about = where | {"experiment": "mail", "detail": "", "advice": ""}
    for check, is_pass in (("a", True), ("b", False)):
        connection.execute(insert(EXPERIMENT_CHECK).values(about | {"check_name": check, "is_pass": is_pass}))
    for variant, seen_on, n_rows in (("x", "2004-11-01", 1), ("y", "2004-11-01", 2), ("y", "2004-11-03", 3)):
        row = where | {"experiment": "mail", "reason": "r", "variant": variant, "seen_on": seen_on, "n_rows": n_rows}
        connection.execute(insert(EXPERIMENT_EXCLUSION).values(row))
    mail, price = experiments(connection, "p")
    assert [(row["check_name"], row["verdict"]) for row in mail["checks"]] == [("b", "hold"), ("a", "pass")]
    left_out = [(row["variant"], row["first_day"], row["last_day"], row["n_rows"]) for row in mail["exclusions"]]
    assert left_out == [("y", "2004-11-01", "2004-11-03", 5), ("x", "2004-11-01", "2004-11-01", 1)]
    assert (price["experiment"], price["checks"], price["exclusions"]) == ("price", [], [])


def test_an_experiment_tells_until_when_a_question_that_is_open_may_be_answered(connection: Connection) -> None:
    sha = {"record_sha256": "a" * 64, "plan_sha256": "b" * 64}
    for name, run, until, is_approved in (
        ("mail", "r1", "2004-11-09", None),
        ("mail", "r2", "9999-11-09", None),
        ("price", "r3", "9999-11-09", True),
        ("shop", "r4", "2004-11-09", None),
    ):
        where = {"problem": "p", "experiment": name, "partition_key": "2004-11-05"}
        decision = {"outcome": "ask", "is_final": False, "reason": "Asked.", "decided_at_utc": "2004-11-06T00:00:00Z"}
        if run != "r1":
            connection.execute(insert(EXPERIMENT_DECISION).values(where | decision))
        asked = {"run_id": run, "variant": "x", "asked_at_utc": "2004-11-06T00:00:00Z", "is_approved": is_approved}
        times = {"answer_by_utc": f"{until}T00:00:00Z"}
        connection.execute(insert(EXPERIMENT_QUESTION).values(where | sha | asked | times))
    until_when = {row["experiment"]: row["answer_by_utc"] for row in experiments(connection, "p")}
    assert until_when == {"mail": datetime(9999, 11, 9, tzinfo=UTC), "price": None, "shop": None}
