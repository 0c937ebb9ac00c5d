import errno
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError

from include.engine.parquet_file import write_file
from include.errors import AuditFailed, BadLanding, DiskFull, LakeDamaged, WarehouseAway
from include.lake import files
from include.lake.reading import open_files, open_rows
from include.lake.writing import replace_partition
from include.names import PARTITION_KEY, Stage
from include.warehouse.database import open_warehouse
from include.warehouse.faults import naming_faults
from include.warehouse.steps import step
from include.warehouse.tables.runs import COVERAGE, RUN_STEP

FULL = Path("/dev/full")  # every write to it fails as on a full disk
needs_dev_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@contextmanager
def tiny_disk(folder):
    """Mount a disk of one megabyte for the time of the block."""
    if os.geteuid() != 0:
        pytest.skip("a full disk is mounted as root; /dev/full is tried by everybody")
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"this machine mounts nothing: {mounted.stderr.decode().strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def noise(n_rows):
    keys = pa.array(["2013-01"] * n_rows)
    return pa.table({PARTITION_KEY: keys, "v": [os.urandom(16).hex() for _ in range(n_rows)]})


def run(function):
    """Let a step do it, and give what is recorded of it."""

    def do(*, problem, partition_key, run_id):
        function()
        return {"n_rows": 1}

    step(Stage.INGEST)(do)(problem="p", partition_key="2013-01", run_id="r")


def recorded(engine):
    with engine.connect() as connection:
        row = connection.execute(select(RUN_STEP.c.status, RUN_STEP.c.outcome)).one()
        return row.status, row.outcome["error"], connection.scalar(select(COVERAGE.c.detail))


def write_a_file():
    with FULL.open("wb", buffering=0) as stream:
        stream.write(b"x")


def copy_rows():
    with duckdb.connect() as engine:  # the shared one may still give another test its rows
        engine.execute("COPY (SELECT range AS a FROM range(100000)) TO '/dev/full' (FORMAT parquet)")


def wrapped():
    try:
        write_a_file()
    except OSError as error:
        raise BadLanding("1 object cannot be copied") from error


def wrapped_without_a_cause():
    try:
        write_a_file()
    except OSError:
        raise AuditFailed("no answer")  # noqa: B904 - as a library does it


@needs_dev_full
@pytest.mark.parametrize("function", [write_a_file, copy_rows, wrapped, wrapped_without_a_cause])
def test_a_full_disk_is_said_in_a_sentence_with_the_room_that_is_left(house, function):
    with pytest.raises(DiskFull, match=r"disk is full: .*No space left.* MB below .*then clear the task"):
        run(function)
    status, error, detail = recorded(house.engine)
    assert status == "failed"
    assert error.startswith("DiskFull: The disk is full")
    assert detail.startswith("do: DiskFull: The disk is full")


def test_a_full_disk_of_the_warehouse_is_said_too(house):
    def meet_it():
        with open_warehouse().begin() as connection:
            connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$"))

    with pytest.raises(DiskFull, match="disk is full: no room"):
        run(meet_it)
    assert recorded(house.engine)[1].startswith("DiskFull")


def test_a_spill_that_fills_its_disk_is_a_full_disk(house, tmp_path):
    def spill():
        settings = {"temp_directory": str(tmp_path / "spill"), "memory_limit": "50MiB", "threads": 1}
        with duckdb.connect(config=settings) as engine:
            engine.execute("SET max_temp_directory_size = '1MiB'")
            engine.execute("CREATE TABLE t AS SELECT random()::VARCHAR b FROM range(1000000) ORDER BY b")

    with pytest.raises(DiskFull, match=r"disk is full: .*offload"):
        run(spill)


def test_a_lake_that_is_full_keeps_what_it_has_and_goes_on_with_room(house):
    folder = Path(files.absolute(""))
    with tiny_disk(folder):
        replace_partition("lake.flights", "2013-01", noise(10))
        with pytest.raises(DiskFull, match="disk is full"):
            run(lambda: replace_partition("lake.flights", "2013-01", noise(100_000)))
        assert open_rows("lake.flights").count().to_pyarrow().as_py() == 10
        left = [path.name for path in folder.rglob("*") if "unfinished" in path.name]
        assert left == []
        run(lambda: replace_partition("lake.flights", "2013-01", noise(20)))
        assert open_rows("lake.flights").count().to_pyarrow().as_py() == 20


def test_a_file_that_breaks_off_leaves_nothing_behind(house):
    def batches():
        yield noise(10)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError, match="No space"):
        write_file(files.open_files(), "flights/data/2013-01", noise(1).schema, batches())
    assert files.list_folder("flights/data/2013-01") == []


DAMAGES = {
    "gone": lambda path: path.unlink(),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:6]),
    "other bytes": lambda path: path.write_bytes(path.read_bytes()[:-8] + b"12345678"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("on", ["disk", "s3"])
def test_a_file_of_the_lake_that_is_lost_while_it_is_read_is_named(house, request, damage, on):
    if on == "s3":
        bucket = request.getfixturevalue("bucket")
    schema = noise(1).schema
    path, _ = files.write_parquet("flights/data/2013-01", schema, [noise(10)])
    rows = open_files([path], schema)
    if on == "disk":
        damage(Path(files.absolute(path)))
    elif damage is DAMAGES["gone"]:
        bucket.delete_object(Bucket="bucket", Key=f"lake/{path}")
    else:
        bucket.put_object(Bucket="bucket", Key=f"lake/{path}", Body=b"PAR1xx")
    with pytest.raises(LakeDamaged, match=r"lake is damaged: .*2013-01/[0-9a-f]{32}\.parquet.*mount it.*`ingest`"):
        run(lambda: open_files([path], schema).count().to_pyarrow() and rows.to_pyarrow())
    assert recorded(house.engine)[1].startswith("LakeDamaged")


def test_what_already_says_so_itself_passes_through_unchanged(house):
    said = LakeDamaged("The lake is damaged: said before.")
    with pytest.raises(LakeDamaged) as caught, naming_faults():
        raise said
    assert caught.value is said


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(errno.ENOENT, "No such file", "/elsewhere/model.skops"),
        PermissionError(errno.EACCES, "Permission denied"),
        OSError(errno.EMFILE, "Too many open files"),
        ValueError("no"),
    ],
)
def test_every_other_error_passes_through_untouched(house, error):
    with pytest.raises(type(error)) as caught, naming_faults():
        raise error
    assert caught.value is error


def test_a_file_of_the_lake_that_may_not_be_read_is_no_damage(house):
    place = files.absolute("flights/x.parquet")
    with pytest.raises(duckdb.IOException), naming_faults():
        raise duckdb.IOException(f'Cannot open file "{place}": Permission denied')


def test_a_lost_connection_is_a_warehouse_that_is_away(house):
    with pytest.raises(WarehouseAway, match=r"does not answer .*clear the task"), naming_faults():
        raise OperationalError("SELECT 1", {}, type("OperationalError", (Exception,), {})("server closed it"))
