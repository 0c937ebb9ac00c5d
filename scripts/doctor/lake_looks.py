"""Looks into the lake: tables that cannot be read, files that a table needs and that are gone, files nobody needs.

What does not belong here: removing any of them; `upkeep` does. A damaged table is reported, not brought back: that
is the next step's work, and a doctor changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import text

from include.errors import LakeDamaged
from include.lake import files
from include.lake.catalog import CATALOG_SCHEMA, open_catalog
from include.lake.garbage_collection import find_orphans
from include.lake.reading import planned_files
from include.lake.recovery import UNREADABLE
from include.lake.upkeep import ORPHAN_AFTER
from include.names import LAKE_NAMESPACE, owner_of_table
from include.warehouse.database import open_warehouse
from scripts.doctor.finding import Finding, more


def look_at_lake(now: datetime | None = None) -> Iterator[Finding]:
    """Find what is wrong with the lake's files; the settings say where it is.

    Args:
        now: files that are younger than a day before it may be about to be published.

    Raises:
        OSError: the store cannot be read; raised after everything that was found.
    """
    with open_warehouse().connect() as connection:
        schema = connection.scalar(text("SELECT to_regnamespace(:name)::text"), {"name": CATALOG_SCHEMA})
    if schema is None:
        return  # nothing was ever published; opening the catalog would make it
    before = (now or datetime.now(UTC)) - ORPHAN_AFTER
    unreadable: list[str] = []
    gone: list[str] = []
    orphans: dict[str, list[str]] = {}
    sick: OSError | None = None
    catalog = open_catalog()
    for name in sorted(".".join(parts) for parts in catalog.list_tables(LAKE_NAMESPACE)):
        try:
            table = catalog.load_table(name)
            current = table.current_snapshot()
            # Named by its id, so that a damaged one is reported and not brought back.
            needed = planned_files(table, snapshot_id=str(current.snapshot_id)) if current else []
            orphans[name] = find_orphans(name, before)
            gone += files.missing_files(needed)
        except (*UNREADABLE, LakeDamaged) as error:
            unreadable.append(f"{name}: {str(error) or type(error).__name__}")
        except OSError as error:  # what was found up to here is said first
            sick = error
            break
    if unreadable:
        yield Finding(
            "lake",
            "Lake tables cannot be read",
            len(unreadable),
            unreadable[0],
            "clear any ingest run of it: who reads the table first brings it back; else make restore FROM=backup",
        )
    if gone:
        yield Finding(
            "lake",
            "Files that lake tables are made of are gone",
            len(gone),
            more(sorted(gone)),
            "make restore FROM=backup; or clear the ingest runs of those partitions: landing still has the rows",
        )
    n_orphans = sum(map(len, orphans.values()))
    if n_orphans:
        worst = max(orphans, key=lambda name: len(orphans[name]))
        yield Finding(
            "orphan files",
            "Files older than a day belong to no snapshot of their table; they only take room",
            n_orphans,
            f"{len(orphans[worst])} of {worst}, such as {orphans[worst][0]}",
            f"airflow dags trigger {owner_of_table(worst).partition('.')[0]}__upkeep (it runs at night, too)",
        )
    if sick is not None:
        raise sick
