from datetime import UTC, datetime

from sqlalchemy import select

from include.problems.reading import load_problem
from include.warehouse.problem_description import describe_problem
from include.warehouse.tables.monitoring import PROBLEM

NOW, LATER = datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 1, 2, tzinfo=UTC)


def read(connection, *columns):
    return [tuple(row) for row in connection.execute(select(*(PROBLEM.c[name] for name in columns)))]


def test_the_file_is_described_once_and_anew(house):
    definition = load_problem("flight_delay")
    with house.engine.begin() as connection:
        describe_problem(connection, definition, NOW)
        describe_problem(connection, definition.model_copy(update={"title": "Another"}), LATER)
        found = read(connection, "title", "positive_label", "value_unit", "minimum_rows", "seen_at_utc")
    assert found == [("Another", "late", "dollars", 100, LATER)]


def test_a_file_that_watches_nothing_and_has_no_label_is_described_too(house):
    bare = load_problem("flight_delay").model_copy(update={"monitor": None, "label": None, "value": None})
    with house.engine.begin() as connection:
        describe_problem(connection, bare, NOW)
        assert read(connection, "positive_label", "value_unit", "minimum_rows") == [(None, None, 1)]
