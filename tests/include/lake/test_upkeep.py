from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
import yaml
from sqlalchemy import select

from include.errors import CountsDoNotAddUp, LakeConflict
from include.lake import files
from include.lake.catalog import load_table
from include.lake.reading import current_snapshot, open_rows, planned_files
from include.lake.steps import keep_up
from include.lake.upkeep import compact, remove_outlived
from include.lake.writing import publish_files, replace_partition
from include.warehouse.tables.quality import PARTITION_AUDIT
from tests.include.lake.conftest import PROBLEM
from tests.include.lake.test_steps import ingest, land

TABLE = "lake.flights"
JANUARY, FEBRUARY = "2013-01", "2013-02"


def write(value, key=JANUARY):
    return replace_partition(TABLE, key, pa.table({"_partition_key": [key], "v": [value]}))


def values():
    return sorted(open_rows(TABLE).to_pyarrow()["v"].to_pylist())


def crowd(key, *parts):
    """Make a partition of several files."""
    schema = pa.schema([("_partition_key", pa.string()), ("v", pa.float64())])
    rows = [pa.table({"_partition_key": [key], "v": [part]}, schema) for part in parts]
    paths = [files.write_parquet(files.partition_folder(TABLE, key), schema, [part])[0] for part in rows]
    publish_files(TABLE, key, paths, schema)


def test_small_files_become_one_in_one_commit_and_rows_stay(landing):
    write(9.0, "2013-03")
    crowd(JANUARY, 1.0, 2.0, 3.0)
    crowd(FEBRUARY, 4.0, 5.0)
    n_snapshots = len(load_table(TABLE).snapshots())
    assert compact(TABLE) == 3
    table = load_table(TABLE)
    assert [len(planned_files(table, [key])) for key in (JANUARY, FEBRUARY, "2013-03")] == [1, 1, 1]
    assert values() == [1.0, 2.0, 3.0, 4.0, 5.0, 9.0]
    changes = [snapshot.summary.get("mulgil.change") for snapshot in table.snapshots()[n_snapshots:]]
    assert set(changes) == {"compaction"}
    assert compact(TABLE) == 0


def test_rows_that_somebody_publishes_while_small_files_are_written_as_one_are_not_lost(landing):
    crowd(JANUARY, 1.0, 2.0)
    written = files.write_parquet

    def write_late(*arguments):
        held.undo()
        write(3.0)
        return written(*arguments)

    with pytest.MonkeyPatch.context() as held:
        held.setattr(files, "write_parquet", write_late)
        with pytest.raises(LakeConflict, match="Run it again"):
            compact(TABLE)
    assert values() == [3.0]
    assert compact(TABLE) == 0


def test_one_row_that_is_not_written_again_stops_the_compaction(landing):
    crowd(JANUARY, 1.0, 2.0)
    written = files.write_parquet
    with pytest.MonkeyPatch.context() as held:
        held.setattr(files, "write_parquet", lambda folder, schema, rows: written(folder, schema, [*rows][1:]))
        with pytest.raises(CountsDoNotAddUp, match=r"2 files hold 2 rows, and 1 were written"):
            compact(TABLE)
    assert values() == [1.0, 2.0]


def test_a_partition_goes_when_its_end_is_older_than_it_is_kept(landing):
    write(1.0), write(2.0, FEBRUARY)
    now = datetime(2013, 3, 11, tzinfo=UTC)
    assert remove_outlived(TABLE, None, "month", now) == []
    assert remove_outlived(TABLE, timedelta(days=38), "month", now) == []
    assert remove_outlived(TABLE, timedelta(days=37), "month", now) == [JANUARY]
    assert values() == [2.0]


def test_upkeep_of_a_healthy_lake_does_nothing_without_retention(landing):
    write(1.0), write(2.0, FEBRUARY)
    before = current_snapshot(TABLE)
    assert set(keep_up(problem="flights").values()) == {0}
    assert current_snapshot(TABLE) == before
    problem = PROBLEM | {"upkeep": {"events": "P30D"}}
    (landing.problems_dir / "flights.yaml").write_text(yaml.safe_dump(problem))
    assert keep_up(problem="flights")["n_outlived"] == 2
    assert values() == []
    assert current_snapshot(TABLE) != before


def test_a_run_that_died_before_noting_retention_is_completed_by_the_next(landing, flight):
    landing.write_problem()
    landing.drop("a.jsonl", flight("a"), flight("b", "2013-02-03T00:00:00Z"))
    for key in land():
        ingest(key)
    remove_outlived(TABLE, timedelta(0), "month", datetime(2013, 2, 11, tzinfo=UTC))
    audited = select(PARTITION_AUDIT.c.partition_key, PARTITION_AUDIT.c.n_in_lake, PARTITION_AUDIT.c.n_published)

    def note(**upkeep):
        problem = PROBLEM | {"upkeep": upkeep}
        (landing.problems_dir / "flights.yaml").write_text(yaml.safe_dump(problem))
        keep_up(problem="flights")
        with landing.house.engine.begin() as connection:
            return sorted(map(tuple, connection.execute(audited)))

    assert note() == [(JANUARY, 1, 1), (FEBRUARY, 1, 1)]
    assert note(events="P100000D") == [(JANUARY, 1, 1), (FEBRUARY, 1, 1)]  # its time is not over
    days = (datetime.now(UTC) - datetime(2013, 2, 11, tzinfo=UTC)).days
    assert note(events=f"P{days}D") == [(JANUARY, 0, 1), (FEBRUARY, 1, 1)]
