"""Every query of the pages runs whatever stands in the tables, and says what is true of it."""

import inspect
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from include.warehouse import queries
from include.warehouse.tables.monitoring import ALERT
from tests.include.warehouse.edge_rows import PROBLEM

QUERIES = [
    function
    for name, function in inspect.getmembers(queries, inspect.isfunction)
    if function.__module__ == queries.__name__ and not name.startswith("_")
]
MORE = {"data_docs_of": ["2013-06"]}  # what a query asks for beside the problem
ALERTED = {"problem": "p", "metric": "m", "subject": "s", "action": "warn", "message": "m"}


def alert(connection: Connection, alert_id: str, value: float, bound: float) -> None:
    opened = datetime(2013, 7, 1, tzinfo=UTC)
    row = ALERTED | {"partition_key": "2013-07", "alert_id": alert_id, "value": value, "bound": bound}
    connection.execute(insert(ALERT).values(row | {"opened_at_utc": opened, "message": alert_id}))


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.__name__)
@pytest.mark.parametrize("problem", [PROBLEM, "nobody"])
def test_every_query_of_the_reports_answers_whatever_the_rows_are(connection: Any, query: Any, problem: str) -> None:
    found = query(connection, problem, *MORE.get(query.__name__, []))
    if problem == PROBLEM:
        assert found
    else:
        assert not found or set(found.values()) == {0}


def test_an_alert_whose_bound_is_nothing_comes_first_and_the_rest_by_their_excess(connection: Connection) -> None:
    for name, value, bound in (
        ("twice", 0.4, 0.2),
        ("overdue", 40.0, 0.0),
        ("thrice", 0.6, 0.2),
        ("endless", 1e300, 1e-300),
        ("below", -3.0, -2.0),
    ):
        alert(connection, name, value, bound)
    assert [row["message"] for row in queries.open_alerts(connection, "p")] == [
        "overdue",
        "endless",
        "thrice",
        "twice",
        "below",
    ]
