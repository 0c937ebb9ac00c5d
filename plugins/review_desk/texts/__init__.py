"""Every word that the desk says, in one file for each language, and which of them a person reads."""

import json
from collections.abc import Mapping
from pathlib import Path

LANGUAGES = ("en", "ko")
TEXTS: dict[str, dict[str, str]] = {
    language: json.loads((Path(__file__).parent / f"{language}.json").read_text(encoding="utf-8"))
    for language in LANGUAGES
}


def choose_language(accepted: str | None) -> str:
    """Choose the language that a browser likes best among those there are; English where it likes none of them.

    Args:
        accepted: the header Accept-Language, such as `ko-KR,ko;q=0.9,en;q=0.5`.
    """
    best, liking = LANGUAGES[0], 0.0
    for part in (accepted or "").split(","):
        name, _, weight = part.partition(";")
        language = name.strip().lower().partition("-")[0]
        quality = _number(weight.strip().removeprefix("q=")) if weight else 1.0
        if language in LANGUAGES and quality > liking:
            best, liking = language, quality
    return best


def say(language: str, key: str, values: Mapping[str, object] | None = None) -> str:
    """Say a sentence; a value that it names and was not given stays as its name in braces."""
    text = TEXTS[language].get(key) or key
    for name, value in (values or {}).items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        text = text.replace(f"{{{name}}}", shown)
    return text


def _number(text: str) -> float:
    """Read a weight; what is none weighs nothing."""
    try:
        return float(text)
    except ValueError:
        return 0.0
