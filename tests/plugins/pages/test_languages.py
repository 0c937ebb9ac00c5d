"""Which language a person reads."""

import pytest
from fastapi import Request

from pages.languages import choose_language, find_language


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("ko", "ko"),
        ("ko-KR,ko;q=0.9,en-US;q=0.8", "ko"),
        ("en-US,ko;q=0.9", "en"),
        ("fr,ko;q=0.2", "ko"),
        ("fr", "en"),
        ("ko;q=nonsense", "en"),
        ("", "en"),
        (None, "en"),
    ],
)
def test_the_browsers_best_liked_language_is_spoken(accepted: str | None, language: str) -> None:
    assert choose_language(accepted) == language


@pytest.mark.parametrize(("query", "language"), [("", "ko"), ("lang=en", "en"), ("lang=fr", "ko"), ("lang=", "ko")])
def test_the_address_says_the_language_before_the_browser_does(query: str, language: str) -> None:
    headers = [(b"accept-language", b"ko-KR")]
    request = Request({"type": "http", "query_string": query.encode(), "headers": headers})
    assert find_language(request) == language
