"""Flagged answers teach nobody until a lead accepts them, and withdrawn ones were never given."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, func, insert, select

from include.warehouse.tables.review import LABEL, LABEL_FLAG
from include.warehouse.trusted_labels import Trust, is_given, is_relied_on


@pytest.fixture
def connection(migrated_warehouse_url: str) -> Any:
    engine = create_engine(migrated_warehouse_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def label(connection: Connection, make_row: Callable[..., dict[str, Any]], **changes: Any) -> None:
    names = {"problem": "p", "batch_id": "round-001", "item_id": "mail-1", "labelled_by": "ada"}
    connection.execute(insert(LABEL).values(make_row(LABEL, **names | changes)))


def count(connection: Connection, condition: Any) -> int:
    return connection.scalar(select(func.count()).select_from(LABEL).where(condition)) or 0


@pytest.mark.parametrize(
    ("status", "is_trusted", "was_given"),
    [(None, 1, 1), (Trust.WAITING, 0, 1), (Trust.ACCEPTED, 1, 1), (Trust.WITHDRAWN, 0, 0)],
)
def test_what_a_label_counts_for_follows_from_its_flag(
    connection: Connection, make_row: Any, status: Trust | None, is_trusted: int, was_given: int
) -> None:
    label(connection, make_row)
    if status is not None:
        names = {"problem": "p", "batch_id": "round-001", "labelled_by": "ada", "status": str(status)}
        connection.execute(insert(LABEL_FLAG).values(make_row(LABEL_FLAG, **names)))
    assert (count(connection, is_relied_on()), count(connection, is_given())) == (is_trusted, was_given)


@pytest.mark.parametrize("changed", ["problem", "batch_id", "labelled_by"])
def test_a_flag_is_about_one_person_in_one_batch(connection: Connection, make_row: Any, changed: str) -> None:
    label(connection, make_row)
    names = {"problem": "p", "batch_id": "round-001", "labelled_by": "ada", "status": str(Trust.WITHDRAWN)}
    connection.execute(insert(LABEL_FLAG).values(make_row(LABEL_FLAG, **names | {changed: "other"})))
    assert (count(connection, is_relied_on()), count(connection, is_given())) == (1, 1)
