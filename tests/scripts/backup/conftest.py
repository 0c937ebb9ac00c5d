"""A home with a running PostgreSQL, a lake and a writer, as the embedded stack has; Airflow's database is a table."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.lake import catalog
from include.lake.catalog import load_table, one_commit
from include.lake.files import absolute, write_parquet
from include.lake.garbage_collection import expire_snapshots, remove_orphans
from include.lake.reading import planned_files
from include.lake.writing import publish_files
from include.names import PARTITION_KEY
from include.warehouse import migrate
from include.warehouse.database import engine_for
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.quality import PARTITION_AUDIT
from scripts.stack import databases, unprivileged
from scripts.stack import home as home_module
from scripts.stack.home import Home
from scripts.stack.keys import make_keys
from scripts.stack.stack import Stack, open_stack

PROBLEM = "flights"
TABLE = f"lake.{PROBLEM}"
SCHEMA = pa.schema([(PARTITION_KEY, pa.string()), ("v", pa.int64())])


@dataclass
class Running:
    """A stack whose PostgreSQL runs, and that this process publishes to."""

    home: Home
    stack: Stack
    published: list[str] = field(default_factory=list)

    def publish(self, key: str, n_rows: int) -> None:
        """Publish rows of a partition with their audit, in one commit, as ingest does."""
        rows = pa.table({PARTITION_KEY: [key] * n_rows, "v": list(range(n_rows))}, SCHEMA)
        path, _ = write_parquet(f"{PROBLEM}/data/{key}", SCHEMA, [rows])
        with one_commit() as commit:
            publish_files(TABLE, key, [path], SCHEMA, within=commit)
            audit = {"problem": PROBLEM, "partition_key": key, "run_id": "r", "n_in": n_rows, "n_published": n_rows}
            counts = dict.fromkeys(("n_quarantined", "n_duplicate", "n_refused", "n_withdrawn"), 0)
            rest = {"verdict": "published", "n_in_lake": n_rows, "finished_at_utc": datetime.now(UTC)}
            upsert_rows(commit.connection, PARTITION_AUDIT, [audit | counts | rest])
        self.published.append(key)

    def collect_garbage(self) -> None:
        """Remove every snapshot but the newest, and every file that it does not need, however young."""
        expire_snapshots(TABLE)
        remove_orphans(TABLE, datetime.now(UTC))

    def stop(self) -> None:
        engine_for(self.stack.addresses.warehouse_url).dispose()
        catalog._catalog_of.cache_clear()
        self.stack.postgres.stop()

    def lose(self) -> None:
        """Lose the machine's disk."""
        self.stop()
        shutil.rmtree(self.stack.postgres.data_dir)
        shutil.rmtree(self.home.root, ignore_errors=True)


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    shared = Path(tempfile.mkdtemp(prefix="mulgil-shared-", dir=unprivileged.SHARED))
    shared.chmod(0o711)
    monkeypatch.setattr(unprivileged, "SHARED", shared)
    home = Home((tmp_path / "home").resolve())
    home_module.make_folders(home)
    stack = Stack(home, make_keys(home.secrets))
    stack.start_postgres()
    migrate.upgrade(stack.addresses.warehouse_url)
    with stack.postgres.connect(databases.METADATA) as connection:
        connection.execute("CREATE TABLE dag_run (run_id text); INSERT INTO dag_run VALUES ('one')")
    monkeypatch.setenv("MULGIL_HOME", str(home.root))
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", stack.addresses.warehouse_url)
    running = Running(home, stack)
    yield running
    running.stop()
    if home.secrets.exists():
        open_stack(home).postgres.stop()
    shutil.rmtree(shared, ignore_errors=True)


@pytest.fixture
def counts_law(running: Running, monkeypatch: pytest.MonkeyPatch) -> Callable[[], dict[str, int]]:
    """Give the law asked of the restored home: rows in the lake's files are those of the audits, by partition."""

    def ask() -> dict[str, int]:
        stack = open_stack(running.home)
        stack.start_postgres()
        url = stack.addresses.warehouse_url
        monkeypatch.setenv("MULGIL_WAREHOUSE_URL", url)
        catalog._catalog_of.cache_clear()
        try:
            with psycopg.connect(url.replace("+psycopg", "")) as connection:
                query = "SELECT partition_key, n_in_lake FROM core.partition_audit"
                audited = dict(connection.execute(query).fetchall())
            table = load_table(TABLE)
            assert {key: _count(planned_files(table, [key])) for key in audited} == audited
            assert sum(audited.values()) == _count(planned_files(table))
            return audited
        finally:
            engine_for(url).dispose()
            stack.postgres.stop()

    return ask


def _count(paths: list[str]) -> int:
    return sum(pq.read_table(absolute(path)).num_rows for path in paths)
