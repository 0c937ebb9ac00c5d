"""A write must come from a page of this server, as JSON, and small; nothing else reaches the app."""

import pytest
from starlette.datastructures import Headers

from pages.writes import LARGEST_BODY, find_bad_write, find_own_origins, normalise_origin

OWN = frozenset({"https://airflow.example"})
GOOD = {"origin": "https://airflow.example", "content-type": "application/json", "content-length": "20"}


def status(changes: dict[str, str | None]) -> int | None:
    headers = {name: value for name, value in (GOOD | changes).items() if value is not None}
    fault = find_bad_write(Headers(headers), OWN)
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
def test_a_write_that_no_page_of_ours_sends_is_refused(changes: dict[str, str | None], expected: int | None) -> None:
    assert status(changes) == expected


@pytest.mark.parametrize(
    ("written", "origin"),
    [
        ("HTTPS://Airflow.Example:443/air", "https://airflow.example"),
        ("http://AIRFLOW:80", "http://airflow"),
        ("http://airflow:8080/", "http://airflow:8080"),
        ("https://airflow.example:80", "https://airflow.example:80"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("null", ""),
        ("", ""),
        ("ftp://airflow", ""),
        ("http://airflow:no", ""),
    ],
)
def test_an_origin_is_written_in_one_way(written: str, origin: str) -> None:
    assert normalise_origin(written) == origin


@pytest.mark.parametrize(
    ("configured", "asked", "own"),
    [
        ([], {"host": "Airflow:8080"}, {"http://airflow:8080"}),
        ([], {"host": "air", "x-forwarded-proto": "https"}, {"https://air"}),
        ([], {"host": "inner:8080", "x-forwarded-proto": "https, http", "x-forwarded-host": "air"}, {"https://air"}),
        (["https://air:443"], {"host": "evil.example"}, {"https://air"}),
        (["https://air", "https://alias"], {"host": "inner"}, {"https://air", "https://alias"}),
        (["http://127.0.0.1:8080"], {"host": "evil"}, {"http://127.0.0.1:8080", "http://localhost:8080"}),
        (["", "nonsense"], {"host": "air"}, {"http://air"}),
    ],
)
def test_own_origins_are_those_of_the_deployment_or_else_what_the_browser_asked(
    configured: list[str], asked: dict[str, str], own: set[str]
) -> None:
    assert find_own_origins(Headers(asked), "http", configured) == own
