"""One word for one idea: what the glossary retired is found nowhere, and what it defines is used somewhere."""

import re

import pytest

from tests.architecture.conftest import REPOSITORY
from tests.architecture.retired_words import RETIRED, Retired, lines_with

GLOSSARY = (REPOSITORY / "docs" / "glossary.md").read_text("utf-8")
ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


@pytest.mark.parametrize("retired", RETIRED, ids=lambda retired: retired.pattern)
def test_a_retired_word_is_found_nowhere(retired: Retired):
    found = list(lines_with(retired, REPOSITORY))
    assert found == [], f"Write {retired.instead!r} instead:\n" + "\n".join(found)


def test_a_retired_word_is_found_in_code_pages_and_docs(tmp_path):
    places = ["include/lake/a.py", "plugins/p/templates/a.html", "include/bi/a.sql", "docs/a.md", "README.md"]
    for place in [*places, "include/warehouse/migrations/versions/1.py", "docs/graveyard.md"]:
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_text("good\nRows are Kept Apart.\n", encoding="utf-8")
    found = list(lines_with(Retired(r"\bkept apart\b", "quarantine"), tmp_path))
    assert sorted(line.split(":")[0] for line in found) == sorted(places)
    assert all(":2: Rows" in line for line in found)


def test_no_word_is_explained_twice():
    words = [word for word, _ in ROW.findall(GLOSSARY) if word not in {"word", "---"}]
    assert len(words) > 80
    assert sorted({word for word in words if words.count(word) > 1}) == []


def test_the_glossary_itself_uses_no_retired_word():
    for retired in RETIRED:
        if "include" in retired.folders:
            assert not re.search(retired.pattern, GLOSSARY, re.IGNORECASE), retired.pattern
