"""Every word is there in every language, with the same blanks, and so is whatever the server or the page may say."""

import re
from pathlib import Path

import pytest

from include.review.desk.refusals import Refusal
from pages.languages import LANGUAGES
from review_desk.texts import TEXTS, say

HERE = Path(__file__).resolve().parents[3] / "plugins" / "review_desk"


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_every_key_of_english_with_the_same_blanks(language: str) -> None:
    def blanks(texts: dict[str, str]) -> dict[str, set[str]]:
        return {key: set(re.findall(r"\{(\w+)\}", text)) for key, text in texts.items()}

    assert blanks(TEXTS[language]) == blanks(TEXTS["en"])
    assert all(text.strip() for text in TEXTS[language].values())


def test_every_refusal_has_its_sentence() -> None:
    headers = {"foreign_page", "not_json", "too_large", "malformed", "unavailable", "no_right", "logged_out"}
    assert {f"refused.{code}" for code in {*map(str, Refusal), *headers}} <= TEXTS["en"].keys()


def test_the_page_says_nothing_that_is_not_in_the_texts() -> None:
    script = "".join(path.read_text(encoding="utf-8") for path in (HERE / "static").glob("*.js"))
    said = set(re.findall(r'\bsay\("([\w.]+)"', script)) | set(re.findall(r'"(reason_\w+|summary_\w+)"', script))
    said |= set(re.findall(r"\btext\.(\w+)", script))
    assert len(said) > 40
    codes = {str(code) for code in Refusal}  # the script compares them and never says them
    assert said - {"length"} - codes <= TEXTS["en"].keys()


def test_a_sentence_names_what_it_is_given_and_keeps_other_braces() -> None:
    assert say("en", "refused.unknown_class", {"label": "{classes}", "classes": ["a", "b"]}).startswith("“")
    assert say("en", "batch", {"number": 7}) == "Round 7"
    assert say("en", "no such key") == "no such key"
