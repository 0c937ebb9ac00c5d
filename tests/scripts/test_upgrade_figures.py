"""What is lost is named: a row, a column, a partition, a snapshot or a view that stood in a home and does not now."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.types import StringType
from sqlalchemy import Engine, create_engine, text

from scripts import upgrade_figures
from scripts.upgrade_figures import Figures, find_losses, read_figures

MAIL = "lake.mail"


@dataclass
class Small:
    """A warehouse of one table and one view, and a lake of one table with two partitions."""

    url: str
    lake: Path
    engine: Engine
    catalog: SqlCatalog

    def read(self, like: Figures | None = None) -> Figures:
        return read_figures(self.url, self.lake, like)

    def do(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.execute(text(statement))


@pytest.fixture
def small(warehouse_url: str, tmp_path: Path) -> Iterator[Small]:
    engine = create_engine(warehouse_url)
    with engine.begin() as connection:
        for statement in (
            "CREATE SCHEMA core",
            "CREATE SCHEMA bi",
            "CREATE SCHEMA lake_catalog",
            "CREATE TABLE core.label (item_id text, label text, labelled_at_utc timestamptz)",
            "INSERT INTO core.label VALUES ('a', 'yes', '2026-01-01Z'), ('b', 'no', '2026-01-02Z')",
            "CREATE TABLE core.audit (n_rows int, checked_at_utc timestamptz)",
            "INSERT INTO core.audit VALUES (2, '2026-01-01Z')",
            "CREATE TABLE core.model_version (problem text, snapshot_id text)",
            "CREATE VIEW bi.labels AS SELECT * FROM core.label",
        ):
            connection.execute(text(statement))
    catalog = upgrade_figures.open_catalog(warehouse_url, tmp_path)
    catalog.create_namespace("lake")
    rows = pa.table({"_partition_key": ["01", "01", "02"], "n": [1, 2, 3]})
    table = catalog.create_table(MAIL, rows.schema)
    table.append(rows)
    found = Small(warehouse_url, tmp_path, engine, catalog)
    found.do(f"INSERT INTO core.model_version VALUES ('mail', '{table.current_snapshot().snapshot_id}')")  # type: ignore[union-attr]
    yield found
    catalog.close()
    engine.dispose()


def test_a_home_that_only_grew_has_lost_nothing(small: Small, tmp_path: Path):
    before = small.read()
    upgrade_figures.save(before, tmp_path / "before.json")
    assert upgrade_figures.load(tmp_path / "before.json") == before
    small.do("INSERT INTO core.label VALUES ('c', 'yes', '2026-01-03Z')")
    small.do("ALTER TABLE core.label ADD COLUMN note text")
    small.do("UPDATE core.audit SET checked_at_utc = '2027-01-01Z'")
    table = small.catalog.load_table(MAIL)
    with table.update_schema() as update:
        update.add_column("note", StringType())
    table.append(pa.table({"_partition_key": ["03"], "n": [4], "note": ["late"]}))
    assert find_losses(before, small.read(before)) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "DELETE FROM core.label WHERE item_id = 'a'",
            "core.label: 1 of 2 rows are gone or say something else, such as",
        ),
        ("UPDATE core.label SET label = 'no' WHERE item_id = 'a'", '"label": "yes"'),
        ("UPDATE core.label SET labelled_at_utc = '2027-01-01Z'", "core.label: 2 of 2 rows"),
        ("UPDATE core.audit SET n_rows = 3", "core.audit: 1 of 1 rows"),
        ("DROP TABLE core.audit", "core.audit had 1 rows and is gone"),
        ("ALTER TABLE core.audit RENAME COLUMN n_rows TO rows", "core.audit: 1 of 1 rows"),
        ("DROP VIEW bi.labels", "bi.labels gave 2 rows and is gone"),
        (
            "CREATE OR REPLACE VIEW bi.labels AS SELECT * FROM core.label LIMIT 0",
            "bi.labels gave 2 rows and gives none",
        ),
    ],
)
def test_what_the_warehouse_lost_is_named(small: Small, statement: str, said: str):
    before = small.read()
    small.do(statement)
    (loss,) = find_losses(before, small.read(before))
    assert said in loss


def test_a_partition_whose_rows_changed_is_named_and_order_does_not_matter(small: Small):
    before = small.read()
    table = small.catalog.load_table(MAIL)
    table.overwrite(pa.table({"_partition_key": ["01", "01"], "n": [2, 1]}), overwrite_filter="_partition_key = '01'")
    assert find_losses(before, small.read(before)) == []
    table.overwrite(pa.table({"_partition_key": ["01", "01"], "n": [2, 2]}), overwrite_filter="_partition_key = '01'")
    (loss,) = find_losses(before, small.read(before))
    assert loss == "lake.mail: 1 of 2 partitions say something else; 01 had 2 rows and has 2"


def test_a_lake_table_that_lost_a_column_or_is_gone_is_named(small: Small):
    before = small.read()
    with small.catalog.load_table(MAIL).update_schema(allow_incompatible_changes=True) as update:
        update.delete_column("n")
    assert "lake.mail has no column n any more" in find_losses(before, small.read(before))
    without = replace(small.read(before), lake={})
    assert "lake.mail has no column _partition_key, n any more" in find_losses(before, without)


def test_a_snapshot_that_a_model_names_and_nobody_can_read_is_named(small: Small):
    before = small.read()
    (name,) = before.snapshots
    assert before.snapshots[name] == 3
    for path in small.lake.rglob("*.parquet"):
        path.unlink()
    table = small.catalog.load_table(MAIL)
    assert upgrade_figures.count_rows(table, int(name.split()[1])) == -1
    assert upgrade_figures.count_rows(table, 7) == -1
    assert find_losses(before, replace(before, snapshots={name: -1})) == [
        f"{name}: 3 rows could be read of the snapshot, and -1 now"
    ]


def test_a_column_that_a_migration_says_in_other_words_may_change():
    def decided(outcome: str) -> Figures:
        return Figures({"experiment_decision": [json.dumps({"partition_key": "07", "outcome": outcome})]}, {}, {}, {})

    assert find_losses(decided("winner"), decided("send")) == []
    assert find_losses(decided("winner"), Figures({}, {}, {}, {})) == [
        "core.experiment_decision had 1 rows and is gone"
    ]
