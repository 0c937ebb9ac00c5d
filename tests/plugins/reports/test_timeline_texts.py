"""Every word of the time line is there in both languages, with the same blanks, and so is every event."""

import re
from pathlib import Path

from include.experiments import decision
from include.names import AlertEvent
from reports.timeline import KINDS
from reports.timeline_texts import TEXTS

TEMPLATE = Path(__file__).resolve().parents[3] / "plugins" / "reports" / "templates" / "timeline.html"


def test_both_languages_have_the_words_that_the_page_asks_for() -> None:
    asked = set(re.findall(r"\bt\.(\w+)", TEMPLATE.read_text(encoding="utf-8"))) | set(KINDS)
    asked |= {"run", "monitor", "other_event"} | {f"alerts_{event}" for event in AlertEvent}
    asked |= {f"decisions_{name}" for name in (decision.WAIT, decision.ASK, decision.SEND, decision.KEEP_CONTROL)}
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
    assert odd == ["other_language", "other_event"]
