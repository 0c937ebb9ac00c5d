import json

import pytest

from include.engine.formats.json_request_lines import iso_time, read_line

LINE = {
    "time_local": "05/Jan/2013:10:00:00 +0900",
    "remote_addr": "10.0.0.1",
    "remote_user": "",
    "request": "GET /a?b=c HTTP/1.1",
    "status": "404",
    "body_bytes_sent": 12,
    "http_referer": "-",
    "http_user_agent": "curl",
    "http_x_forwarded_for": "203.0.113.7",
    "host": "a.test",
    "request_time": "0.003",
}


def test_variables_of_nginx_get_the_names_of_a_plain_line():
    assert read_line(json.dumps(LINE)) == {
        "remote_host": "10.0.0.1",
        "user": None,
        "time": "2013-01-05T10:00:00+09:00",
        "request": "GET /a?b=c HTTP/1.1",
        "method": "GET",
        "path": "/a?b=c",
        "protocol": "HTTP/1.1",
        "status": "404",
        "n_bytes": 12,
        "referer": None,
        "user_agent": "curl",
        "virtual_host": "a.test",
        "forwarded_for": "203.0.113.7",
        "request_time": "0.003",
        "remote_user": None,
        "http_referer": None,
    }


def test_a_method_that_is_written_by_itself_is_not_replaced():
    fields = read_line('{"msec": "1357347600.250", "request_method": "POST", "request_uri": "/b"}')
    assert (fields["method"], fields["path"]) == ("POST", "/b")
    assert fields["time"] == "2013-01-05T01:00:00.250000+00:00"


@pytest.mark.parametrize("line", ['{"status": 200}', "{", "[1]", '{"time_local": "-"}', "[" * 100_000])
def test_what_says_no_time_is_no_request(line):
    assert read_line(line) is None


@pytest.mark.parametrize("text", ["2013-01-05T10:00:00Z", "last Sunday", "1357347600", "1.2.3", "9" * 400 + ".5"])
def test_a_time_of_another_form_stays_for_the_reader_of_times(text):
    assert iso_time(text) == text
