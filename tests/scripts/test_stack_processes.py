"""Servers by their records: recognised, never mistaken, stopped with everything they started."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from scripts.stack import processes
from scripts.stack.errors import AlreadyRunning
from scripts.stack.processes import Record

WAIT = "import time; print('up', flush=True); time.sleep(60)"
# A leader with a worker of its own, as the scheduler has.
FAMILY = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {WAIT!r}]); {WAIT}"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAIT}"


def start(folder: Path, code: str, name: str = "server") -> Record:
    log = folder / f"{name}.log"
    record = processes.start(folder, name, [sys.executable, "-c", code], dict(os.environ), log, folder)
    deadline = time.monotonic() + 20
    while log.read_text().count("\nup") < code.count("'up'") and time.monotonic() < deadline:
        time.sleep(0.02)
    return record


def test_a_started_server_is_recorded_and_stopped_by_its_record(tmp_path: Path):
    record = start(tmp_path, WAIT)
    assert processes.read_record(tmp_path, "server") == record
    assert processes.is_alive(record)
    assert processes.stop(tmp_path, [record]) == ["server"]
    assert not processes.is_alive(record)
    assert processes.read_record(tmp_path, "server") is None


def test_a_process_id_that_belongs_to_somebody_else_now_is_never_signalled(tmp_path: Path):
    bystander = start(tmp_path, WAIT, "bystander")
    stale = Record("server", bystander.pid, bystander.started_at - 3600, [], str(tmp_path))
    assert not processes.is_alive(stale)
    assert processes.stop(tmp_path, [stale]) == []
    assert processes.is_alive(bystander)
    processes.stop(tmp_path, [bystander])


def test_workers_of_a_killed_leader_are_found_and_stopped(tmp_path: Path):
    record = start(tmp_path, FAMILY)
    os.kill(record.pid, signal.SIGKILL)
    os.waitpid(record.pid, 0)
    (worker,) = processes.family(record)
    processes.stop(tmp_path, [record])
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


def test_a_server_that_does_not_listen_is_ended_after_its_grace(tmp_path: Path):
    record = start(tmp_path, DEAF)
    started = time.monotonic()
    processes.stop(tmp_path, [record], grace_s=0.2)
    assert not processes.is_alive(record)
    assert time.monotonic() - started < 10


def test_a_damaged_record_counts_as_none(tmp_path: Path):
    (tmp_path / "server.json").write_text('{"name": "server"')
    assert processes.read_record(tmp_path, "server") is None


def test_a_second_command_is_told_who_works_and_a_later_one_may(tmp_path: Path):
    run = tmp_path / "run"
    run.mkdir()
    with processes.hold_lock(run, "run"), pytest.raises(AlreadyRunning, match=rf"make run \(process {os.getpid()}"):
        processes.hold_lock(run, "down").__enter__()
    with processes.hold_lock(run, "down"):
        pass


@pytest.fixture
def ctrl_c_counts() -> Iterator[None]:
    """Whoever starts the tests in the background makes them deaf to SIGINT; these are about a foreground."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_counts")
def test_ctrl_c_during_a_short_work_counts_after_it():
    done = []

    def work() -> None:
        with processes.undisturbed():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("whole")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done == ["whole"]


def test_the_end_of_a_log_is_shown_and_a_missing_one_is_no_error(tmp_path: Path):
    log = tmp_path / "log"
    log.write_text("\n".join(f"line {number}" for number in range(100)))
    assert processes.last_lines(log, 2) == "  line 98\n  line 99"
    assert processes.last_lines(tmp_path / "missing") == "  (no log)"
