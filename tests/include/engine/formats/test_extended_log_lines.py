from include.engine.formats.extended_log_lines import read_fields, read_line

FIELDS = (
    "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) "
    "cs(User-Agent) cs-uri-query cs(Cookie)"
)
CLOUDFRONT = (
    "2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.100\tGET\td1.cloudfront.test\t/index.html\t200\t-\t"
    "Mozilla/5.0%2520(Windows)\t-\t-"
)


def test_columns_are_called_as_a_web_server_calls_them():
    assert read_line(CLOUDFRONT, read_fields(FIELDS)) == {
        "time": "2019-12-04T21:02:31Z",
        "x_edge_location": "LAX1",
        "n_bytes": "392",
        "remote_host": "192.0.2.100",
        "method": "GET",
        "virtual_host": "d1.cloudfront.test",
        "path": "/index.html",
        "status": "200",
        "referer": None,
        "user_agent": "Mozilla/5.0 (Windows)",
        "query": None,
        "cs_cookie": None,
    }


def test_columns_with_blanks_between_are_those_of_iis():
    columns = read_fields("#Fields: date time s-ip cs-method cs(User-Agent)\n")
    fields = read_line("2013-01-05 10:00:00 10.0.0.1 GET Mozilla/5.0+(Windows)", columns)
    assert (fields["s_ip"], fields["user_agent"]) == ("10.0.0.1", "Mozilla/5.0 (Windows)")


def test_a_line_of_another_width_shifts_no_column():
    assert read_line(CLOUDFRONT + "\tmore", read_fields(FIELDS)) is None


def test_only_the_line_of_the_fields_names_columns():
    assert read_fields("#Version: 1.0") is None
