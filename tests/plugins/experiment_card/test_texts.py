"""Every word of the Experiments page is there in both languages, and so is every name that the warehouse may say."""

import re
from pathlib import Path

import pytest

from experiment_card import cards
from experiment_card.texts import TEXTS, say
from include.experiments import checks, exclusions, participation
from pages.languages import LANGUAGES

HERE = Path(__file__).resolve().parents[3] / "plugins" / "experiment_card"
STATES = (cards.NOT_BEGUN, cards.RUNNING, cards.HOLDING, cards.DECIDED, cards.ENDED, cards.REMOVED)
CHECKS = (
    checks.SAMPLE_RATIO,
    exclusions.EXCLUSIONS,
    checks.MATURITY,
    checks.MINIMUM_UNITS,
    checks.MINIMUM_REWARDS,
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_every_key_of_english_with_the_same_blanks(language: str) -> None:
    def blanks(texts: dict[str, str]) -> dict[str, set[str]]:
        return {key: set(re.findall(r"\{(\w+)\}", text)) for key, text in texts.items()}

    assert blanks(TEXTS[language]) == blanks(TEXTS["en"])
    assert all(text.strip() for text in TEXTS[language].values())


def test_korean_words_are_korean() -> None:
    odd = [key for key, words in TEXTS["ko"].items() if not re.search("[가-힣]", words)]
    assert odd == ["other_language"]


def test_the_page_says_nothing_that_is_not_in_the_texts() -> None:
    templates = "".join(path.read_text("utf-8") for path in (HERE / "templates").glob("*.html"))
    asked = set(re.findall(r"\bt\('([\w.]+)'[,)]", templates))
    assert len(asked) > 60
    assert asked <= TEXTS["en"].keys()


def test_every_state_check_and_reason_has_its_words() -> None:
    keys = {f"state.{state}" for state in STATES}
    keys |= {f"{kind}.{name}" for kind in ("check", "todo") for name in CHECKS} | {"todo.guardrail"}
    keys |= {f"exclusion.{reason}" for reason in (*participation.REASONS, *exclusions._ADVICE)}
    assert keys <= TEXTS["en"].keys()


def test_a_sentence_names_what_it_is_given_once_and_a_name_without_words_itself() -> None:
    assert say("en", "due", {"when": "{when}"}) == "It can be decided from {when} on."
    assert say("ko", "lead.keep_control", {"control": "none"}) == "대조안 “none”를 유지합니다."
    assert say("en", "check.some_new_check", {}) == "some new check"
