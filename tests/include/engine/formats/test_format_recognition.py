import gzip
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.engine.formats.format_recognition import recognise_format, recognise_text

PLAIN = b'10.0.0.1 - - [05/Jan/2013:10:00:00 +0000] "GET /a HTTP/1.1" 200 5\n'


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b'\n {"a": 1}\n', "jsonl"),
        (b'\xef\xbb\xbf{"a": 1}{"a": 2}', "jsonl"),
        (b'[\n  {"a": 1},\n  {"a": 2}\n]', "json_array"),
        (b'[{"a": 1}, {"a": 2}]', "json_array"),
        (PLAIN, "access_log"),
        (b"broken line\n" + PLAIN, "access_log"),
        (b"a.test:443 " + PLAIN, "access_log"),
        (b"#Version: 1.0\n#Fields: date time c-ip\n2013-01-05\t10:00:00\t::1\n", "access_log"),
        (b"a,b\n1;2,3\n", "csv"),
        (b'a;b\n"1,5";2\n"2,5";3\n', "csv_semicolon"),
        (b"a\tb\n1,5\t2\n", "csv_tab"),
        (b"a|b|c\n1|2|3\n", "csv_bar"),
        (b"sep=;\na,x;b\n1;2\n", "csv_semicolon"),
        (b"alone\n1\n2\n", "csv"),
        (b"", "csv"),
    ],
)
def test_each_format_is_told_by_how_its_content_starts(head, kind):
    assert recognise_text(head) == kind


def test_a_declared_column_outweighs_whatever_else_separates():
    head = b"at;place, town;note\n2013;a, b;c\n"
    assert recognise_text(head, {"at", "note"}) == "csv_semicolon"
    assert recognise_text(head, {"town;note"}) == "csv"


def test_a_packed_object_is_told_by_what_is_inside_and_stays_unread():
    stream = io.BytesIO(gzip.compress(b"a;b\n1;2\n"))
    assert (recognise_format(stream), stream.tell()) == ("csv_semicolon", 0)
    stream = io.BytesIO()
    pq.write_table(pa.table({"a": [1]}), stream)
    stream.seek(0)
    assert (recognise_format(stream), stream.tell()) == ("parquet", 0)
