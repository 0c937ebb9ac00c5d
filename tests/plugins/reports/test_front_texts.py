"""Every word of the front page is there in both languages, with the same blanks."""

import re
from pathlib import Path

from reports.front import PARTS
from reports.front_texts import TEXTS

HERE = Path(__file__).resolve().parents[3] / "plugins" / "reports"


def test_both_languages_have_the_words_that_the_page_asks_for() -> None:
    asked = set(re.findall(r"\bt\.(\w+)", (HERE / "templates" / "front.html").read_text(encoding="utf-8")))
    asked |= {f"part_{part}" for part in PARTS}
    cards = (HERE / "front_cards.py").read_text(encoding="utf-8")
    asked |= set(re.findall(r'words\["(\w+)"\]', cards)) | set(re.findall(r'say\("(\w+)"', cards))
    assert len(asked) > 50
    for language, words in TEXTS.items():
        assert asked <= set(words), language
    assert set(TEXTS["en"]) == set(TEXTS["ko"])


def test_both_languages_have_places_for_the_same_values() -> None:
    places = {
        language: {key: set(re.findall(r"{(\w+)}", text)) for key, text in words.items()}
        for language, words in TEXTS.items()
    }
    assert places["en"] == places["ko"]


def test_korean_words_are_korean() -> None:
    odd = [key for key, text in TEXTS["ko"].items() if not re.search("[가-힣]", text)]
    assert odd == ["other_language", "money", "of_experiment"]
