"""Holds the warehouse and the lake's files at one moment, while everybody goes on working.

Why this is consistent: files are written before the commit that names them, and nobody changes one. So every file that
a snapshot of the warehouse names is there at the snapshot's moment, and only garbage collection could take it away
afterwards. That, like publishing, happens under the table's lock. All tables' locks are held while the snapshot is
taken and the files are linked, some milliseconds; then everybody goes on, and what they remove stays linked here.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from include.names import CORE
from include.warehouse.locks import lock_number
from scripts.stack.errors import OutOfTime, StackError
from scripts.stack.home import Home

# Of a home: what is kept beside the databases. Everything else is made anew (caches, logs) or is no data (records of
# running servers).
FOLDERS = ("landing", "lake", "models", "exports")
# Shorter than PostgreSQL's deadlock_timeout of 1 s: who waits for two tables in another order is never broken off.
LOCK_MS = 500
PATIENCE_S = 120.0

_TABLES = "SELECT table_namespace || '.' || table_name, metadata_location FROM lake_catalog.iceberg_tables ORDER BY 1"


@dataclass(frozen=True)
class Moment:
    """What is held.

    Attributes:
        snapshot: name of the warehouse's snapshot, as pg_dump takes it.
        revision: of the warehouse.
        held_s: for how long nobody could publish, in seconds.
    """

    snapshot: str
    revision: str
    held_s: float


@contextlib.contextmanager
def frozen(url: str, home: Home, links: Path) -> Iterator[Moment]:
    """Hold one moment of the warehouse, and link all files of the home's folders below `links`.

    Args:
        url: of the warehouse, as libpq takes it.
        home: whose files.
        links: an empty folder on the same disk; elsewhere files are copied, and publishing waits for that.

    Raises:
        OutOfTime: somebody held a table's lock for two minutes.
        StackError: the warehouse names a file that is not there.
    """
    with psycopg.connect(url) as reader, psycopg.connect(url, autocommit=True) as locker:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        until = time.monotonic() + PATIENCE_S
        wanted: set[str] = set()
        while True:
            held_from = _hold(locker, wanted, until)
            row = reader.execute("SELECT pg_export_snapshot()").fetchone()
            tables = _read_tables(reader)
            if tables.keys() <= wanted:
                break
            wanted = set(tables)  # one that is newer than the first look
            reader.rollback()
            locker.execute("ROLLBACK")
        for name in FOLDERS:
            _link(home.root / name, links / name)
        locker.execute("ROLLBACK")
        held_s = time.monotonic() - held_from
        _require_named_files(reader, tables, home, links)
        revision = reader.execute(f"SELECT version_num FROM {CORE}.alembic_version").fetchone()
        yield Moment(str(row[0]) if row else "", str(revision[0]) if revision else "", held_s)
        reader.rollback()


def _hold(locker: psycopg.Connection, tables: set[str], until: float) -> float:
    """Hold the locks of some tables in a transaction; return when the first was held."""
    while True:
        locker.execute("BEGIN")
        locker.execute(f"SET LOCAL lock_timeout = {LOCK_MS}")
        started = time.monotonic()
        name = ""
        try:
            for name in sorted(tables):
                locker.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number("lake", name)])
            return started
        except psycopg.errors.LockNotAvailable as error:
            locker.execute("ROLLBACK")
            if time.monotonic() > until:
                raise OutOfTime(
                    f"Somebody held the lock of {name} for {PATIENCE_S:.0f} s, so that no moment could be held. "
                    "make doctor says who waits for whom; then back up again."
                ) from error


def _read_tables(reader: psycopg.Connection) -> dict[str, str]:
    """Return the lake's tables and where the metadata of each is; none before the first publish."""
    found = reader.execute("SELECT to_regclass('lake_catalog.iceberg_tables')").fetchone()
    return dict(reader.execute(_TABLES).fetchall()) if found and found[0] else {}


def _link(source: Path, target: Path) -> None:
    """Give every file of a folder a second name, which stays when the first is removed; on another disk copy it.

    Links are followed: a backup holds what they lead to.
    """
    for folder, folders, names in os.walk(source, followlinks=True):
        for name in folders:
            path = Path(folder) / name
            above = (Path(folder), *Path(folder).parents)
            if path.is_symlink() and path.resolve() in {place.resolve() for place in above}:
                raise StackError(
                    f"{path} is a link to a folder that it is in, so that it has no end. Remove that link."
                )
        place = target / Path(folder).relative_to(source)
        place.mkdir(parents=True, exist_ok=True)
        for name in names:
            path = (Path(folder) / name).resolve()
            with contextlib.suppress(FileNotFoundError):  # a draft whose writer has just renamed it
                try:
                    os.link(path, place / name)
                except OSError as error:
                    if isinstance(error, FileNotFoundError):
                        raise
                    shutil.copy2(path, place / name)


def _require_named_files(reader: psycopg.Connection, tables: dict[str, str], home: Home, links: Path) -> None:
    """Check that the tables' newest metadata, and every registered model, were linked."""
    named = {location.removeprefix("file://"): name for name, location in tables.items()}
    models = reader.execute(f"SELECT problem, artifact_url, model_version FROM {CORE}.model_version").fetchall()
    named |= {str(home.models / problem / url): version for problem, url, version in models}
    lost = [
        f"{path} of {name}" for path, name in sorted(named.items()) if not _linked(Path(path), home, links).exists()
    ]
    if lost:
        raise StackError(
            f"{len(lost)} of {len(named)} files that the warehouse names are not there, first {lost[0]}. A backup "
            "would not be whole. make doctor says more; a model can be trained again, a table brought back by ingest."
        )


def _linked(path: Path, home: Home, links: Path) -> Path:
    return links / path.relative_to(home.root) if home.root in path.parents else path
