import pytest

from include.engine.formats.load_balancer_lines import read_line

CLASSIC = (
    "2015-05-13T23:39:43.945958Z my-balancer 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "
    '"GET http://www.example.com:80/a?b=c HTTP/1.1" "curl/7.38.0" - -'
)
APPLICATION = (
    "h2 2018-07-02T22:23:00.186641Z app/my-balancer/50dc6c495c0c9188 10.0.1.252:48160 10.0.0.66:9000 0.000 0.002 0.000 "
    '200 200 5 257 "GET https://10.0.2.105:773/ HTTP/2.0" "curl \\"7\\"" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 '
    "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067 "
    '"Root=1-58337327-72bd00b0343d75b906739c42" "shop.example" "-" 1 2018-07-02T22:22:48.364000Z "redirect" '
    '"https://example.com:80/" "-" "10.0.0.66:9000" "200" "-" "-" TID_1'
)


def test_a_classic_line_has_the_names_of_a_web_server():
    fields = read_line(CLASSIC)
    assert fields == {
        "time": "2015-05-13T23:39:43.945958Z",
        "balancer": "my-balancer",
        "target": "10.0.0.1:80",
        "request_processing_time": "0.000073",
        "target_processing_time": "0.001048",
        "response_processing_time": "0.000057",
        "status": "200",
        "target_status": "200",
        "received_bytes": "0",
        "n_bytes": "29",
        "request": "GET http://www.example.com:80/a?b=c HTTP/1.1",
        "user_agent": "curl/7.38.0",
        "ssl_cipher": None,
        "ssl_protocol": None,
        "remote_host": "192.168.131.39",
        "client_port": "2817",
        "method": "GET",
        "path": "/a?b=c",
        "protocol": "HTTP/1.1",
        "virtual_host": "www.example.com:80",
    }


def test_an_application_line_names_its_host_and_its_trace():
    fields = read_line(APPLICATION)
    assert (fields["connection_type"], fields["time"]) == ("h2", "2018-07-02T22:23:00.186641Z")
    assert (fields["virtual_host"], fields["path"], fields["conn_trace_id"]) == ("shop.example", "/", "TID_1")
    assert (fields["n_bytes"], fields["user_agent"], fields["chosen_cert_arn"]) == ("257", 'curl \\"7\\"', None)


def test_fields_that_were_added_later_shift_none():
    assert read_line(APPLICATION + ' "new" -') == read_line(APPLICATION)


def test_an_address_of_version_6_keeps_its_colons():
    fields = read_line(CLASSIC.replace("192.168.131.39:2817", "[2001:db8::1]:2817"))
    assert (fields["remote_host"], fields["client_port"]) == ("2001:db8::1", "2817")


@pytest.mark.parametrize(
    "line",
    [
        CLASSIC.replace("curl/7.38.0", 'curl"'),
        CLASSIC[:120],
        "2015-05-13T23:39:43Z plain words of a log",
        '10.0.0.1 - - [05/Jan/2013:10:00:00 +0000] "GET /a" 200 -',
    ],
)
def test_another_line_is_not_taken_for_one_of_a_balancer(line):
    assert read_line(line) is None
