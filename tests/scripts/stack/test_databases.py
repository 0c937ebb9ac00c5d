"""Who may enter which database of the embedded stack, and do what there."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from include.warehouse.migrate import upgrade
from scripts.stack import databases, keys
from scripts.stack.keys import Keys
from scripts.stack.postgres import EmbeddedPostgres

KEYS = Keys()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("stack") / "postgres", is_durable=False) as postgres:
        # A home of an earlier Mulgil: the warehouse is there, the reader is not.
        postgres.create_role(databases.WAREHOUSE_ROLE, KEYS.warehouse_password)
        postgres.create_database(databases.WAREHOUSE, databases.WAREHOUSE_ROLE)
        upgrade(postgres.url(databases.WAREHOUSE, databases.WAREHOUSE_ROLE, KEYS.warehouse_password))
        for _ in range(2):  # each run does it again
            databases.prepare_databases(postgres, KEYS)
        yield postgres


def connect(server: EmbeddedPostgres, role: str, password: str, database: str) -> psycopg.Connection:
    return psycopg.connect(server.url(database, role, password).replace("+psycopg", ""))


def test_the_reader_reads_every_view_old_and_new_and_no_table(server: EmbeddedPostgres):
    with connect(server, databases.WAREHOUSE_ROLE, KEYS.warehouse_password, databases.WAREHOUSE) as owner:
        owner.execute("CREATE VIEW bi.made_later AS SELECT count(*) AS n_rows FROM core.coverage")
        views = owner.execute("SELECT viewname FROM pg_views WHERE schemaname = 'bi'").fetchall()
    assert len(views) > 10
    with connect(server, databases.BI_ROLE, KEYS.bi_password, databases.WAREHOUSE) as reader:
        for (view,) in views:
            reader.execute(f"SELECT * FROM bi.{view} LIMIT 1")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("SELECT count(*) FROM core.coverage")


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.probe (number int)",
        "CREATE TEMP TABLE probe (number int)",
        "DROP VIEW bi.data_completeness",
    ],
)
def test_the_reader_writes_nothing_also_where_it_asks_to(server: EmbeddedPostgres, statement: str):
    with connect(server, databases.BI_ROLE, KEYS.bi_password, databases.WAREHOUSE) as reader:
        reader.execute("SET default_transaction_read_only = off")
        reader.commit()
        with pytest.raises(psycopg.Error, match=r"permission denied|must be owner"):
            reader.execute(statement)


@pytest.mark.parametrize("database", ["postgres", "template1", databases.METADATA])
@pytest.mark.parametrize("role", [databases.BI_ROLE, databases.WAREHOUSE_ROLE])
def test_no_role_enters_a_database_that_is_not_its_own(server: EmbeddedPostgres, role: str, database: str):
    password = KEYS.bi_password if role == databases.BI_ROLE else KEYS.warehouse_password
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        connect(server, role, password, database)


def test_every_role_has_a_password_of_its_own():
    made = keys.Keys()
    assert len({made.postgres_password, made.airflow_database_password, made.warehouse_password, made.bi_password}) == 4


def test_the_warehouse_waits_for_the_disk_and_airflows_own_database_does_not(server: EmbeddedPostgres):
    said = {}
    for name in (databases.WAREHOUSE, databases.METADATA):
        with server.connect(name) as connection:
            said[name] = connection.execute("SHOW synchronous_commit").fetchone()
    # A throw-away server runs with what the embedded stack runs with, but for its own settings.
    assert said == {databases.WAREHOUSE: ("on",), databases.METADATA: ("off",)}


def test_a_power_cut_loses_no_commit_of_the_warehouse_or_before_it(tmp_path: Path):
    with EmbeddedPostgres(tmp_path / "postgres", password="a", is_durable=True) as postgres:
        databases.prepare_databases(postgres, KEYS)
        with postgres.connect() as connection:
            connection.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
            connection.execute("SELECT pg_reload_conf()")
        with postgres.connect(databases.METADATA) as airflow, postgres.connect(databases.WAREHOUSE) as warehouse:
            airflow.execute("CREATE TABLE run (name text)")
            warehouse.execute("CREATE TABLE label (name text)")
            airflow.execute("INSERT INTO run VALUES ('before')")
            warehouse.execute("INSERT INTO label VALUES ('an answer')")
            airflow.execute("INSERT INTO run VALUES ('after')")
            postgres._call("pg_ctl", "stop", "-w", "-s", "-m", "immediate", "-D", str(postgres.data_dir))
        postgres.start()
        with postgres.connect(databases.METADATA) as airflow, postgres.connect(databases.WAREHOUSE) as warehouse:
            assert warehouse.execute("SELECT name FROM label").fetchall() == [("an answer",)]
            runs = [name for (name,) in airflow.execute("SELECT name FROM run").fetchall()]
    # What came after may be gone, and is here: this test can tell the two apart.
    assert runs == ["before"]
