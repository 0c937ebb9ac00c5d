"""The gate itself: in what order it works, and what it does when one phase fails. Make and Python are stand-ins."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deployment.compose import REPOSITORY

# Each writes its words down; the one that the test names fails.
MAKEFILE = "%:\n\t@echo said by $@; echo make $@ >> words; test '$@' != \"$$FAILS\"\n"
PYTHON = '#!/bin/sh\necho "said by $3"; echo "$2 $3" >> words\ntest "$3" != "$FAILS"\n'
GOOD = [
    "make test",
    "make check",
    "make run",
    "scripts.assert_run --remember",
    "pytest -n",
    "scripts.clear_runs ",
    "make run",
    "scripts.assert_run --unchanged",
    "pytest -n",
    "make down",
    "make thorough",
    "make down",
]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the gate and stand-ins for everything that it calls."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(REPOSITORY / ".ci" / "run", tmp_path / ".ci" / "run")
    (tmp_path / "Makefile").write_text(MAKEFILE)
    for name, text in (
        (".venv/bin/python", PYTHON),
        ("bin/docker-compose", "#!/bin/sh\n"),
        ("bin/chromium", "#!/bin/sh\n"),
        ("bin/java", "#!/bin/sh\n"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


def run_gate(clone: Path, fails: str = "nothing", **more: str) -> tuple[int, list[str], str]:
    environment = {"PATH": f"{clone / 'bin'}:{os.environ['PATH']}", "FAILS": fails, "HOME": str(clone), **more}
    finished = subprocess.run([clone / ".ci" / "run"], env=environment, capture_output=True, text=True, check=False)
    return finished.returncode, (clone / "words").read_text().splitlines(), finished.stdout


def test_every_phase_runs_in_order_and_everything_is_stopped_at_the_end(clone: Path):
    status, words, said = run_gate(clone)
    assert status == 0
    assert words == GOOD
    assert "=== passed" in said
    assert "s  did it change anything" in said


def test_a_slow_machine_leaves_the_thorough_tests_out_and_says_so(clone: Path):
    status, words, said = run_gate(clone, SECONDS="2400")
    assert (status, words) == (0, [word for word in GOOD if word != "make thorough"])
    assert "No time is left for make thorough: 24" in said


@pytest.mark.parametrize(
    ("fails", "n_words"), [("test", 1), ("check", 2), ("run", 3), ("--remember", 4), ("-n", 5), ("--unchanged", 8)]
)
def test_a_phase_that_fails_ends_the_gate_and_still_stops_everything(clone: Path, fails: str, n_words: int):
    status, words, said = run_gate(clone, fails)
    assert status != 0
    assert words == [*GOOD[:n_words], "make down"]
    assert "FAILED" in said
    # What it said stands at the very end, too.
    assert f"said by {fails}" in said.split("=== the last words of the phase that failed")[1]


def test_something_that_cannot_be_stopped_is_a_failure(clone: Path):
    status, words, _ = run_gate(clone, "down")
    assert status != 0
    assert words[-1] == "make down"
