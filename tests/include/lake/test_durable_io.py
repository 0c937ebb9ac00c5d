"""What a commit names is on the disk: tried on a disk of its own, of which just what had reached it is kept."""

import os
import shutil
import subprocess
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.engine import durability
from include.lake import catalog
from include.lake.durable_io import ROOT, LakeFileIO
from include.lake.reading import open_rows
from include.lake.writing import replace_partition
from include.names import PARTITION_KEY

TOOLS = ("mkfs.ext4", "mount", "umount", "losetup")


@contextmanager
def mounted(image, folder):
    """Mount a file as a disk for the time of the block."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop", image, folder], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True, capture_output=True)


@pytest.fixture
def disk(tmp_path):
    """Make an ext4 disk in a file."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"a power cut is tried as root, with {', '.join(TOOLS)}; missing: {missing or 'root'}")
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True, capture_output=True)
    try:
        with mounted(image, tmp_path / "tried"):
            pass
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this machine mounts no loop device: {error.stderr.decode().strip()}")
    return image


def write(value, key="2013-01"):
    return replace_partition("lake.flights", key, pa.table({PARTITION_KEY: [key], "v": [value]}))


def values(snapshot_id=None):
    return sorted(open_rows("lake.flights", snapshot_id=snapshot_id).to_pyarrow()["v"].to_pylist())


def publish_and_cut_the_power(house, disk):
    """Publish twice, keep just what reached the disk, and give the lake what a reboot would find."""
    folder, found = house.home / "lake", disk.with_name("found.img")
    with mounted(disk, folder):
        first = write(1.0)
        write(2.0, "2013-02")
        shutil.copyfile(disk, found)
    catalog._catalog_of.cache_clear()
    return first, mounted(found, folder)


def test_what_was_published_a_moment_before_a_power_cut_is_read_whole_after_it(house, disk):
    first, after_reboot = publish_and_cut_the_power(house, disk)
    with after_reboot:
        assert values() == [1.0, 2.0]
        assert values(first) == [1.0]
        write(3.0)
        assert values() == [2.0, 3.0]


def test_the_same_bytes_written_again_never_empty_a_published_file(house, disk):
    folder, found = house.home / "lake", disk.with_name("found.img")
    with mounted(disk, folder):
        write(1.0)
        write(1.0)
        shutil.copyfile(disk, found)
    catalog._catalog_of.cache_clear()
    with mounted(found, folder):
        assert values() == [1.0]


def test_each_file_and_folder_of_a_commit_is_synced_before_the_catalog_names_it(house, monkeypatch):
    synced, sync = [], durability._sync
    monkeypatch.setattr(durability, "_sync", lambda path, flags: (synced.append(path), sync(path, flags)))
    write(1.0)
    lake = house.home / "lake"
    written = {path for path in lake.rglob("*") if path.is_file()}
    metadata = {path for path in written if path.parent.name == "metadata"}
    assert len(written) == len(metadata) + 1
    assert {path.parent for path in written} | {lake, lake / "flights", lake / "flights" / "data"} <= set(synced)


def test_a_local_file_is_written_once_and_read_back(tmp_path):
    files = LakeFileIO({ROOT: str(tmp_path)})
    output = files.new_output(str(tmp_path / "a" / "b.txt"))
    with output.create() as stream:
        stream.write(b"all of it")
    assert files.new_input(output.location).open().read() == b"all of it"
    with pytest.raises(FileExistsError):
        output.create()
    with output.create(overwrite=True) as stream:
        stream.write(b"new")
    assert (tmp_path / "a" / "b.txt").read_bytes() == b"new"


def test_a_writer_of_parquet_can_write_to_it(tmp_path):
    output = LakeFileIO({ROOT: str(tmp_path)}).new_output(str(tmp_path / "a.parquet"))
    rows = pa.table({"v": list(range(1_000))})
    with output.create() as stream:
        pq.write_table(rows, stream)
    assert pq.read_table(tmp_path / "a.parquet") == rows
