"""The environment: which Python, which pins, and what a killed run leaves."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from scripts import bootstrap

REPO = Path(bootstrap.REPO)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Give a repository with small requirements files and an environment whose python starts."""
    (tmp_path / "requirements.txt").write_text("uv==1.0\n")
    (tmp_path / "requirements-dev.txt").write_text("uv==1.0\npytest==1.0\n")
    (tmp_path / "requirements-spark.txt").write_text("pyspark==1.0\n")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    return tmp_path


def test_an_environment_without_a_stamp_is_not_current(repo: Path):
    assert not bootstrap.is_current(repo / ".venv", "run", repo)


def test_a_stamped_environment_is_current_until_a_pin_moves(repo: Path):
    bootstrap.write_stamp(repo / ".venv", "run", "3.11.7", repo)
    assert bootstrap.is_current(repo / ".venv", "run", repo)
    (repo / "requirements.txt").write_text("uv==1.1\n")
    assert not bootstrap.is_current(repo / ".venv", "run", repo)


def test_the_dev_environment_serves_run_but_not_the_other_way_round(repo: Path):
    bootstrap.write_stamp(repo / ".venv", "run", "3.11.7", repo)
    assert not bootstrap.is_current(repo / ".venv", "dev", repo)
    bootstrap.write_stamp(repo / ".venv", "dev", "3.11.7", repo)
    assert bootstrap.is_current(repo / ".venv", "run", repo)


def test_installing_run_again_takes_the_word_of_dev_back(repo: Path):
    bootstrap.write_stamp(repo / ".venv", "dev", "3.11.7", repo)
    bootstrap.write_stamp(repo / ".venv", "run", "3.11.7", repo)
    assert not bootstrap.is_current(repo / ".venv", "dev", repo)


def test_a_stamp_without_an_interpreter_counts_for_nothing(repo: Path):
    bootstrap.write_stamp(repo / ".venv", "run", "3.11.7", repo)
    (repo / ".venv" / "bin" / "python").unlink()
    assert not bootstrap.is_current(repo / ".venv", "run", repo)


def test_what_a_killed_run_left_is_made_anew_and_a_working_environment_is_kept(repo: Path):
    assert not bootstrap.must_be_remade(repo / ".venv")
    bootstrap.unfinished_mark(repo / ".venv").touch()
    assert bootstrap.must_be_remade(repo / ".venv")


def test_an_environment_whose_python_does_not_start_is_made_anew(repo: Path):
    (repo / ".venv" / "bin" / "python").unlink()
    (repo / ".venv" / "bin" / "python").symlink_to("/nonexistent/python")
    assert bootstrap.must_be_remade(repo / ".venv")


def test_without_a_supported_python_the_sentence_says_which_are(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bootstrap, "python_version", lambda command: (3, 9, 2))
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 2))
    with pytest.raises(bootstrap.BootstrapError, match=r"needs Python 3\.11, 3\.12 or 3\.13.*3\.9\.2"):
        bootstrap.find_python()


def test_a_later_python_on_path_is_taken_when_the_first_is_too_old(monkeypatch: pytest.MonkeyPatch):
    versions = {"/bin/old": (3, 9, 2), "/bin/python3.12": (3, 12, 1)}
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: f"/bin/{Path(name).name}")
    monkeypatch.setattr(bootstrap, "python_version", versions.get)
    assert bootstrap.find_python("/usr/bin/old") == ("/bin/python3.12", "3.12.1")


def test_too_little_disk_is_refused_with_both_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1_500_000_000)
    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(bootstrap.BootstrapError, match=r"Only 1\.5 GB.*needs 4 GB"):
        bootstrap.check_disk(tmp_path)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path):
    with pytest.raises(bootstrap.BootstrapError, match="cannot be written"):
        bootstrap.check_write(tmp_path / "missing")


def test_every_pin_that_runs_is_a_pin_that_is_tested():
    # What only other systems need may stand in one file alone.
    run, dev, spark = (
        {line for line in (REPO / name).read_text().splitlines() if "emscripten" not in line}
        for name in bootstrap.FILES.values()
    )
    assert run <= dev
    assert spark <= dev


def test_spark_is_installed_where_it_is_asked_for_and_nowhere_else(repo: Path):
    assert bootstrap.wanted_kinds("run", {"MULGIL_ENGINE": "spark"}) == ["run", "spark"]
    assert bootstrap.wanted_kinds("run", {"MULGIL_ENGINE": "duckdb"}) == ["run"]
    assert bootstrap.wanted_kinds("dev", {"MULGIL_ENGINE": "spark"}) == ["dev"]
    bootstrap.write_stamp(repo / ".venv", "run", "3.11.7", repo)
    assert not bootstrap.is_current(repo / ".venv", "spark", repo)
    bootstrap.write_stamp(repo / ".venv", "spark", "3.11.7", repo)
    assert bootstrap.is_current(repo / ".venv", "spark", repo)
    assert bootstrap.is_current(repo / ".venv", "run", repo)


LOCKS = tuple(bootstrap.FILES.values())


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_hashes_and_no_lock_names_an_index(name):
    text = (REPO / name).read_text()
    assert "://" not in text
    pins = re.split(r"\n(?=\S)", text.strip())
    for pin in pins:
        first, *hashes = (line.removesuffix("\\").strip() for line in pin.splitlines())
        assert re.match(r"[a-z0-9-]+(\[[a-z0-9,-]+\])?==", first), pin
        assert hashes, f"{first} can be any file"
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes), pin


def test_uv_is_pinned_with_all_its_hashes(repo):
    (repo / "requirements.txt").write_text(
        "a==1 \\\n    --hash=sha256:1\nuv==1.0 \\\n    --hash=sha256:2 \\\n    --hash=sha256:3\nx==1\n"
    )
    assert bootstrap.pinned_uv(repo) == "uv==1.0 \\\n    --hash=sha256:2 \\\n    --hash=sha256:3\n"
    (repo / "requirements.txt").write_text("a==1\n")
    with pytest.raises(bootstrap.BootstrapError, match="does not pin uv"):
        bootstrap.pinned_uv(repo)


def test_the_bootstrap_needs_the_standard_library_alone():
    lines = (REPO / "scripts" / "bootstrap.py").read_text().splitlines()
    imports = {line.split()[1].partition(".")[0] for line in lines if line.startswith(("import ", "from "))}
    assert imports - {"__future__"} <= sys.stdlib_module_names
