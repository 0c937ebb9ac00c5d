"""Every word of the Experiments page, in one file for each language.

What the warehouse says in whole sentences (reasons, claims, details of checks) is English and marked so on the page.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from pages.languages import LANGUAGES
from review_desk.particles import place_particles

TEXTS: dict[str, dict[str, str]] = {
    language: json.loads((Path(__file__).parent / f"{language}.json").read_text(encoding="utf-8"))
    for language in LANGUAGES
}
_BLANK = re.compile(r"\{(\w+)\}")


def say(language: str, key: str, values: Mapping[str, object]) -> str:
    """Say a sentence with its values; a name that has no words yet, such as that of a metric, is said as it is."""
    sentence = TEXTS[language].get(key) or key.rpartition(".")[2].replace("_", " ")
    sentence = _BLANK.sub(lambda found: str(values.get(found[1], found[0])), sentence)
    return place_particles(sentence) if language == "ko" else sentence
