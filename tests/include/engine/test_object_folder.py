import os
import stat

import boto3
import pytest

from include.engine.object_folder import ObjectFolder, write_whole


@pytest.fixture(params=["folder", "bucket"])
def folder(request, tmp_path, monkeypatch):
    if request.param == "folder":
        return ObjectFolder(str(tmp_path / "lake" / "_allocation"), None)
    host, port = request.getfixturevalue("s3_server")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}")
    client.create_bucket(Bucket="bucket")
    client.close()
    return ObjectFolder("s3://bucket/lake/_allocation", f"http://{host}:{port}")


def test_an_object_is_read_as_it_was_written_last(folder):
    assert folder.read("campaign/allocation.json") is None
    folder.write("campaign/allocation.json", b"one")
    folder.write("campaign/allocation.json", b"two, longer")
    assert folder.read("campaign/allocation.json") == b"two, longer"
    assert folder.read("campaign/other.json") is None


def test_a_store_that_does_not_answer_is_an_error_not_an_empty_answer(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    away = ObjectFolder("s3://bucket/lake", "http://127.0.0.1:9")
    with pytest.raises(OSError, match=r"(?i)connect|network|curl"):
        away.read("campaign/allocation.json")


def test_a_disk_that_fills_up_leaves_the_old_file_whole_and_no_rest(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_whole(path, b"old", tmp_path)

    def fill_up(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fill_up)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new", tmp_path)
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_what_is_written_is_for_its_owner_alone(tmp_path):
    write_whole(tmp_path / "file", b"x", tmp_path)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
