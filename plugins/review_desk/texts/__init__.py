"""Every word that the desk says, in one file for each language."""

import json
from collections.abc import Mapping
from pathlib import Path

from pages.languages import LANGUAGES
from review_desk.particles import place_particles

TEXTS: dict[str, dict[str, str]] = {
    language: json.loads((Path(__file__).parent / f"{language}.json").read_text(encoding="utf-8"))
    for language in LANGUAGES
}


def say(language: str, key: str, values: Mapping[str, object] | None = None) -> str:
    """Say a sentence; a value that it names and was not given stays as its name in braces."""
    text = TEXTS[language].get(key) or key
    for name, value in (values or {}).items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        text = text.replace(f"{{{name}}}", shown)
    return place_particles(text) if language == "ko" else text
