"""The tutorial is run as it is written: every command of the page, in order, in a clone of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from include.settings import REPOSITORY

PAGE = (REPOSITORY / "docs" / "tutorial.md").read_text("utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
# The environment is made already, and a test makes no other.
WITHOUT_INSTALLING = 'make() { command make -o env --no-print-directory "$@"; }\nset -euo pipefail\n'


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Give a folder that looks like a clone, and whose problem files are its own."""
    for name in ("Makefile", "scripts"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    problems = tmp_path / "include" / "problems"
    problems.mkdir(parents=True)
    inside = [path for path in (REPOSITORY / "include" / "problems").iterdir() if path.suffix == ".py"]
    for path in [*inside, REPOSITORY / "include" / "problems" / "sections"]:
        (problems / path.name).symlink_to(path)
    for path in (REPOSITORY / "include").iterdir():
        if path.name not in {"problems", "__pycache__"}:
            (tmp_path / "include" / path.name).symlink_to(path)
    return tmp_path


def test_an_hour_from_a_csv_to_a_decision_as_written(clone: Path, migrated_warehouse_url: str):
    own = {
        "MULGIL_HOME": str(clone / ".mulgil"),
        "MULGIL_PROBLEMS_DIR": str(clone / "include" / "problems"),
        "MULGIL_WAREHOUSE_URL": migrated_warehouse_url,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    said = []
    for block in BLOCKS:
        done = subprocess.run(
            ["bash", "-c", WITHOUT_INSTALLING + block],
            cwd=clone,
            env=dict(os.environ) | own,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout[-2_000:]}\n{done.stderr[-2_000:]}"
        said.append(done.stdout)
    file, proposed, _, checked, tried = said
    assert file.startswith("taken_on,mean radius,mean texture")
    assert "Wrote " in proposed
    assert "569 would be published, in 4 partitions (2026-01 to 2026-04)" in checked
    assert "Label: no" in checked
    assert "2026-02: 134 rows published, 0 in quarantine, 0 duplicates" in tried
    assert ": promoted" in tried
    assert "2026-04: scored and measured" in tried


def test_no_more_than_five_lines_are_edited_by_hand():
    (edited,) = [block for block in BLOCKS if "biopsies.yaml" in block]
    assert 0 < len(re.findall(r'^    "', edited, re.MULTILINE)) <= 5
