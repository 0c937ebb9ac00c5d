"""The problem files that the pages know, read again when one of them changes."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from include.problems.reading import load_problems
from include.problems.schema import Problem
from include.settings import read_settings

Versions = tuple[tuple[str, int], ...]  # each file's name, and when it was written, in nanoseconds


@dataclass(frozen=True)
class Definitions:
    """What the folder of problem files says.

    Attributes:
        problems: by name, in the order of their names.
        n_broken: files that cannot be read; Airflow's import errors name them.
    """

    problems: dict[str, Problem]
    n_broken: int


def read_definitions() -> Definitions:
    """Give every problem by its name; a broken file is left out and counted."""
    folder = read_settings().problems_dir
    versions = tuple(sorted((path.name, path.stat().st_mtime_ns) for path in folder.glob("*.y*ml")))
    return _read(folder, versions)


@lru_cache(maxsize=2)
def _read(folder: Path, versions: Versions) -> Definitions:
    """Read the files; reading all of them takes longer than answering a question."""
    del versions
    problems, errors = load_problems(folder)
    return Definitions({problem.name: problem for problem in problems}, len(errors))
