"""A part of a page that the warehouse cannot answer is missing; every other part is there."""

import logging
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import OperationalError

from include.warehouse.page_parts import PageParts


@pytest.fixture
def engine(warehouse_url: str) -> Iterator[Engine]:
    engine = create_engine(warehouse_url)
    yield engine
    engine.dispose()


def divide(connection: Connection) -> int | None:
    return connection.scalar(text("SELECT 1 / 0"))


def count(connection: Connection) -> int | None:
    return connection.scalar(text("SELECT 7"))


def test_a_part_that_fails_is_named_logged_and_takes_no_other_with_it(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with engine.connect() as connection, caplog.at_level(logging.ERROR):
        parts = PageParts(connection, "flights")
        read = [parts.read("first", count, None), parts.read("alerts", divide, -1), parts.read("last", count, None)]
    assert (read, parts.missing) == ([7, -1, 7], ["alerts"])
    assert "'alerts' of the page about 'flights'" in caplog.text
    assert "division by zero" in caplog.text


def test_a_lost_connection_is_no_missing_part(engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(OperationalError):
        PageParts(connection, "flights").read(
            "alerts", lambda asked: asked.execute(text("SELECT pg_terminate_backend(pg_backend_pid())")), None
        )
