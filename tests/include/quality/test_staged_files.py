import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from include.errors import AuditFailed
from include.quality.staged_files import combine_hashes, local_copies, sha256_of
from include.settings import read_settings


@pytest.fixture
def settings(tmp_path):
    lake = tmp_path / "lake"
    (lake / "staging").mkdir(parents=True)
    (lake / "staging" / "a.parquet").write_bytes(b"one")
    return read_settings({"MULGIL_HOME": str(tmp_path), "MULGIL_LAKE_URL": str(lake)})


def test_a_file_of_a_folder_lake_is_read_where_it_lies(settings, tmp_path):
    with local_copies(settings, ["staging/a.parquet"]) as copies:
        assert copies == {"staging/a.parquet": tmp_path / "lake" / "staging" / "a.parquet"}


def test_a_file_url_is_a_folder(settings, tmp_path):
    settings = replace(settings, lake_url=(tmp_path / "lake").as_uri())
    with local_copies(settings, ["staging/a.parquet"]) as copies:
        assert copies["staging/a.parquet"].read_bytes() == b"one"


def test_a_file_that_is_gone_is_named_with_the_task_to_clear(settings):
    with (
        pytest.raises(AuditFailed, match=r"b\.parquet is not in .*stage_partition"),
        local_copies(settings, ["staging/a.parquet", "staging/b.parquet"]),
    ):
        pass


@pytest.mark.parametrize("path", ["/etc/passwd", "../lake/a", "staging/*.parquet", "s3://x/y", "a/../../b", "a[1]"])
def test_a_path_that_could_name_another_file_is_refused(settings, path):
    with pytest.raises(AuditFailed, match="not a plain path"), local_copies(settings, [path]):
        pass


def test_a_lake_elsewhere_is_refused_rather_than_read_as_a_folder(settings):
    settings = replace(settings, lake_url="gs://bucket/lake")
    with pytest.raises(AuditFailed, match=r"gs://; a folder and s3:// can be audited"), local_copies(settings, []):
        pass


def test_hashes_are_sha256_and_the_sum_is_what_sha256sum_would_print(settings, tmp_path):
    file = tmp_path / "lake" / "staging" / "a.parquet"
    one = hashlib.sha256(b"one").hexdigest()
    assert sha256_of(file) == one
    assert combine_hashes({"b": "22", "a": "11"}) == hashlib.sha256(b"11  a\n22  b\n").hexdigest()


def test_the_sum_depends_on_names_and_bytes_and_not_on_the_order():
    assert combine_hashes({"a": "11", "b": "22"}) == combine_hashes({"b": "22", "a": "11"})
    assert combine_hashes({"a": "11", "b": "22"}) != combine_hashes({"a": "22", "b": "11"})
    assert combine_hashes({"a": "11"}) != combine_hashes({"b": "11"})


@pytest.fixture
def s3(settings, s3_server, monkeypatch):
    import boto3

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    host, port = s3_server
    endpoint = f"http://{host}:{port}"
    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket="water")
    client.put_object(Bucket="water", Key="lake/staging/a.parquet", Body=b"from afar")
    yield replace(settings, lake_url="s3://water/lake", s3_endpoint=endpoint)
    client.close()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_file_on_s3_is_copied_for_the_time_of_the_block(s3):
    with local_copies(s3, ["staging/a.parquet"]) as copies:
        copy: Path = copies["staging/a.parquet"]
        assert copy.read_bytes() == b"from afar"
    assert not copy.exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_file_that_is_not_on_s3_is_named(s3):
    with (
        pytest.raises(AuditFailed, match=r"s3://water/lake/staging/b\.parquet cannot be read"),
        local_copies(s3, ["staging/b.parquet"]),
    ):
        pass
