from contextlib import ExitStack

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from include.errors import BadSettings
from include.warehouse.database import engine_for, is_away, open_warehouse


def test_an_empty_url_is_refused_with_the_way_to_find_one():
    with pytest.raises(BadSettings, match=r"MULGIL_WAREHOUSE_URL is empty.*make info"):
        engine_for("")


def test_one_url_has_one_engine_and_the_settings_choose_it(house):
    assert open_warehouse() is open_warehouse(house.settings)
    assert open_warehouse().url == house.engine.url


def test_turning_to_another_url_closes_the_connections_to_the_one_before(house):
    first = open_warehouse()
    with first.connect():
        pass
    assert first.pool.checkedin() == 1
    with engine_for(f"{house.settings.warehouse_url}?application_name=other").connect():
        assert first.pool.checkedin() == 0
    assert open_warehouse() is not first


def test_connections_of_five_people_at_once_stay_open_for_the_next_five(warehouse_url):
    engine = engine_for(warehouse_url)
    with ExitStack() as people:
        for _ in range(5):
            people.enter_context(engine.connect())
    assert engine.pool.checkedin() == 5
    engine.dispose()


def test_an_error_does_not_carry_the_values_that_were_sent(warehouse_url):
    engine = engine_for(warehouse_url)
    with engine.connect() as connection, pytest.raises(ProgrammingError) as caught:
        connection.execute(text("SELECT * FROM nowhere WHERE mail = :mail"), {"mail": "jane@example.org"})
    engine.dispose()
    assert "nowhere" in str(caught.value)
    assert "jane" not in str(caught.value)


def fail(url: str, statement: str) -> SQLAlchemyError:
    """Give the error that a statement meets."""
    engine = create_engine(url)
    with engine.connect() as connection, pytest.raises(SQLAlchemyError) as caught:
        connection.execute(text(statement))
    engine.dispose()
    return caught.value


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 / 0",
        "SELECT * FROM nowhere",
        "SET statement_timeout = '1ms'; SELECT pg_sleep(5)",
        "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = 'deadlock_detected'; END $$",
        "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = 'disk_full'; END $$",
    ],
)
def test_a_server_that_answers_with_an_error_is_not_away(warehouse_url, statement):
    assert not is_away(fail(warehouse_url, statement))


def test_a_value_that_the_driver_cannot_send_is_no_server_that_is_away(warehouse_url):
    engine = create_engine(warehouse_url)
    with engine.connect() as connection, pytest.raises(SQLAlchemyError) as caught:
        connection.execute(text("SELECT :name"), {"name": "\x00"})
    engine.dispose()
    assert not is_away(caught.value)


def test_a_connection_that_was_ended_and_a_server_that_never_answered_are_away(warehouse_url):
    assert is_away(fail(warehouse_url, "SELECT pg_terminate_backend(pg_backend_pid())"))
    nobody = create_engine("postgresql+psycopg://someone@127.0.0.1:1/none")
    with pytest.raises(SQLAlchemyError) as caught:
        nobody.connect()
    assert is_away(caught.value)


def test_connections_that_are_all_in_use_are_as_none(warehouse_url):
    engine = create_engine(warehouse_url, pool_size=1, max_overflow=0, pool_timeout=0.01)
    with engine.connect(), pytest.raises(SQLAlchemyError) as caught:
        engine.connect()
    engine.dispose()
    assert is_away(caught.value)
