"""A warehouse as the launcher makes it, and rows for tables whose values a test does not care about."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, Table, create_engine

from include.warehouse import migrate

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
def warehouse(warehouse_url: str) -> Iterator[Engine]:
    migrate.upgrade(warehouse_url)
    engine = create_engine(warehouse_url)
    yield engine
    engine.dispose()
