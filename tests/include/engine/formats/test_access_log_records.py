import gzip
import io
import json

import pyarrow as pa
import pytest

from include.engine.formats.access_log_records import (
    NOT_A_LINE,
    OPEN_QUOTE,
    QUOTE_IN_QUOTES,
    UNKNOWN_FRONT,
    WRONG_WIDTH,
    cut_lines,
    read_request,
)
from include.engine.formats.decompression import Content
from include.engine.formats.record_batches import BROKEN_OFF

REST = ' [05/Jan/2013:10:00:00.250 +0900] "GET /a HTTP/1.1" 200 12 "-" "curl"'


@pytest.mark.parametrize(
    ("front", "host", "user", "more"),
    [
        ("10.0.0.1 - -", "10.0.0.1", None, {}),
        ("client.test ident jane", "client.test", "jane", {}),
        ("10.0.0.1 - Smith, Jane", "10.0.0.1", "Smith, Jane", {}),
        ("a.test:443 ::1 - -", "::1", None, {"virtual_host": "a.test:443"}),
        ("10.0.0.1, 10.0.0.2 - -", "10.0.0.1", None, {"forwarded_for": "10.0.0.1, 10.0.0.2"}),
        ("10.0.0.1 10.0.0.2 - -", "10.0.0.2", None, {"forwarded_for": "10.0.0.1"}),
    ],
)
def test_what_stands_in_front_of_a_line_shifts_no_column(front, host, user, more):
    document, flaw = read_request(front + REST)
    found = json.loads(document)
    assert (flaw, found["remote_host"], found["user"], found["status"]) == (None, host, user, "200")
    assert {name: found.get(name) for name in ("virtual_host", "forwarded_for") if name in found} == more
    assert found["time"] == "2013-01-05T10:00:00.250000+09:00"


@pytest.mark.parametrize(
    ("line", "flaw"),
    [
        ("a.test b.test - -" + REST, UNKNOWN_FRONT),
        ("10.0.0.1 -" + REST, UNKNOWN_FRONT),
        ("10.0.0.1 - -" + REST[:-1], OPEN_QUOTE),
        ("10.0.0.1 - - [x] GET", NOT_A_LINE),
        ("10.0.0.1 - -" + REST.replace("curl", 'a "b" c'), QUOTE_IN_QUOTES),
        ("10.0.0.1 - -" + REST.replace("curl", 'a" b'), OPEN_QUOTE),
        ("10.0.0.1 - -" + REST.replace('"-"', '"http://a/?q="b""'), QUOTE_IN_QUOTES),
    ],
)
def test_a_line_that_can_be_read_in_two_ways_is_not_read(line, flaw):
    assert read_request(line) == (None, flaw)


def test_a_common_line_has_neither_referer_nor_agent():
    document, _ = read_request('10.0.0.1 - - [05/Jan/2013:10:00:00 +0000] "GET /a" 200 - 0.003')
    found = json.loads(document)
    assert (found["n_bytes"], found["referer"], found["user_agent"], found["path"]) == (None, None, None, "/a")


def test_a_method_of_two_words_is_read():
    found = json.loads(read_request("10.0.0.1 - -" + REST.replace("GET /a", "M-SEARCH *"))[0])
    assert (found["method"], found["path"]) == ("M-SEARCH", "*")


def test_a_line_that_was_cut_with_its_object_is_not_published():
    packed = gzip.compress(b'10.0.0.1 - - [05/Jan/2013:10:00:00 +0000] "GET /a" 200 5123\n', 0)
    (batch,) = cut_lines("k", Content(io.BytesIO(packed[:-11])))
    assert batch["_flaw"].to_pylist() == [BROKEN_OFF]


def test_lines_of_several_servers_in_one_object_are_each_read():
    lines = [
        '10.0.0.1 - - [05/Jan/2013:10:00:00 +0000] "GET /a" 200 5',
        '{"time_iso8601": "2013-01-05T10:00:00+00:00", "remote_addr": "10.0.0.2", "status": 200}',
        "2013-01-05T10:00:00.1Z lb 10.0.0.3:1 10.0.0.9:80 0.1 0.1 0.1 200 200 0 29 "
        '"GET http://a.test:80/ HTTP/1.1" "curl" - -',
        "#a comment that no server writes",
        "#Version: 1.0",
        "#Fields: date time c-ip",
        "2013-01-05\t10:00:00\t10.0.0.4",
        "2013-01-05\t10:00:00",
    ]
    batch = pa.Table.from_batches(cut_lines("k", Content(io.BytesIO("\n".join(lines).encode()))))
    hosts = [json.loads(text)["remote_host"] for text in batch["_document"].to_pylist() if text]
    assert hosts == ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]
    assert batch["_line_number"].to_pylist() == [1, 2, 3, 4, 7, 8]
    assert [flaw for flaw in batch["_flaw"].to_pylist() if flaw] == [NOT_A_LINE, WRONG_WIDTH]
