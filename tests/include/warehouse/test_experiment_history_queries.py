"""What the page of an experiment reads of its past is its own, in order, and is there whatever stands in the tables."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from include.warehouse import experiment_history_queries as queries
from include.warehouse.tables.experiments import (
    ALLOCATION,
    EXPERIMENT_DECISION,
    EXPERIMENT_PLAN,
    EXPERIMENT_VARIANT,
    VARIANT_SUM,
)
from tests.include.warehouse.conftest import NOW
from tests.include.warehouse.edge_rows import PROBLEM

MAIL = {"problem": "p", "experiment": "mail"}
DAYS = ("2004-11-01", "2004-11-02")


@pytest.fixture
def mail(connection: Connection, make_row: Callable[..., dict[str, Any]]) -> Connection:
    """Give two windows of one experiment, beside another that differs in every number."""
    for name in ("mail", "other"):
        for number, day in enumerate(DAYS):
            where = {"problem": "p", "experiment": name, "partition_key": day}
            about = where | {"plan_sha256": f"{name}-{number}", "outcome": "wait", "decided_at_utc": NOW}
            connection.execute(insert(EXPERIMENT_DECISION).values(make_row(EXPERIMENT_DECISION, **about)))
            sums = {"phase": "pilot", "variant": "a", "n_units": 10 * number + (name == "other")}
            connection.execute(insert(VARIANT_SUM).values(make_row(VARIANT_SUM, **where, **sums)))
            for place, variant in enumerate(("b", "a")):
                row = make_row(ALLOCATION, **where, place=place, phase="pilot", variant=variant)
                connection.execute(insert(ALLOCATION).values(row))
                verdict = "control" if variant == "a" else "better"
                row = make_row(EXPERIMENT_VARIANT, **where, variant=variant, verdict=verdict)
                connection.execute(insert(EXPERIMENT_VARIANT).values(row))
            plan = {"version": number + 1, "sha256": f"{name}-{number}", "written_at_utc": NOW, "plan": {"n": number}}
            connection.execute(insert(EXPERIMENT_PLAN).values(plan | {"problem": "p", "experiment": name}))
    return connection


def test_shares_come_window_by_window_in_the_order_of_their_ranges(mail: Connection) -> None:
    rows = [row for row in queries.shares_by_window(mail, "p") if row["experiment"] == "mail"]
    assert [(row["partition_key"], row["variant"]) for row in rows] == [
        (day, variant) for day in DAYS for variant in ("b", "a")
    ]


def test_units_are_those_of_the_newest_window_alone(mail: Connection) -> None:
    found = {row["experiment"]: row["n_units"] for row in queries.units_by_phase(mail, "p")}
    assert found == {"mail": 10, "other": 11}


def test_lifts_are_those_of_one_experiment_without_its_control(mail: Connection) -> None:
    rows = queries.lifts_by_window(mail, **MAIL)
    assert [(row["partition_key"], row["variant"]) for row in rows] == [(day, "b") for day in DAYS]


def test_decisions_come_the_newest_first_with_the_number_of_their_plan(mail: Connection) -> None:
    rows = queries.decisions_by_window(mail, **MAIL)
    assert [(row["partition_key"], row["plan_version"]) for row in rows] == [(DAYS[1], 2), (DAYS[0], 1)]


def test_plans_say_which_windows_were_done_with_them(mail: Connection) -> None:
    rows = queries.plans(mail, **MAIL)
    assert [(row["version"], row["plan"], row["first_window"]) for row in rows] == [
        (2, {"n": 1}, DAYS[1]),
        (1, {"n": 0}, DAYS[0]),
    ]


def test_older_windows_than_the_page_can_show_are_left_out(mail: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "N_WINDOWS", 1)
    assert {row["partition_key"] for row in queries.shares_by_window(mail, "p")} == {DAYS[1]}
    assert {row["partition_key"] for row in queries.lifts_by_window(mail, **MAIL)} == {DAYS[1]}
    assert len(queries.decisions_by_window(mail, **MAIL)) == 1


@pytest.mark.parametrize("problem", [PROBLEM, "nobody"])
def test_the_past_is_read_whatever_the_rows_are(connection: Any, problem: str) -> None:
    read = [queries.shares_by_window(connection, problem), queries.units_by_phase(connection, problem)]
    read += [query(connection, problem, "campaign") for query in (queries.lifts_by_window, queries.plans)]
    read.append(queries.decisions_by_window(connection, problem, "campaign"))
    assert all(bool(rows) == (problem == PROBLEM) for rows in read)
