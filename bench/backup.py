"""Measures `make backup` and `make restore` of a home of a million rows, while somebody goes on publishing.

    python -m bench backup

The law is asked of the restored home: rows in the lake's files are those that the audits counted.
"""

import os
import shutil
import tempfile
import threading
from pathlib import Path

import psycopg
import pyarrow as pa

from bench.event_log import write_log
from bench.ingest import ingest
from include.lake import catalog
from include.lake.reading import open_rows
from include.lake.writing import replace_partition
from include.names import PARTITION_KEY
from include.warehouse import migrate
from include.warehouse.database import engine_for
from scripts.backup.restore import restore
from scripts.backup.take import Taken, take_backup
from scripts.stack import home as home_module
from scripts.stack.home import Home
from scripts.stack.keys import make_keys
from scripts.stack.stack import Stack

N_EVENTS = 1_000_000


def main() -> int:
    """Back up, lose and restore a home; print the figures as a table of docs/benchmarks.md."""
    root = Path(tempfile.mkdtemp(prefix="mulgil-bench-"))
    root.chmod(0o711)
    try:
        print(measure(root, N_EVENTS))
    finally:
        shutil.rmtree(root)
    return 0


def measure(root: Path, n_events: int) -> str:
    """Measure with so many rows below an empty folder."""
    home = Home((root / "home").resolve())
    stack = _start(home)
    try:
        write_log(root / "events.jsonl", n_events)
        ingest(home.root, root / "events.jsonl", n_events)
        taken, n_commits = _take_while_written(home, root / "backup.tar")
    finally:
        _stop(stack)
    shutil.rmtree(stack.postgres.data_dir)
    shutil.rmtree(home.root)
    restored = restore(home, root / "backup.tar")
    n_rows = _ask_law(stack)
    return (
        "| rows | files | MB | commits meanwhile | publishing waited, s | backup, s | restore, s | rows after |\n"
        "|---|---|---|---|---|---|---|---|\n"
        f"| {n_events:,} | {taken.n_files:,} | {taken.n_bytes / 1e6:,.0f} | {n_commits} | {taken.held_s:.2f} | "
        f"{taken.took_s:.1f} | {restored.took_s:.1f} | {n_rows:,} |"
    )


def _start(home: Home) -> Stack:
    """Start the databases of a home, and point this process and its children at it."""
    home_module.make_folders(home)
    (home.root / "problems").mkdir()
    stack = Stack(home, make_keys(home.secrets))
    stack.start_postgres()
    os.environ |= {
        "MULGIL_HOME": str(home.root),
        "MULGIL_PROBLEMS_DIR": str(home.root / "problems"),
        "MULGIL_WAREHOUSE_URL": stack.addresses.warehouse_url,
        "MULGIL_PII_KEY": stack.keys.pii_key,
    }
    migrate.upgrade(stack.addresses.warehouse_url)
    return stack


def _stop(stack: Stack) -> None:
    engine_for(stack.addresses.warehouse_url).dispose()
    catalog._catalog_of.cache_clear()
    stack.postgres.stop()


def _take_while_written(home: Home, target: Path) -> tuple[Taken, int]:
    """Back up while a thread replaces small partitions; return what was taken, and how many commits there were."""
    has_begun, is_over = threading.Event(), threading.Event()
    commits: list[str] = []

    def write() -> None:
        while not is_over.is_set():
            key = f"2013-{len(commits) % 12 + 1:02d}"
            replace_partition("lake.other", key, pa.table({PARTITION_KEY: [key] * 100, "v": list(range(100))}))
            commits.append(key)
            has_begun.set()

    writer = threading.Thread(target=write)
    writer.start()
    has_begun.wait()
    n_before = len(commits)
    try:
        return take_backup(home, target), len(commits) - n_before
    finally:
        is_over.set()
        writer.join()


def _ask_law(stack: Stack) -> int:
    """Return the restored rows; end the measurement where they are not those that the audits counted."""
    stack.start_postgres()
    os.environ["MULGIL_WAREHOUSE_URL"] = stack.addresses.warehouse_url
    try:
        with psycopg.connect(stack.addresses.warehouse_url.replace("+psycopg", "")) as connection:
            row = connection.execute("SELECT sum(n_in), sum(n_in_lake) FROM core.partition_audit").fetchone()
        n_rows = int(open_rows("lake.app").count().execute())
        if row != (n_rows, n_rows):
            raise SystemExit(f"The audits counted {row} rows, the restored lake has {n_rows}.")
        open_rows("lake.other").count().execute()
        return n_rows
    finally:
        _stop(stack)
