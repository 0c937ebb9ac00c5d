"""A write must come from a page of this server, as JSON, and small; nothing else reaches the app."""

import pytest
from starlette.datastructures import Headers

from pages.writes import LARGEST_BODY, find_fault

OWN = {"https://airflow.example"}
GOOD = {"origin": "https://airflow.example", "content-type": "application/json", "content-length": "20"}


def status(changes: dict[str, str | None]) -> int | None:
    headers = {name: value for name, value in (GOOD | changes).items() if value is not None}
    fault = find_fault(Headers(headers), OWN)
    return fault[0] if fault else None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"content-type": "application/json; charset=utf-8"}, None),
        ({"origin": "http://airflow.example"}, 403),
        ({"origin": "https://airflow.example.evil"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": None}, 403),
        ({"origin": None, "authorization": "Bearer t"}, None),
        ({"origin": "https://evil.example", "authorization": "Bearer t"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": None}, 415),
        ({"content-length": None}, 411),
        ({"content-length": "-1"}, 411),
        ({"content-length": str(LARGEST_BODY)}, None),
        ({"content-length": str(LARGEST_BODY + 1)}, 413),
    ],
)
def test_a_write_is_refused_for_each_thing_that_a_page_of_ours_would_not_send(
    changes: dict[str, str | None], expected: int | None
) -> None:
    assert status(changes) == expected
