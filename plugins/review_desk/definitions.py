"""The problem files that the desk knows, read again when one of them changes."""

from functools import lru_cache
from pathlib import Path

from include.problems.reading import load_problems
from include.problems.schema import Problem
from include.settings import read_settings

Versions = tuple[tuple[str, int], ...]  # each file's name, and when it was written, in nanoseconds


def read_definitions() -> dict[str, Problem]:
    """Give every problem that asks people something, by its name; a broken file is left out and named by Airflow."""
    folder = read_settings().problems_dir
    versions = tuple(sorted((path.name, path.stat().st_mtime_ns) for path in folder.glob("*.y*ml")))
    return _read(folder, versions)


@lru_cache(maxsize=2)
def _read(folder: Path, versions: Versions) -> dict[str, Problem]:
    """Read the files; reading all of them takes longer than answering a question."""
    del versions
    problems, _ = load_problems(folder)
    return {problem.name: problem for problem in problems if problem.review is not None}
