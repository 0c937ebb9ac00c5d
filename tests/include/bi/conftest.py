"""Rows for a view to read: a test says only what it cares about."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.schema import CreateSchema

from include.names import BI
from include.warehouse.tables import METADATA
from include.warehouse.views import create_views

EXAMPLES = {str: "x", int: 1, float: 0.5, bool: True, datetime: datetime(2013, 7, 1, tzinfo=UTC), object: {}}


@pytest.fixture
def fill(house) -> Callable[..., None]:
    """Insert rows: `fill("alert", {"value": 0.3}, {...})`; columns that may be missing are, others get an example."""

    def insert_rows(table_name: str, *rows: dict[str, Any], **shared: Any) -> None:
        table = METADATA.tables[f"core.{table_name}"]
        base = {c.name: None if c.nullable else EXAMPLES[c.type.python_type] for c in table.columns}
        with house.engine.begin() as connection:
            for row in rows or ({},):
                unknown = set(row | shared) - set(base)
                assert not unknown, f"{table_name} has no column {unknown}"
                connection.execute(insert(table), [base | {"problem": "p"} | shared | row])

    return insert_rows


@pytest.fixture
def read(house) -> Callable[..., list[Any]]:
    """Read columns of a view as tuples, in the order of the columns named in `by`."""
    with house.engine.begin() as connection:
        connection.execute(CreateSchema(BI, if_not_exists=True))
        create_views(connection)

    def select_rows(view: str, *columns: str, by: str = "1") -> list[Any]:
        with house.engine.connect() as connection:
            query = text(f"SELECT {', '.join(columns)} FROM bi.{view} ORDER BY {by}")
            found = [tuple(row) for row in connection.execute(query)]
        return [row[0] for row in found] if len(columns) == 1 else found

    return select_rows
