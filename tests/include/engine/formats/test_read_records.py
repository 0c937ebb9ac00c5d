import gzip
import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.engine.formats import access_log_records, byte_lines, csv_records, json_records
from include.engine.formats.decompression import Content
from include.engine.formats.read_records import read_records
from include.engine.formats.record_batches import SCHEMA, too_long


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


@pytest.mark.parametrize(
    ("line", "n_keys"),
    [
        ('{"a":1,"b":"x"}', 2),
        ('{"a" : 1, "b"\t:{"c":2}}', 3),
        ('{"a":"12:30:00"}', 1),
        ('{"caf\u00e9":1}', 1),
        ("{}", 0),
        ('{"a":"who said \\":"}', 2),  # one more than it has: it may hold so many, and is looked at closely then
    ],
)
def test_a_line_of_json_has_no_more_keys_than_are_counted(line, n_keys):
    table = read(f'{{"q":0}}\n\n{line}\n{{}}'.encode())
    assert table["_n_keys"].to_pylist() == [1, n_keys, 0]


def test_keys_are_counted_in_json_lines_alone():
    assert read(b"a,b\n1,2\n", "csv")["_n_keys"].to_pylist() == [None]
    assert read(b'{"a":1}{"a":2}')["_n_keys"].to_pylist() == [None, None]


@pytest.mark.parametrize("strip_bytes", [1, 2, 3, 5, 64])
def test_where_a_strip_ends_changes_no_line_and_hides_no_key(monkeypatch, strip_bytes):
    content = b'{"a":1,"b" : 2}\n\n{"c":3}\r\n{}\nlast'
    whole = read(content)
    monkeypatch.setattr(byte_lines, "_STRIP_BYTES", strip_bytes)
    found = read(content)
    assert found.drop_columns(["_n_keys"]).equals(whole.drop_columns(["_n_keys"]))
    assert all(np.greater_equal(found["_n_keys"].to_numpy(), whole["_n_keys"].to_numpy()))


def test_no_bytes_are_no_records():
    assert rows_of(b"") == []
    assert rows_of(gzip.compress(b"")) == []


def test_a_byte_order_mark_is_not_part_of_the_first_record():
    assert rows_of(b'\xef\xbb\xbf{"a":1}')[0][1] == '{"a":1}'


def test_one_line_that_is_not_utf8_is_named_and_its_neighbours_are_not():
    rows = rows_of(b'{"a":1}\n{"a":"\xff"}\n{"a":3}\n')
    assert [(n, flaw) for n, _, _, flaw in rows] == [(1, None), (2, "record is not UTF-8"), (3, None)]
    assert rows[2][1].strip() == '{"a":3}'


def test_a_gzip_cut_short_gives_what_is_readable_and_says_so():
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


def cut(content, cutter, piece_bytes):
    pieces = Content(io.BytesIO(content), piece_bytes=piece_bytes, head_bytes=16)
    return pa.Table.from_batches(list(cutter("k", pieces)), SCHEMA).to_pylist()


CONTENTS = [
    (json_records.cut_json, b'\xef\xbb\xbf{"a":1}\n\n{"a":"\xff"}\r\n{"a": {"b":'),
    (json_records.cut_json, b'{"a":"}{"} {"a":"\\"{"}{"b":\n[1,{"c":2}]}x{"d":1}\n{"e":'),
    (json_records.cut_json, b'{\n "a": 1\n}\n{\n "a": "\xc3\xa9"\n}\n'),
    (csv_records.cut_csv, b'a,b\n1,"x\ny"\nq\n\n2,\xff\n3,"never closed\n'),
    (access_log_records.cut_lines, b'1.2.3.4 - - [10/Oct/2000:13:55:36 +0000] "GET / HTTP/1.1" 200 5\njunk\n'),
]


@pytest.mark.parametrize(("cutter", "content"), CONTENTS)
def test_where_a_piece_ends_changes_no_record(cutter, content):
    whole = cut(content, cutter, 1 << 20)
    assert all(cut(content, cutter, piece_bytes) == whole for piece_bytes in (1, 2, 3, 7, 20))


@pytest.mark.parametrize(("cutter", "content"), CONTENTS)
def test_every_byte_that_is_not_blank_is_in_a_record_at_its_offset(cutter, content):
    rows = cut(content, cutter, 1 << 20)
    starts = [row["_byte_offset"] for row in rows] + [len(content)]
    for row, start, end in zip(rows, starts, starts[1:], strict=False):
        assert content[start:end].decode(errors="replace").strip() == row["_record"].strip()
    before = content[: starts[0]].removeprefix(b"\xef\xbb\xbf")
    assert before in {b"", b"a,b\n"}  # nothing, or the header


def test_objects_one_after_another_are_told_by_content_and_counted():
    content = b'{"a":"}{"} {"a":2}{"a":{"b":[1]}}\n{"a":4}'
    rows = rows_of(content)
    assert [(n, json.loads(document)["a"]) for n, _, document, _ in rows] == [
        (1, "}{"),
        (2, 2),
        (3, {"b": [1]}),
        (4, 4),
    ]


def test_one_broken_object_among_others_is_one_record_and_its_neighbours_are_whole():
    rows = rows_of(b'{"a":1}{"a":2]}{"a":3}{"a":"\xff"}{"a":5')
    assert [(record, flaw) for _, record, _, flaw in rows] == [
        ('{"a":1}', None),
        ('{"a":2]}', None),  # that it is no JSON is for the engine to say
        ('{"a":3}', None),
        ('{"a":"\ufffd"}', "record is not UTF-8"),
        ('{"a":5', None),
    ]


def test_an_object_deeper_than_any_stack_does_not_stop_its_neighbours():
    deep = b'{"a":' * 100_000
    rows = rows_of(b'{"a":1}{"a":2}' + deep + b'}{"a":3}')
    assert [rows[0][1], rows[1][1], rows[-1][1]] == ['{"a":1}', '{"a":2}', '{"a":3}']


def test_a_line_too_long_comes_as_its_beginning_and_neighbours_are_whole(monkeypatch):
    monkeypatch.setattr(json_records, "MAX_RECORD_BYTES", 50)
    content = b'{"a":1}\n' + b"x" * 200 + b'\n{"a":3}\n' + b"y" * 51
    for piece_bytes in (7, 40):
        rows = cut(content, json_records.cut_json, piece_bytes)
        assert [(row["_line_number"], row["_byte_offset"], row["_flaw"]) for row in rows] == [
            (1, 0, None),
            (2, 8, too_long(50)),
            (3, 209, None),
            (4, 217, too_long(50)),
        ]


def test_an_object_that_is_too_long_is_given_up_and_memory_with_it(monkeypatch):
    monkeypatch.setattr(json_records, "MAX_RECORD_BYTES", 50)
    rows = cut(b'{"a":1}{"a":2}{"a":"' + b"x" * 500 + b'"}{"a":3}', json_records.cut_json, 20)
    assert [rows[0]["_record"], rows[-1]["_record"]] == ['{"a":1}', '{"a":3}']
    assert "record is longer than 16 MiB" in {row["_flaw"] for row in rows}


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_a_bomb_is_given_up_before_it_is_unpacked(pack):
    content = Content(io.BytesIO(pack(bytes(4 << 20))), piece_bytes=1 << 16, harmless_bytes=1 << 20)
    assert sum(map(len, content)) <= 1 << 20
    assert content.flaw == "object unpacks to more than 200 times its size"


def test_what_unpacks_to_little_is_no_bomb_whatever_the_ratio():
    content = Content(io.BytesIO(gzip.compress(bytes(1 << 20))))
    assert (sum(map(len, content)), content.flaw) == (1 << 20, None)


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_packed_bytes_that_were_cut_give_what_is_readable_and_say_so(pack):
    packed = pack(bytes(np.random.default_rng(1).integers(97, 122, 1 << 20, np.uint8)))
    content = Content(io.BytesIO(packed[: len(packed) // 2]), piece_bytes=1 << 14)
    assert 0 < sum(map(len, content)) < 1 << 20
    assert content.flaw == "object cannot be read to its end"


@pytest.mark.parametrize(
    ("log_format", "content"), [("jsonl", b"PAR1...."), ("jsonl", b"PK\x03\x04"), ("csv", b'{"a":1}')]
)
def test_an_object_of_another_format_is_one_flawed_record_that_says_so(log_format, content):
    ((number, _, document, flaw),) = rows_of(content, log_format)
    assert (number, document) == (1, None)
    assert flaw.startswith("object ")
    assert "problem's file says" in flaw


def test_json_in_the_place_of_parquet_says_so():
    assert rows_of(b'{"a":1}', "parquet") == [
        (1, "", None, "object is not Parquet, and the problem's file says parquet")
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            '10.0.0.1 - jane [10/Oct/2000:13:55:36 -0700] "GET /a?b=1 HTTP/2.0" 200 512 "-" "curl \\"8\\""',
            {
                "remote_host": "10.0.0.1",
                "user": "jane",
                "time": "2000-10-10T13:55:36-07:00",
                "method": "GET",
                "path": "/a?b=1",
                "protocol": "HTTP/2.0",
                "status": "200",
                "n_bytes": "512",
                "referer": None,
                "user_agent": 'curl \\"8\\"',
                "identity": None,
                "request": "GET /a?b=1 HTTP/2.0",
            },
        ),
        (
            '::1 - - [10/Oct/2000:13:55:36 +0000] "\\x16\\x03" 400 -',
            {
                "remote_host": "::1",
                "user": None,
                "time": "2000-10-10T13:55:36+00:00",
                "method": None,
                "path": None,
                "protocol": None,
                "status": "400",
                "n_bytes": None,
                "referer": None,
                "user_agent": None,
                "identity": None,
                "request": "\\x16\\x03",
            },
        ),
    ],
)
def test_a_line_of_an_access_log_is_read_by_its_fields(line, expected):
    document, flaw = access_log_records.read_request(line)
    assert (json.loads(document), flaw) == (expected, None)


@pytest.mark.parametrize("line", ["", "junk", '1.2.3.4 - - [10/Oct/2000:13:55:36 +0000] "GET /" 2000 5'])
def test_anything_else_is_no_line_of_an_access_log(line):
    assert access_log_records.read_request(line) == (None, "record is not a line of an access log")
