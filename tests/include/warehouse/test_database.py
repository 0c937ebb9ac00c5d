from contextlib import ExitStack

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from include.errors import BadSettings
from include.warehouse.database import engine_for, open_warehouse


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
