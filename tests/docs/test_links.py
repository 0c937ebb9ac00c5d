"""What the docs point to is there: pages, pictures, and every path in the project that they name."""

import re

from include.settings import REPOSITORY

FIRST_PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md"]


def test_every_file_and_picture_that_the_docs_point_to_is_there():
    pages = [*FIRST_PAGES, *sorted((REPOSITORY / "docs").rglob("*.md"))]
    for page in pages:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} points to {target}"


def test_every_path_that_the_docs_name_is_there():
    """Not in decisions, which tell of the past, nor names with a part to fill in."""
    pages = [*FIRST_PAGES, *sorted((REPOSITORY / "docs").glob("*.md"))]
    named = re.compile(r"`((?:include|dags|plugins|scripts|tests|docs|bench|config)/[\w./-]+)`")
    lost = {
        f"{page.name}: {path}"
        for page in pages
        if page.name != "graveyard.md"
        for path in named.findall(page.read_text(encoding="utf-8"))
        if not (REPOSITORY / path).exists() and "signups" not in path
    }
    assert sorted(lost) == []
