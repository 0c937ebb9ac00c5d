"""What the doctor finds in a lake, with files taken away, spoilt and left behind."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from include.lake import catalog, files
from include.lake.catalog import load_table
from include.lake.reading import planned_files
from include.lake.writing import replace_partition
from include.names import PARTITION_KEY
from include.warehouse.database import engine_for
from scripts.doctor.lake_looks import look_at_lake

TABLE = "lake.flights"
LATER = datetime.now(UTC) + timedelta(days=2)


@pytest.fixture
def lake(mulgil_home: Path, migrated_warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", migrated_warehouse_url)
    yield mulgil_home / "lake"
    engine_for(migrated_warehouse_url).dispose()


def publish(key: str) -> None:
    replace_partition(TABLE, key, pa.table({PARTITION_KEY: [key], "v": [1.0]}))


def test_a_lake_that_nothing_was_published_to_stays_untouched(lake: Path):
    assert list(look_at_lake(LATER)) == []
    assert not lake.exists()


def test_a_whole_lake_has_no_finding_and_orphans_count_when_old(lake: Path):
    publish("2013-01")
    orphan = lake / "flights" / "data" / "2013-01" / "left.parquet"
    orphan.write_bytes(b"x")
    assert list(look_at_lake()) == []
    (finding,) = look_at_lake(LATER)
    assert (finding.look, finding.n) == ("orphan files", 1)
    assert "flights/data/2013-01/left.parquet" in finding.worst
    assert "flights__upkeep" in finding.do
    assert orphan.exists()


def test_a_file_that_a_table_needs_and_is_gone_is_named(lake: Path):
    publish("2013-01")
    publish("2013-02")
    (first, _) = planned_files(load_table(TABLE))
    files.remove_files([first])
    (finding,) = look_at_lake()
    assert (finding.n, finding.worst) == (1, first)


def test_a_store_that_fails_later_does_not_take_what_was_found(lake: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(_: object) -> list[str]:
        raise PermissionError("no")

    publish("2013-01")
    Path(load_table(TABLE).metadata_location).write_bytes(b"")
    replace_partition("lake.weather", "2013-01", pa.table({PARTITION_KEY: ["2013-01"], "v": [1.0]}))
    catalog._catalog_of.cache_clear()
    monkeypatch.setattr(files, "missing_files", fail)
    looked = look_at_lake()
    assert next(looked).what == "Lake tables cannot be read"
    with pytest.raises(PermissionError):
        next(looked)


def test_damaged_metadata_is_named_and_left_as_it_is(lake: Path):
    publish("2013-01")
    publish("2013-02")
    newest = Path(load_table(TABLE).metadata_location)
    newest.write_bytes(b"")
    catalog._catalog_of.cache_clear()  # as another process, which has read nothing yet
    (finding,) = look_at_lake()
    assert finding.what == "Lake tables cannot be read"
    assert newest.read_bytes() == b""
