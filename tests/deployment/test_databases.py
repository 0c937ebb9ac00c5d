"""The script that makes the production databases, run by the same release of PostgreSQL that production runs."""

import os
import subprocess
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import make_url

from include.warehouse.migrate import upgrade
from scripts.stack.postgres import EmbeddedPostgres, find_binaries
from tests.deployment.compose import REPOSITORY

PASSWORDS = {
    "AIRFLOW_DB_PASSWORD": "for-airflow",
    "MULGIL_DB_PASSWORD": "for-mulgil",
    "BI_DB_PASSWORD": "for-bi",
    "SUPERSET_DB_PASSWORD": "for-superset",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("production") / "postgres", is_durable=False) as postgres:
        url = make_url(postgres.url("postgres")).set(drivername="postgresql").render_as_string(hide_password=False)
        subprocess.run(
            [find_binaries() / "psql", "-v", "ON_ERROR_STOP=1", "--no-psqlrc", "--quiet", "-f",
             REPOSITORY / "docker" / "postgres" / "databases.sql", url],
            check=True, env={**os.environ, **PASSWORDS},
        )  # fmt: skip
        upgrade(postgres.url("mulgil", "mulgil", "for-mulgil"))
        yield postgres


def connect(server: EmbeddedPostgres, database: str, role: str, password: str) -> psycopg.Connection:
    return psycopg.connect(server.url(database, role, password).replace("+psycopg", ""))


@pytest.mark.parametrize("name", ["airflow", "mulgil", "superset"])
def test_each_owner_may_make_tables_in_its_own_database(server: EmbeddedPostgres, name: str):
    with connect(server, name, name, f"for-{name}") as connection:
        connection.execute("CREATE TABLE public.probe (number int)")
        connection.rollback()


def test_no_owner_may_enter_the_database_of_another(server: EmbeddedPostgres):
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        connect(server, "mulgil", "superset", "for-superset")


def test_the_reader_of_the_views_reads_a_view_made_after_it_and_no_table(server: EmbeddedPostgres):
    with connect(server, "mulgil", "mulgil", "for-mulgil") as owner:
        owner.execute("CREATE VIEW bi.made_later AS SELECT count(*) AS n_rows FROM core.coverage")
    with connect(server, "mulgil", "bi_reader", "for-bi") as reader:
        assert reader.execute("SELECT n_rows FROM bi.made_later").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("SELECT count(*) FROM core.coverage")


def test_the_reader_of_the_views_writes_nothing(server: EmbeddedPostgres):
    with connect(server, "mulgil", "bi_reader", "for-bi") as reader, pytest.raises(psycopg.Error):
        reader.execute("CREATE TABLE public.probe (number int)")
