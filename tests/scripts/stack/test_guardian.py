"""Servers of tests end with their parent, also where it is killed."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from scripts.stack import guardian, processes
from scripts.stack.home import REPO
from scripts.stack.postgres import EmbeddedPostgres

# A whole session of its own, with a server that a test asked for.
ASKS = """
def test_asks(warehouse_url, postgres_server):
    print("up", postgres_server.data_dir, flush=True)
    input()
"""
PATIENCE_S = 60


@pytest.fixture
def session(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A test run that waits in a test, and the data folder of its server."""
    (tmp_path / "test_asks.py").write_text(ASKS)
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "tests.conftest", "--rootdir", tmp_path]
    with subprocess.Popen(
        [*command, "-c", "/dev/null", "--import-mode=importlib", "-n", "0", tmp_path / "test_asks.py"],
        cwd=REPO, env={**os.environ, "TMPDIR": str(tmp_path)}, text=True, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as run:  # fmt: skip
        assert run.stdout is not None
        line = next(line for line in run.stdout if "up " in line)
        yield run, Path(line.split("up ")[1].strip())


def wait_until_gone(pid: int, *paths: Path) -> None:
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=PATIENCE_S)
    guardians = [
        process for process in psutil.process_iter(["cmdline"])
        if "scripts.stack.guardian" in (process.info["cmdline"] or []) and str(paths[0]) in process.info["cmdline"]
    ]  # fmt: skip
    psutil.wait_procs(guardians, timeout=PATIENCE_S)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_test_run_leaves_neither_server_nor_folder(
    session: tuple[subprocess.Popen[str], Path], number: signal.Signals, tmp_path: Path
):
    run, data_dir = session
    server = int((data_dir / "postmaster.pid").read_text().splitlines()[0])
    folder = next(iter(tmp_path.glob("mulgil-test-*")))
    assert psutil.pid_exists(server)
    os.killpg(run.pid, number)
    run.wait()
    wait_until_gone(server, folder / "postgres")
    assert not psutil.pid_exists(server)
    assert not data_dir.exists()
    assert not folder.exists()


def test_a_test_run_that_ends_by_itself_leaves_no_guardian(session: tuple[subprocess.Popen[str], Path], tmp_path: Path):
    run, data_dir = session
    run.communicate("\n")
    assert run.returncode == 0
    left = [
        process.pid for process in psutil.process_iter(["cmdline"])
        if str(tmp_path) in " ".join(process.info["cmdline"] or []) and process.pid != os.getpid()
    ]  # fmt: skip
    assert left == []
    assert not data_dir.exists()


def test_an_owner_whose_number_belongs_to_another_is_not_waited_for():
    guardian.wait_for_end(os.getpid(), "another:1")


def test_a_server_ends_with_its_owner_and_a_dismissed_guardian_touches_nothing(tmp_path: Path):
    with tempfile.TemporaryDirectory() as shared:  # unlike pytest's folders, others may pass through it
        Path(shared).chmod(0o711)
        server = EmbeddedPostgres(Path(shared) / "postgres", is_durable=False)
        server.start()
        with subprocess.Popen(["sleep", "60"]) as owner:
            dismissed = guardian.watch_over(owner.pid, Path(shared) / "postgres", [Path(shared) / "kept"])
            guardian.dismiss(dismissed)
            watching = guardian.watch_over(owner.pid, Path(shared) / "postgres", [])
            assert processes.birth_of(owner.pid)
            owner.kill()
        watching.wait(timeout=PATIENCE_S)
        assert not server.is_running()
