"""A migrated warehouse that forgets, and the question that every table answers: what is one row about?"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, create_engine, insert
from sqlalchemy.exc import IntegrityError

from tests.include.warehouse.edge_rows import NOW, rows_of


@pytest.fixture(scope="module")
def _engine(module_warehouse_url: str) -> Iterator[Engine]:
    engine = create_engine(module_warehouse_url)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(_engine: Engine) -> Iterator[Connection]:
    """Give a connection whose writes are forgotten."""
    with _engine.connect() as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def put(connection: Connection) -> Callable[..., bool]:
    """Insert a row of a table, with what the test cares about; say whether the warehouse took it."""

    def insert_row(table: Table, **changes: Any) -> bool:
        row = next(iter(rows_of(table).values())) | changes
        try:
            with connection.begin_nested():
                connection.execute(insert(table).values(row))
        except IntegrityError:
            return False
        return True

    return insert_row


@pytest.fixture
def grain_of(put: Callable[..., bool]) -> Callable[[Table], set[str]]:
    """Find by trying what makes a row another row: the columns that alone tell two rows apart."""

    def find(table: Table) -> set[str]:
        first = next(iter(rows_of(table).values()))
        assert put(table)
        assert not put(table), "a second row about the same thing was taken"
        kinds = {int: lambda value: value + 7, str: lambda value: f"{value}x"}
        found = set()
        for column in table.columns:
            value = first[column.name]
            other = NOW + timedelta(days=9) if column.type.python_type not in kinds else None
            if value is None or not isinstance(value, str | int) or isinstance(value, bool):
                changed = {column.name: other} if column.type.python_type is type(NOW) else None
            else:
                changed = {column.name: kinds[type(value)](value)}
            if changed is not None and not _breaks_a_law(table, column.name) and put(table, **changed):
                found.add(column.name)
        return found

    return find


def _breaks_a_law(table: Table, column: str) -> bool:
    """Leave out counts whose sum the warehouse checks: a change of one alone is refused for another reason."""
    return table.name == "partition_audit" and column.startswith("n_")
