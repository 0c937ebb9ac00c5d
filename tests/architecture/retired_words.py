"""The words that Mulgil no longer uses, each with the field's word that took its place.

`test_glossary.py` reads this list. Code, views, pages and docs are searched without regard to case; excepted are
migrations, names of tables and columns, and `docs/decisions/names-and-floors.md`, which keeps the old paths.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = frozenset({".py", ".sql", ".yaml", ".md", ".html", ".js", ".json", ".css", ".sh", ".toml", ".example", ""})
EVERYWHERE = (
    "include",
    "dags",
    "plugins",
    "scripts",
    "config",
    "docker",
    "docs",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docker-compose.yaml",
    ".env.example",
    "Makefile",
)
EXCEPTED = ("docs/decisions/names-and-floors.md", "docs/graveyard.md")


@dataclass(frozen=True)
class Retired:
    """One word or phrase that is not used any more.

    Attributes:
        pattern: regular expression that finds it.
        instead: what is written in its place.
        folders: where it is looked for; in other rooms it may be an ordinary word.
    """

    pattern: str
    instead: str
    folders: tuple[str, ...] = EVERYWHERE


RETIRED = (
    # Rows that are kept out: one idea, one word.
    Retired(r"\b(keep|keeps|kept|keeping|set|sets|setting)( \w+)? apart\b", "quarantine"),
    Retired(r"(\bn_|[\"'])apart\b|\bapart = |\bapart\[|[,(] ?apart[,)]", "quarantined"),
    Retired(r"\b(n_)?rejected\b", "quarantined", folders=("include/lake", "include/quality", "include/landing")),
    Retired(r"\brun\w*( \S+){0,6} through( again)?\b", "replay"),
    Retired(r"(?<!off-policy )\breplays?\b", "off-policy replay", folders=("include/experiments",)),
    # Models.
    Retired(r"\b(an?|the|no|each|every|which|one|its|calibration) maps?\b|\bmaps\b", "calibrator"),
    Retired(r"\bstraddlers?\b", "rows excluded from a split"),
    Retired(r"\bdoubt(s|ed|ful|ing)?\b", "uncertainty of a model; a suspected label"),
    Retired(r"\bwhom (it|a model) wrongs\b|\bwrongs\b", "which groups it treats worse"),
    # Review.
    Retired(r"(?<![.\"'_`])\bseats?\b(?![\"'`])", "assignment"),
    # Files of the past.
    Retired(r"\b(remove_)?leftovers\b", "orphan files; garbage collection"),
    Retired(r"\b(keying|anatomy|doubting|landed_rows|setting_apart|sorting_out|asking_again|views_of_models)\b", "-"),
    Retired(r"\bgains\b(?!\.)", "calibration effect", folders=("include/learning",)),
    # Plain English.
    Retired(r"\bapart by (commas|a comma)\b", "separated by commas"),
    Retired(r"\btold by (\w+ )?(content|bytes|shape)\b|\btelling \w+ apart\b", "recognised by"),
    Retired(r"\b(tell|tells|told|telling) on (a|any|some|no)(body|one)?( |\b)", "identify a person"),
)


def lines_with(retired: Retired, repository: Path) -> Iterator[str]:
    """Give each line that still has a retired word, with its place."""
    pattern = re.compile(retired.pattern, re.IGNORECASE)
    for path in _files(repository, retired.folders):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if pattern.search(line):
                yield f"{path.relative_to(repository)}:{number}: {line.strip()[:120]}"


def _files(repository: Path, folders: tuple[str, ...]) -> Iterator[Path]:
    for folder in folders:
        start = repository / folder
        for path in [start] if start.is_file() else sorted(start.rglob("*")):
            place = path.relative_to(repository)
            is_ours = path.is_file() and path.suffix in SUFFIXES and "versions" not in place.parts
            if is_ours and "__pycache__" not in place.parts and str(place) not in EXCEPTED:
                yield path
