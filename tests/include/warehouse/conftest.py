"""A warehouse as the launcher makes it, and rows for tables whose values a test does not care about."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, create_engine

from tests.include.warehouse.edge_rows import fill

NOW = datetime(2013, 7, 1, 12, 0, tzinfo=UTC)
# Counts of 0 add up in every table, whatever law it has.
EXAMPLES = {str: "x", int: 0, float: 0.5, bool: True, datetime: NOW, dict: {"a": 1}, object: {"a": 1}}


@pytest.fixture
def make_row() -> Callable[..., dict[str, Any]]:
    """Give a valid row of any table, with what the test cares about changed."""

    def make(table: Table, **changes: Any) -> dict[str, Any]:
        return {column.name: EXAMPLES[column.type.python_type] for column in table.columns} | changes

    return make


@pytest.fixture
def warehouse(migrated_warehouse_url: str) -> Iterator[Engine]:
    engine = create_engine(migrated_warehouse_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def engine(module_warehouse_url: str) -> Iterator[Engine]:
    """Give a warehouse of edge rows, which the tests of a file share."""
    engine = create_engine(module_warehouse_url)
    fill(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """Give a connection whose writes are forgotten."""
    with engine.connect() as connection:
        yield connection
        connection.rollback()
