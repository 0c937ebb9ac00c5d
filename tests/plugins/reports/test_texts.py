"""Every word of the alerts page is there in both languages."""

import re
from pathlib import Path

from include.names import AlertEvent
from reports.texts import TEXTS

TEMPLATE = Path(__file__).resolve().parents[3] / "plugins" / "reports" / "templates" / "alerts.html"


def test_both_languages_have_the_words_that_the_page_asks_for() -> None:
    asked = set(re.findall(r"\bt\.(\w+)", TEMPLATE.read_text(encoding="utf-8")))
    asked |= {"open", "bad_reason", "bad_time", "not_open"} | set(AlertEvent)
    for language, words in TEXTS.items():
        assert asked <= set(words), language
    assert set(TEXTS["en"]) == set(TEXTS["ko"])


def test_korean_words_are_korean() -> None:
    odd = [key for key, text in TEXTS["ko"].items() if not re.search("[가-힣]", text)]
    assert odd == ["other_language", "of"]
