"""The change that docs/worked-change.md walks through, applied to a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from include.settings import REPOSITORY

PAGE = (REPOSITORY / "docs" / "worked-change.md").read_text("utf-8")
TEST = "tests/include/review/selection/test_sql_ranking.py"
FORMULA = "include/review/selection/sql_ranking.py"


def pieces() -> list[tuple[str, str, str]]:
    """Read each piece of the page: the file, the lines that are there, and the lines that take their place."""
    found = []
    for block in re.findall(r"```diff\n(.*?)```", PAGE, re.DOTALL):
        head, *lines = block.splitlines()[1:]
        before = [line[1:] for line in lines if not line.startswith("+")]
        after = [line[1:] for line in lines if not line.startswith("-")]
        found.append((head.removeprefix("+++ b/"), "\n".join(before), "\n".join(after)))
    return found


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy what the test of the change needs."""
    ignore = shutil.ignore_patterns("__pycache__", "data")
    for folder in ("include", "scripts", "dags", "docs"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=ignore)
    shutil.copytree(REPOSITORY / "tests", tmp_path / "tests", ignore=ignore)
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    return tmp_path


def apply(copy: Path, file: str, before: str, after: str) -> None:
    text = (copy / file).read_text("utf-8")
    assert text.count(before) == 1, f"{file} has these lines {text.count(before)} times:\n{before}"
    (copy / file).write_text(text.replace(before, after), "utf-8")


def run_test(copy: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-k", "ranks_as_the_arrays_do", TEST]
    return subprocess.run(
        command, cwd=copy, env=os.environ | {"PYTHONPATH": str(copy)}, capture_output=True, text=True, check=False
    )


def test_it_names_four_files_and_one_test_and_each_of_them_has_the_lines():
    files = [file for file, *_ in pieces()]
    assert len(files) == len(set(files)) == 5
    assert files[0] == TEST
    for file, before, after in pieces():
        assert (REPOSITORY / file).read_text("utf-8").count(before) == 1, file
        assert before != after


@pytest.mark.slow
def test_the_test_fails_before_the_formula_and_passes_after(copy: Path):
    changes = {file: (before, after) for file, before, after in pieces()}
    formula = changes.pop(FORMULA)
    for file, (before, after) in changes.items():
        apply(copy, file, before, after)
    failed = run_test(copy)
    assert failed.returncode == 1, failed.stdout[-2000:]
    assert "1 failed" in failed.stdout
    assert "confidence_ratio" in failed.stdout
    apply(copy, FORMULA, *formula)
    passed = run_test(copy)
    assert passed.returncode == 0, passed.stdout[-2000:]
