"""Every word of the calibration picture is there in both languages."""

import re
from pathlib import Path

from reports.calibration_texts import TEXTS

TEMPLATE = Path(__file__).resolve().parents[3] / "plugins" / "reports" / "templates" / "problem.html"


def test_both_languages_have_the_words_that_the_page_asks_for() -> None:
    asked = set(re.findall(r"\bt\.(\w+)", TEMPLATE.read_text(encoding="utf-8")))
    asked |= {"title", "said", "happened", "point", "parts"}
    for words in TEXTS.values():
        assert set(words) == asked


def test_both_languages_have_places_for_the_same_numbers() -> None:
    places = {language: [re.findall(r"{\w+}", words[name]) for name in words] for language, words in TEXTS.items()}
    assert places["en"] == places["ko"]


def test_korean_words_are_korean() -> None:
    odd = [key for key, text in TEXTS["ko"].items() if not re.search("[가-힣]", text)]
    assert odd == ["other_language", "to"]
