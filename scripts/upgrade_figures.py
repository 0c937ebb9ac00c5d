"""What stands in a home, written down by one release and looked for by the next: no row may be missing.

Reads tables as they are, without the code that wrote them, so that the same questions can be asked before and after an
upgrade. What belongs here: reading and comparing. What does not: starting or stopping anything (`upgrade_test.py`).
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table
from sqlalchemy import Connection, NullPool, create_engine, make_url, text

from include.lake.catalog import CATALOG_SCHEMA
from include.names import BI, CORE, LAKE_NAMESPACE, PARTITION_KEY

# What people said and what was decided is never written again, so that its moments count, too.
NEVER_REWRITTEN = frozenset({"label", "model_event", "model_version", "review_batch", "review_item", "review_pass"})
# When a step ran; which item lies before whom.
NOT_KEPT = frozenset({"run_step", "alembic_version", "review_seat"})
# What migrations say in other words: column of a table to why.
RESTATED = {
    ("experiment_decision", "outcome"): "0028 says what is done, send or keep_control, and who won beside it",
    ("landing_object", "version"): "0020: a file's version says more than when it was last written",
    ("partition_audit", "rules_sha256"): "written by whoever publishes the partition next",
    ("allocation", "phase"): "0024: nobody is sent anything between pilot and decision",
    ("allocation", "variant"): "0024, likewise",
    ("allocation", "share_ratio"): "0024, likewise",
}


@dataclass(frozen=True)
class Figures:
    """What stands in a home.

    Attributes:
        tables: table of the warehouse to its rows, each as JSON.
        views: view of the warehouse to how many rows it gives.
        lake: lake table to the columns that it has, and to count and hash of each partition's rows over those columns.
        snapshots: `table snapshot` that a model was fitted on, to how many rows it has.
    """

    tables: dict[str, list[str]]
    views: dict[str, int]
    lake: dict[str, dict[str, Any]]
    snapshots: dict[str, int]


def save(figures: Figures, path: Path) -> None:
    """Write figures into a file that appears whole or not at all."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(figures)), encoding="utf-8")
    draft.replace(path)


def load(path: Path) -> Figures:
    """Read figures that `save` wrote."""
    return Figures(**json.loads(path.read_text(encoding="utf-8")))


# ---------------------------------------------------------------- reading


def read_figures(warehouse_url: str, lake: Path, like: Figures | None = None) -> Figures:
    """Read what stands in a home whose PostgreSQL runs.

    Args:
        warehouse_url: SQLAlchemy URL of the warehouse's owner.
        lake: folder of the lake.
        like: figures of before, whose columns of lake tables are asked about; all that there are now without it.
    """
    asked = {name: found["columns"] for name, found in like.lake.items()} if like else {}
    with create_engine(warehouse_url, poolclass=NullPool).connect() as connection:
        names = _relations(connection, CORE, "BASE TABLE")
        tables = {name: _read_table(connection, name) for name in names if name not in NOT_KEPT}
        counted = {
            name: connection.scalar(text(f'SELECT count(*) FROM {BI}."{name}"'))
            for name in _relations(connection, BI, "VIEW")
        }
        used = text(f"SELECT DISTINCT problem, snapshot_id FROM {CORE}.model_version")
        fitted_on = [(f"{LAKE_NAMESPACE}.{problem}", str(snapshot)) for problem, snapshot in connection.execute(used)]
    with closing(open_catalog(warehouse_url, lake)) as catalog:
        lake_tables = {".".join(name): catalog.load_table(name) for name in catalog.list_tables(LAKE_NAMESPACE)}
        return Figures(
            tables,
            {name: int(count or 0) for name, count in counted.items()},
            {name: read_partitions(table, asked.get(name)) for name, table in lake_tables.items()},
            {
                f"{name} {snapshot}": count_rows(lake_tables[name], int(snapshot))
                for name, snapshot in sorted(fitted_on)
            },
        )


def open_catalog(warehouse_url: str, lake: Path) -> SqlCatalog:
    """Open the lake's catalog as any program with pyiceberg would."""
    uri = make_url(warehouse_url).update_query_dict({"options": f"-csearch_path={CATALOG_SCHEMA}"})
    return SqlCatalog("mulgil", uri=uri.render_as_string(hide_password=False), warehouse=f"file://{lake}")


def _relations(connection: Connection, schema: str, kind: str) -> list[str]:
    query = "SELECT table_name FROM information_schema.tables WHERE table_schema = :schema AND table_type = :kind"
    return sorted(connection.scalars(text(query), {"schema": schema, "kind": kind}))


def _read_table(connection: Connection, name: str) -> list[str]:
    return list(connection.scalars(text(f'SELECT to_jsonb(t)::text AS line FROM {CORE}."{name}" AS t ORDER BY 1')))


def read_partitions(table: Table, columns: list[str] | None = None) -> dict[str, Any]:
    """Count and hash the rows of each partition of a lake table, whatever their order.

    Args:
        columns: those that are hashed; all when None.

    Returns:
        `columns`, `missing` (those asked for that it no longer has), and `partitions`: key to count and hash.
    """
    rows = table.scan().to_arrow()
    asked = columns if columns is not None else sorted(rows.column_names)
    held = [name for name in asked if name in rows.column_names]
    said = ", ".join(f'CAST("{name}" AS VARCHAR)' for name in held)
    with duckdb.connect() as engine:
        engine.register("rows_of_table", rows)
        counted = engine.execute(
            f'SELECT "{PARTITION_KEY}", count(*), CAST(sum(CAST(hash({said}) AS HUGEINT)) AS VARCHAR) '
            "FROM rows_of_table GROUP BY ALL ORDER BY 1"
        ).fetchall()
    partitions = {str(key): [n_rows, digest] for key, n_rows, digest in counted}
    return {"columns": asked, "missing": sorted(set(asked) - set(held)), "partitions": partitions}


def count_rows(table: Table, snapshot_id: int) -> int:
    """Read every row that a snapshot names, and count them; -1 where it is not readable any more."""
    try:
        return len(table.scan(snapshot_id=snapshot_id, selected_fields=(PARTITION_KEY,)).to_arrow())
    except (ValueError, OSError):
        return -1


# ---------------------------------------------------------------- comparing


def find_losses(before: Figures, after: Figures) -> list[str]:
    """Name what stood in a home before and does not now; an empty list where nothing was lost."""
    return [
        *_lost_rows(before, after),
        *_lost_views(before, after),
        *_lost_partitions(before, after),
        *(
            f"{name}: {n_rows} rows could be read of the snapshot, and {after.snapshots.get(name, -1)} now"
            for name, n_rows in before.snapshots.items()
            if after.snapshots.get(name, -1) != n_rows or n_rows < 0
        ),
    ]


def _lost_rows(before: Figures, after: Figures) -> list[str]:
    losses = []
    for name, lines in before.tables.items():
        if not lines:
            continue
        if name not in after.tables:
            losses.append(f"{CORE}.{name} had {len(lines)} rows and is gone")
            continue
        dropped = {column for table, column in RESTATED if table == name}
        columns = set(json.loads(lines[0])) - dropped
        if name not in NEVER_REWRITTEN:
            columns = {column for column in columns if column != "run_id" and not column.endswith("_at_utc")}
        lost = _shortened(lines, columns) - _shortened(after.tables[name], columns)
        if lost:
            said = f"{lost.total()} of {len(lines)} rows are gone or say something else, such as {min(lost)}"
            losses.append(f"{CORE}.{name}: {said}")
    return losses


def _shortened(lines: list[str], columns: set[str]) -> Counter[str]:
    """Give rows with some of their columns; one that a row does not have stands out."""
    rows = map(json.loads, lines)
    return Counter(json.dumps({name: row.get(name, "NO COLUMN") for name in sorted(columns)}) for row in rows)


def _lost_views(before: Figures, after: Figures) -> list[str]:
    return [
        f"{BI}.{name} gave {n_rows} rows and {'gives none' if name in after.views else 'is gone'}"
        for name, n_rows in before.views.items()
        if n_rows and not after.views.get(name)
    ]


def _lost_partitions(before: Figures, after: Figures) -> list[str]:
    losses = []
    for name, old in before.lake.items():
        new = after.lake.get(name, {"missing": old["columns"], "partitions": {}})
        if new["missing"]:
            losses.append(f"{name} has no column {', '.join(new['missing'])} any more")
        changed = [key for key, rows in old["partitions"].items() if new["partitions"].get(key) != rows]
        if changed:
            key = changed[0]
            losses.append(
                f"{name}: {len(changed)} of {len(old['partitions'])} partitions say something else; {key} had "
                f"{old['partitions'][key][0]} rows and has {(new['partitions'].get(key) or [0])[0]}"
            )
    return losses
