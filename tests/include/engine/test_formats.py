import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.engine.formats import read_records
from include.engine.records import SCHEMA


def read(content, log_format="jsonl"):
    return pa.Table.from_batches(list(read_records("k", io.BytesIO(content), log_format)), SCHEMA)


def rows_of(content, log_format="jsonl"):
    columns = ["_line_number", "_record", "_document", "_flaw"]
    return [tuple(row.values()) for row in read(content, log_format).select(columns).to_pylist()]


def zstd(content):
    held = pa.BufferOutputStream()
    with pa.CompressedOutputStream(held, "zstd") as stream:
        stream.write(content)
    return held.getvalue().to_pybytes()


@pytest.mark.parametrize("pack", [lambda c: c, gzip.compress, lambda c: gzip.compress(c[:4]) + gzip.compress(c[4:])])
def test_lines_are_numbered_from_one_whatever_they_are_packed_in(pack):
    content = b'{"a":1}\n{"a":2}\n'
    assert [(n, r.strip()) for n, r, _, _ in rows_of(pack(content))] == [(1, '{"a":1}'), (2, '{"a":2}')]


def test_zstd_is_known_by_its_first_bytes():
    assert [r for _, r, _, _ in rows_of(zstd(b'{"a":1}\n'))] == ['{"a":1}\n']


def test_blank_lines_are_no_records_but_count_as_lines():
    content = b'{"a":1}\n\n\r\n{"a":2}'
    assert [(n, r.strip()) for n, r, _, _ in rows_of(content)] == [(1, '{"a":1}'), (4, '{"a":2}')]


def test_a_short_line_is_a_record():
    assert [(n, r) for n, r, _, _ in rows_of(b"x\n{}")] == [(1, "x\n"), (2, "{}")]


def test_no_bytes_are_no_records():
    assert rows_of(b"") == []
    assert rows_of(gzip.compress(b"")) == []


def test_a_byte_order_mark_is_not_part_of_the_first_record():
    assert rows_of(b'\xef\xbb\xbf{"a":1}')[0][1] == '{"a":1}'


def test_one_line_that_is_not_utf8_is_named_and_its_neighbours_are_not():
    rows = rows_of(b'{"a":1}\n{"a":"\xff"}\n{"a":3}\n')
    assert [(n, flaw) for n, _, _, flaw in rows] == [(1, None), (2, "record is not UTF-8"), (3, None)]
    assert rows[2][1].strip() == '{"a":3}'


def test_a_gzip_that_was_cut_gives_what_is_readable_and_says_that_it_was_cut():
    lines = b"".join(b'{"a":%d}\n' % i for i in range(50_000))
    packed = gzip.compress(lines)
    rows = rows_of(packed[: len(packed) // 2])
    assert rows[0][1].strip() == '{"a":0}'
    assert rows[-1][3] == "object cannot be read to its end"
    assert [row[3] for row in rows[:-1]] == [None] * (len(rows) - 1)


def test_csv_rows_become_documents_and_empty_fields_are_missing():
    rows = rows_of(b'a,b\n1,\n"x, y",2\n', "csv")
    assert rows == [(2, "1,\n", '{"a": "1", "b": null}', None), (3, '"x, y",2\n', '{"a": "x, y", "b": "2"}', None)]


def test_a_csv_record_over_two_lines_has_the_number_of_its_first():
    rows = rows_of(b'a,b\n"x\ny",1\nz,2\n', "csv")
    assert [(n, r) for n, r, _, _ in rows] == [(2, '"x\ny",1\n'), (4, "z,2\n")]


def test_one_csv_row_of_another_width_is_named():
    rows = rows_of(b"a,b\n1,2\n1,2,3\n3,4\n", "csv")
    assert [flaw for *_, flaw in rows] == [None, "record has another number of fields than the header", None]


def test_a_csv_with_only_a_header_has_no_records():
    assert rows_of(b"a,b\n", "csv") == []


def test_parquet_rows_become_documents_with_iso_times():
    held = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": [1], "at": pa.array([0], pa.timestamp("us", tz="UTC"))}), held)
    ((number, _, document, flaw),) = rows_of(held.getvalue().to_pybytes(), "parquet")
    assert (number, flaw) == (1, None)
    assert document == '{"a": 1, "at": "1970-01-01T00:00:00+00:00"}'


def test_a_broken_parquet_object_is_one_flawed_record():
    held = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": [1]}), held)
    cut = held.getvalue().to_pybytes()[:-9]
    assert rows_of(cut, "parquet") == [(1, "", None, "object cannot be read to its end")]


def test_garbage_after_a_whole_gzip_says_that_it_was_cut():
    rows = rows_of(gzip.compress(b'{"a":1}\n') + b"garbage")
    assert [(n, flaw) for n, _, _, flaw in rows] == [(1, None), (2, "object cannot be read to its end")]


@pytest.mark.parametrize("inside", ["\u2028", "\x85", "\x0b", "\x0c", "\x1c"])
def test_only_line_ends_cut_a_csv_record(inside):
    rows = rows_of(f"a,b\nx{inside}y,1\nz,2\n".encode(), "csv")
    assert [(n, json.loads(document)["a"]) for n, _, document, _ in rows] == [(2, f"x{inside}y"), (3, "z")]
