"""What a power cut leaves of a table, and what becomes of it; on a disk of its own in `test_durable_io.py`."""

import logging
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import select

from include.errors import LakeDamaged
from include.lake import catalog, files
from include.lake.catalog import load_table
from include.lake.reading import current_snapshot, open_rows, planned_files
from include.lake.steps import choose_quarantined, erase_subject, keep_up, stage_partition
from include.lake.writing import replace_partition
from include.names import PARTITION_KEY, Stage
from include.warehouse.coverage import read_statuses
from include.warehouse.tables.runs import COVERAGE
from tests.include.lake.erasure.test_erase import token
from tests.include.lake.test_steps import ingest, land

TABLE = "lake.flights"
DAMAGES = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
}


@pytest.fixture
def two_partitions(landing, flight):
    """Ingest January, then February."""
    landing.drop("a.jsonl", flight("a"), flight("bad", gate="x"))
    for key in land():
        ingest(key)
    landing.drop("b.jsonl", flight("b", "2013-02-03T00:00:00Z"), flight("worse", "2013-02-04T00:00:00Z", gate="x"))
    for key in land():
        ingest(key)
    return landing


def as_another_process():
    """Forget what this process has read of the lake."""
    catalog._catalog_of.cache_clear()


def local(location):
    return Path(location.removeprefix("file://"))


def metadata_of(table):
    return local(table.metadata_location)


def manifest_list_of(table):
    return local(table.current_snapshot().manifest_list)


def manifest_of(table):
    snapshot = table.current_snapshot()
    newest = [one for one in snapshot.manifests(table.io) if one.added_snapshot_id == snapshot.snapshot_id]
    return local(newest[0].manifest_path)


def statuses(landing):
    with landing.house.engine.begin() as connection:
        return read_statuses(connection, "flights", Stage.INGEST)


def flights():
    return sorted(open_rows(TABLE).to_pyarrow()["flight_id"].to_pylist())


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("lost", [metadata_of, manifest_list_of, manifest_of])
def test_the_newest_that_is_whole_is_current_again_and_what_is_lost_waits(two_partitions, damage, lost, caplog):
    damage(lost(load_table(TABLE)))
    as_another_process()
    with caplog.at_level(logging.WARNING):
        assert flights() == ["a"]
    assert statuses(two_partitions) == {"2013-01": "done", "2013-02": "waiting"}
    assert "The newest metadata of lake.flights could not be read" in caplog.text
    assert "1 partitions that were published since wait for ingest" in caplog.text
    with two_partitions.house.engine.begin() as connection:
        (detail,) = connection.scalars(select(COVERAGE.c.detail).where(COVERAGE.c.status == "waiting"))
    assert detail.startswith("lake.flights lost what was published of it after 20")
    ingest("2013-02")
    assert flights() == ["a", "b"]
    assert set(statuses(two_partitions).values()) == {"done"}


def test_a_quarantine_that_lost_its_newest_rows_lets_their_partition_wait(two_partitions):
    metadata_of(load_table(f"{TABLE}__quarantine")).unlink()
    as_another_process()
    assert open_rows(f"{TABLE}__quarantine").to_pyarrow()[PARTITION_KEY].to_pylist() == ["2013-01"]
    assert statuses(two_partitions) == {"2013-01": "done", "2013-02": "waiting"}
    ingest("2013-02")
    assert open_rows(f"{TABLE}__quarantine").to_pyarrow().num_rows == 2


def test_several_lost_metadata_are_passed_over(two_partitions):
    kept = metadata_of(load_table(TABLE))
    for value in range(3):
        replace_partition("lake.other", "2013-01", pa.table({PARTITION_KEY: ["2013-01"], "v": [float(value)]}))
    table = load_table("lake.other")
    for path in sorted(metadata_of(table).parent.glob("*.metadata.json"))[-2:]:
        path.write_bytes(b"")
    as_another_process()
    assert open_rows("lake.other").to_pyarrow()["v"].to_pylist() == [0.0]
    assert metadata_of(load_table(TABLE)) == kept


def test_metadata_that_a_killed_run_never_committed_does_not_become_current(two_partitions):
    newest = metadata_of(load_table(TABLE))
    earlier = sorted(newest.parent.glob("*.metadata.json"))[-2]
    number = earlier.name.partition("-")[0]
    (newest.parent / f"{number}-00000000-0000-0000-0000-000000000000.metadata.json").write_bytes(newest.read_bytes())
    newest.unlink()
    as_another_process()
    assert flights() == ["a"]
    assert metadata_of(load_table(TABLE)) == earlier


def test_a_table_of_which_nothing_is_whole_is_named_and_left_alone(two_partitions):
    for path in metadata_of(load_table(TABLE)).parent.glob("*.metadata.json"):
        path.unlink()
    as_another_process()
    with pytest.raises(LakeDamaged, match=r"lake is damaged: .*lake\.flights cannot be read .*mount it.*backup"):
        flights()
    assert set(statuses(two_partitions).values()) == {"done"}


@pytest.mark.parametrize("damage", [DAMAGES["gone"], DAMAGES["empty"]])
def test_a_partition_whose_file_is_lost_is_named_waits_and_is_made_anew(two_partitions, damage):
    (path,) = planned_files(load_table(TABLE), ["2013-01"])
    damage(Path(files.absolute(path)))
    with pytest.raises(
        LakeDamaged, match=r"1 of 2 files of lake\.flights are gone or cut short.*Partition 2013-01 waits"
    ):
        flights()
    assert statuses(two_partitions) == {"2013-01": "waiting", "2013-02": "done"}
    ingest("2013-01")
    assert flights() == ["a", "b"]


def test_a_named_snapshot_that_cannot_be_read_does_not_move_the_table(two_partitions):
    before = current_snapshot(TABLE)
    first = load_table(TABLE).snapshots()[0]
    local(first.manifest_list).unlink()
    as_another_process()
    with pytest.raises(LakeDamaged, match=f"what snapshot {first.snapshot_id} of lake.flights is made of"):
        open_rows(TABLE, snapshot_id=str(first.snapshot_id))
    assert current_snapshot(TABLE) == before


def test_an_ingest_brings_the_table_back_before_it_publishes(two_partitions, flight):
    metadata_of(load_table(TABLE)).unlink()
    as_another_process()
    two_partitions.drop("c.jsonl", flight("c", "2013-03-03T00:00:00Z"))
    (key,) = land()
    assert stage_partition(problem="flights", partition_key=key)["n_staged"] == 1
    ingest(key)
    assert flights() == ["a", "c"]
    assert statuses(two_partitions) == {"2013-01": "done", "2013-02": "waiting", "2013-03": "done"}


STEPS = {
    "ingest": lambda: ingest("2013-02"),
    "replay": lambda: choose_quarantined(problem="flights", reason="mended", actor="me", run_id="r2"),
    "erase": lambda: erase_subject(problem="flights", subject=token("P-1"), reason="asked for", actor="me"),
    "upkeep": lambda: keep_up(problem="flights"),
}


@pytest.mark.parametrize("run", STEPS.values(), ids=STEPS)
def test_every_step_says_that_a_lake_whose_folder_is_gone_is_damaged(two_partitions, run):
    lake = Path(files.absolute(""))
    lake.rename(lake.with_name("elsewhere"))
    as_another_process()
    with pytest.raises(LakeDamaged, match=r"lake is damaged: .*mount it"):
        run()
