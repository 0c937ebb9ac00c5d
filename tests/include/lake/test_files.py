import hashlib

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.lake import files

FOLDER = "flights/data/2013-01"
SCHEMA = pa.schema({"id": pa.string()})


@pytest.fixture(params=["disk", "s3"])
def place(request):
    """Put the lake on disk, then on S3."""
    request.getfixturevalue("house" if request.param == "disk" else "bucket")


def write(content, folder=FOLDER):
    with files.unfinished_file(folder) as path:
        path.write_bytes(content)
        return files.keep_file(path, folder)


def read(path):
    with files.open_files().open_input_stream(path) as stream:
        return stream.read()


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("s3://bucket/lake/", "s3://bucket/lake"),
        ("file:///srv/lake", "/srv/lake"),
        ("/srv/lake/", "/srv/lake"),
    ],
)
def test_a_place_is_spelled_one_way_whatever_the_settings_say(url, root):
    assert files.lake_root(url) == root


def test_a_file_is_named_alike_in_the_lake_and_in_metadata(place):
    assert files.relative(files.absolute(f"{FOLDER}/a.parquet")) == f"{FOLDER}/a.parquet"


def test_a_partitions_folder_is_named_without_the_namespace():
    assert files.partition_folder("lake.flights__quarantine", "2013-01") == "flights__quarantine/data/2013-01"


def test_a_file_is_named_after_its_bytes_and_the_same_bytes_are_one_file(place):
    first, second, other = write(b"rows"), write(b"rows"), write(b"others")
    assert first == second == f"{FOLDER}/{hashlib.sha256(b'rows').hexdigest()[:32]}.parquet"
    assert files.list_folder(FOLDER) == sorted([first, other])
    assert read(first) == b"rows"


def test_a_file_longer_than_one_chunk_is_hashed_to_its_last_byte(place):
    content = bytes(range(256)) * 5000
    assert files.hash_file(write(content)) == hashlib.sha256(content).hexdigest()
    with pytest.raises(FileNotFoundError):
        files.hash_file(f"{FOLDER}/none.parquet")


def test_a_block_that_breaks_off_leaves_nothing_behind(place):
    begun = []

    def break_off():
        with files.unfinished_file(FOLDER) as path:
            begun.append(path)
            path.write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert not begun[0].exists()
    assert files.list_folder(FOLDER) == []


def test_two_writers_at_once_have_files_of_their_own(house):
    with files.unfinished_file(FOLDER) as first, files.unfinished_file(FOLDER) as second:
        first.write_bytes(b"a")
        second.write_bytes(b"b")
        kept = [files.keep_file(path, FOLDER) for path in (first, second)]
    assert [read(path) for path in kept] == [b"a", b"b"]


def test_the_same_rows_make_the_same_file_and_no_rows_make_none(place):
    rows = relation_of_arrow(open_engine(), pa.table({"id": ["é|\u2028", None, "x" * 12_000]}, schema=SCHEMA))
    (first,), n_rows = files.write_files(open_engine(), rows, FOLDER)
    assert files.write_files(open_engine(), rows, FOLDER) == ([first], 3)
    assert n_rows == 3
    with files.open_files().open_input_file(first) as stream:
        assert pq.read_table(stream)["id"].to_pylist() == ["é|\u2028", None, "x" * 12_000]
    assert files.write_files(open_engine(), rows.limit(0), FOLDER) == ([], 0)
    assert files.list_folder(FOLDER) == [first]


def test_a_partition_has_the_same_file_alone_and_beside_one_with_missing_values(house):
    keys = ["2013-01"] * 1000 + ["2013-02"] * 500
    fares = [None if n % 3 == 0 and n < 1000 else n * 1.5 for n in range(1500)]
    rows = pa.table({"_partition_key": keys, "_object_key": ["a"] * 1500, "_line_number": range(1500), "fare": fares})
    together, later = relation_of_arrow(open_engine(), rows), relation_of_arrow(open_engine(), rows.slice(1000))
    in_a_group = files.write_partitions(open_engine(), together, "lake.flights", ["2013-01", "2013-02"])
    alone = files.write_partitions(open_engine(), later, "lake.flights", ["2013-02"])
    assert alone["2013-02"] == in_a_group["2013-02"]
    assert [n_rows for _, n_rows in in_a_group.values()] == [1000, 500]


def test_one_missing_file_among_good_ones_is_named(place):
    held = write(b"rows")
    gone = f"{FOLDER}/gone.parquet"
    assert files.missing_files([held, gone, FOLDER]) == [gone, FOLDER]  # a folder is no file
    files.remove_files([held])
    assert files.missing_files([held]) == [held]


def test_a_folder_that_is_not_there_has_no_files(place):
    assert files.list_folder("nobody/data/2013-01") == []
