"""An empty metadata database of the installed Airflow, made by Airflow itself; copied for each test that asks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from scripts.stack.postgres import EmbeddedPostgres
from tests.conftest import ROLE

_FILLERS = {"integer": 1, "bigint": 1, "boolean": False, "double precision": 1.0, "json": Jsonb({}), "jsonb": Jsonb({})}
_REQUIRED = """
SELECT column_name, data_type FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = %s AND is_nullable = 'NO' AND column_default IS NULL
"""


def airflow_environment(url: str, home: Path) -> dict[str, str]:
    """Return the environment in which Airflow's own code works on a metadata database."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "MULGIL"))}
    return kept | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url.replace("+psycopg", "+psycopg2"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }


@pytest.fixture(scope="session")
def metadata_template(
    postgres_server: EmbeddedPostgres, _database_names: Iterator[str], tmp_path_factory: pytest.TempPathFactory
) -> str:
    name = f"{next(_database_names)}_airflow"
    postgres_server.create_database(name, ROLE)
    finished = subprocess.run(
        [sys.executable, "-c", "from airflow.utils import db; db.upgradedb()"],
        env=airflow_environment(postgres_server.url(name, ROLE), tmp_path_factory.mktemp("airflow")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]
    return name


@pytest.fixture
def metadata_url(
    postgres_server: EmbeddedPostgres, metadata_template: str, _database_names: Iterator[str]
) -> Iterator[str]:
    """Give the SQLAlchemy URL of a metadata database that has Airflow's tables and no DAG."""
    name = next(_database_names)
    postgres_server.create_database(name, ROLE, template=metadata_template)
    yield postgres_server.url(name, ROLE)
    postgres_server.drop_database(name)


def add_row(connection: psycopg.Connection, table: str, **values: Any) -> None:
    """Insert one row that is valid in every column that the test does not care about."""
    row = dict(values)
    for column, kind in connection.execute(_REQUIRED, [table]).fetchall():
        if column not in row:
            now = "2026-01-01T00:00:00Z" if kind.startswith("timestamp") else "any"
            row[column] = "0" * 32 if kind == "uuid" else _FILLERS.get(kind, now)
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join([sql.Placeholder()] * len(row)),
    )
    connection.execute(statement, list(row.values()))
