import pytest

from include.engine.formats.request_fields import split_address, split_request


@pytest.mark.parametrize(
    ("request_line", "parts"),
    [
        ("GET /a?b=c HTTP/1.1", ("GET", "/a?b=c", "HTTP/1.1")),
        ("GET /a", ("GET", "/a", None)),
        ("M-SEARCH * HTTP/1.1", ("M-SEARCH", "*", "HTTP/1.1")),
        ("\\x16\\x03", (None, None, None)),
        (None, (None, None, None)),
    ],
)
def test_a_request_that_is_none_leaves_its_parts_empty(request_line, parts):
    assert tuple(split_request(request_line).values()) == parts


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("http://a.test:80/x?y=1", {"virtual_host": "a.test:80", "path": "/x?y=1"}),
        ("https://a.test", {"virtual_host": "a.test", "path": "/"}),
        ("/x?u=http://b.test/", {}),
        (None, {}),
    ],
)
def test_only_a_whole_address_names_a_host(path, found):
    assert split_address(path) == found
