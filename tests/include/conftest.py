"""A house to test rooms in: a temporary home, an empty warehouse with all tables, and the environment that says so."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from include.names import CORE
from include.settings import Settings, read_settings
from include.warehouse.database import engine_for
from include.warehouse.tables import METADATA


@dataclass(frozen=True)
class House:
    """What a room's test needs to know about where it is."""

    home: Path
    settings: Settings
    engine: Engine


@pytest.fixture
def house(mulgil_home: Path, warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("MULGIL_HOME", str(mulgil_home))
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", warehouse_url)
    monkeypatch.setenv("MULGIL_PII_KEY", "a key for tests only")
    engine = create_engine(warehouse_url)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {CORE}"))
        METADATA.create_all(connection)
    yield House(home=mulgil_home, settings=read_settings(), engine=engine)
    engine.dispose()
    engine_for(warehouse_url).dispose()  # what the rooms opened
