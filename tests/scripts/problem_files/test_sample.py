"""Which files a sample can be taken of, and what is said of those that it cannot."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.errors import BadLanding
from scripts.problem_files.sample import read_sample

ROWS = "a,b\n1,x\n2,y\n"


@pytest.mark.parametrize(
    ("content", "read_as", "encoding"),
    [
        (ROWS.encode(), "csv", None),
        (ROWS.replace(",", ";").encode(), "csv_semicolon", None),
        (gzip.compress(ROWS.replace(",", "\t").encode(), mtime=0), "csv_tab", None),
        (ROWS.encode("utf-16"), "csv", "UTF-16"),
        ((ROWS + "3,이름\n").encode("cp949"), "csv", "cp949"),
        ((ROWS + "3,M\u00fcller \u0096 x\n").encode("latin-1"), "csv", "cp1252"),
        (b'[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]', "json_array", None),
        (b'{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n', "jsonl", None),
        (
            b'{"time_local": "05/Jan/2013:10:00:00 +0000", "remote_addr": "::1", "status": 200}\n' * 2,
            "access_log",
            None,
        ),
        (b'10.0.0.1 - - [05/Jan/2013:10:00:00 +0000] "GET /a" 200 5\n' * 2, "access_log", None),
    ],
)
def test_a_sample_says_how_it_was_read(tmp_path, content, read_as, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    sample = read_sample(path)
    assert (sample.read_as, sample.encoding, sample.is_whole) == (read_as, encoding, True)
    assert len(sample.records) >= 2


def test_parquet_is_read_as_it_is(tmp_path):
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "a.bin")
    sample = read_sample(tmp_path / "a.bin")
    assert (sample.read_as, [record["a"] for record in sample.records]) == ("parquet", [1, 2])


def test_of_a_large_file_only_the_beginning_is_read(tmp_path):
    path = tmp_path / "large.jsonl"
    with path.open("wb") as file:
        file.write(b'{"a": 1}\n' * 100_000)
        file.truncate(5 << 30)  # five GiB, of which the disk holds next to nothing
    sample = read_sample(path, most_records=1_000)
    assert (len(sample.records), sample.is_whole) == (1_000, False)


def test_broken_records_are_counted_by_their_reason(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n{"a": \n[1]\n')
    sample = read_sample(path)
    assert (len(sample.records), sum(sample.flaws.values()), sample.n_seen) == (1, 2, 3)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "There is no file"),
        (b"", "is empty: there is nothing to propose from"),
        (b"a,b\n", "a header and no record below it"),
        (b"PK\x03\x04" + b"x" * 99, "is zip, and no log that is read here"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "is binary, and no log that is read here"),
        (b"{broken\n{broken\n", "0 of the first 2 records can be read"),
        (json.dumps([1, 2]).encode(), "nothing to propose from"),
        (gzip.compress(b"", mtime=0), "nothing to propose from"),
    ],
)
def test_a_file_without_a_record_is_refused_with_a_sentence(tmp_path, content, sentence):
    path = tmp_path / "a.bin"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadLanding, match=sentence):
        read_sample(path)
