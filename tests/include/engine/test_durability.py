from pathlib import Path

import pytest
from pyarrow import fs

from include.engine import durability
from include.engine.durability import local_place, sync_file, sync_names, write_whole


@pytest.fixture
def synced(monkeypatch):
    """Say what was waited for."""
    paths, sync = [], durability._sync
    durability._sync_above.cache_clear()
    monkeypatch.setattr(durability, "_sync", lambda path, flags: (paths.append(path), sync(path, flags)))
    return paths


def test_a_name_is_on_the_disk_with_all_folders_above_it(tmp_path, synced):
    root = tmp_path / "lake"
    (root / "flights" / "data").mkdir(parents=True)
    path = root / "flights" / "data" / "x"
    path.write_bytes(b"x")
    sync_file(path)
    sync_names(path, root)
    assert synced == [path, path.parent, root / "flights", root, tmp_path]
    sync_names(path.with_name("x"), root)
    assert synced[5:] == [path.parent]


def test_only_a_file_system_of_this_machine_has_a_local_place(tmp_path):
    local = fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem())
    assert local_place(local, "a/b") == (tmp_path / "a" / "b", Path(f"{tmp_path}/"))
    assert local_place(fs.SubTreeFileSystem("bucket", fs.S3FileSystem(region="x", anonymous=True)), "a/b") is None


def test_a_file_that_is_not_there_cannot_be_synced(tmp_path):
    with pytest.raises(FileNotFoundError):
        sync_file(tmp_path / "none")


def test_a_write_that_fails_leaves_the_old_file_and_no_part(tmp_path):
    goal = tmp_path / "sub" / "keys.json"
    write_whole(goal, b"old", tmp_path)
    write_whole(goal, b"new", tmp_path)
    assert goal.read_bytes() == b"new"
    (tmp_path / "sub" / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path / "sub" / "folder", b"never", tmp_path)
    assert sorted(path.name for path in goal.parent.iterdir()) == ["folder", "keys.json"]
