import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import pyarrow as pa
import pytest
from sqlalchemy import text

from include.errors import LakeConflict, LakeDamaged, NotInLake
from include.lake.catalog import (
    CATALOG_SCHEMA,
    TABLE_PROPERTIES,
    arrow_schema,
    bring_back,
    ensure_table,
    find_table,
    load_table,
    one_commit,
    open_catalog,
    table_lock,
)
from include.lake.writing import replace_partition
from include.warehouse.locks import try_lock_until_commit

TABLE = "lake.flights"
SCHEMA = pa.schema({"_partition_key": pa.string(), "v": pa.float64()})


def can_lock(house, name):
    """Say whether another writer would get the table's lock now."""
    with house.engine.begin() as connection:
        return try_lock_until_commit(connection, "lake", name)


def make(name):
    with table_lock(name):
        return str(ensure_table(name, SCHEMA).metadata.table_uuid)


def test_a_new_table_is_partitioned_and_has_the_properties_of_the_house(house):
    table = ensure_table(TABLE, SCHEMA)
    assert [field.name for field in table.spec().fields] == ["_partition_key"]
    assert TABLE_PROPERTIES.items() <= table.properties.items()
    assert table.location() == str(house.home / "lake" / "flights")
    assert arrow_schema(table) == SCHEMA


def test_a_table_that_nobody_wrote_is_none_or_an_error_that_names_the_others(house):
    assert find_table(TABLE) is None
    with pytest.raises(NotInLake, match=r"no table 'lake\.flights'; it has none"):
        load_table(TABLE)
    ensure_table("lake.mail", SCHEMA)
    ensure_table("lake.incident", SCHEMA)
    with pytest.raises(NotInLake, match=r"it has lake\.incident, lake\.mail\. A table is made when"):
        load_table(TABLE)


def test_six_processes_that_open_the_lake_first_make_one_table(house):
    with ProcessPoolExecutor(6, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert len(set(pool.map(make, [TABLE] * 6))) == 1


def test_new_columns_join_old_ones_and_one_of_another_type_changes_nothing(house):
    ensure_table(TABLE, SCHEMA)
    both = ensure_table(TABLE, SCHEMA.append(pa.field("w", pa.int64())))
    assert arrow_schema(both).names == ["_partition_key", "v", "w"]
    changed = pa.schema({"_partition_key": pa.string(), "new": pa.string(), "v": pa.string()})
    with pytest.raises(LakeConflict, match=r"Column 'v' is double in lake\.flights and string in the new rows"):
        ensure_table(TABLE, changed)
    assert arrow_schema(load_table(TABLE)).names == ["_partition_key", "v", "w"]


def test_a_commit_that_breaks_off_leaves_neither_lake_nor_warehouse_changed(house):
    ensure_table(TABLE, SCHEMA)

    def break_off():
        with one_commit() as commit:
            commit.connection.execute(text("CREATE TABLE core.half_done (n integer)"))
            commit.catalog.load_table(TABLE).transaction().set_properties({"half": "done"}).commit_transaction()
            seen = [catalog.load_table(TABLE).properties for catalog in (commit.catalog, open_catalog())]
            assert ["half" in properties for properties in seen] == [True, False]  # nobody else sees it yet
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert "half" not in load_table(TABLE).properties
    with house.engine.connect() as connection:
        assert connection.scalar(text("SELECT to_regclass('core.half_done')")) is None


def test_one_tables_lock_keeps_its_writers_apart_and_no_other_tables(house):
    with table_lock(TABLE):
        assert not can_lock(house, TABLE)
        assert can_lock(house, "lake.mail")
    assert can_lock(house, TABLE)


def test_a_lock_within_a_commit_is_held_until_the_commit_is_over(house):
    with one_commit() as commit:
        with table_lock(TABLE, commit):
            pass
        assert not can_lock(house, TABLE)
    assert can_lock(house, TABLE)


def test_a_damaged_table_that_somebody_writes_to_is_not_touched(house):
    replace_partition(TABLE, "2013-01", pa.table({"_partition_key": ["2013-01"], "v": [1.0]}))
    place = load_table(TABLE).metadata_location
    with table_lock(TABLE), pytest.raises(LakeDamaged, match=r"lake\.flights cannot be read, and another run"):
        bring_back(TABLE)
    assert load_table(TABLE).metadata_location == place


def test_the_catalogs_tables_stay_out_of_everybody_elses_schemas(house):
    open_catalog()
    query = text("SELECT DISTINCT table_schema FROM information_schema.tables WHERE table_name LIKE 'iceberg%'")
    with house.engine.connect() as connection:
        assert connection.scalars(query).all() == [CATALOG_SCHEMA]
