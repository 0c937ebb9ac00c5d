"""Servers by their records: recognised, never mistaken, stopped with everything they started."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
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
    wait_for(log, code.count("'up'"))
    return record


def wait_for(log: Path, n_up: int) -> None:
    """Wait until so many processes have said that they are up."""
    deadline = time.monotonic() + 20
    while log.read_text().count("\nup") < n_up and time.monotonic() < deadline:
        time.sleep(0.02)


def test_a_started_server_is_recorded_and_stopped_by_its_record(tmp_path: Path):
    record = start(tmp_path, WAIT)
    assert processes.read_record(tmp_path, "server") == record
    assert processes.is_alive(record)
    assert processes.stop(tmp_path, [record]) == ["server"]
    assert not processes.is_alive(record)
    assert processes.read_record(tmp_path, "server") is None


def test_a_process_id_that_belongs_to_somebody_else_now_is_never_signalled(tmp_path: Path):
    bystander = start(tmp_path, WAIT, "bystander")
    stale = Record("server", bystander.pid, bystander.started_at - 3600, [], str(tmp_path))  # of an earlier Mulgil
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


# ---------------------------------------------------------------- whose a process is, without looking into it

# A program that its user may run but not read is closed to that user, as Airflow's supervisors are; it works elsewhere.
CLOSED_FAMILY = "(cd / && exec {sleep} 60) & while [ -r /proc/$!/environ ]; do :; done; echo up; wait"


def stop_a_closed_worker(folder: Path, *, is_leader_killed: bool) -> str:
    """Start a leader with a worker that is closed to us, stop them, and say what became of the worker."""
    log = folder / f"{is_leader_killed}.log"
    command = ["/bin/sh", "-c", CLOSED_FAMILY.format(sleep=folder / "sleep")]
    record = processes.start(folder, "server", command, {"PATH": "/usr/bin:/bin"}, log, folder)
    wait_for(log, 1)
    if is_leader_killed:
        os.kill(record.pid, signal.SIGKILL)
        os.waitpid(record.pid, 0)
    (closed,) = [member for member in processes.family(record) if member.pid != record.pid]
    try:
        return f"open to its user: {closed.cwd()}"
    except psutil.AccessDenied:
        processes.stop(folder, [record], grace_s=1)
    return "lives on" if closed.is_running() and closed.status() != psutil.STATUS_ZOMBIE else "stopped"


def do_as(uid: int | None, work: Callable[[], str]) -> str:
    """Return what some work says that is done as another user, in a process of its own."""
    if uid is None:
        return work()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            said = work()
        except BaseException as error:
            said = repr(error)
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as answer:
        return answer.read()


@pytest.fixture
def ordinary_user() -> Iterator[int | None]:
    """A user of the system who is not root, made for this test; None where we are such a user ourselves."""
    if os.geteuid() != 0:
        yield None
        return
    name = f"mulgil-test-{os.getpid()}"
    subprocess.run(["useradd", "--no-create-home", name], check=True)
    yield pwd.getpwnam(name).pw_uid
    subprocess.run(["userdel", "--force", name], check=True)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux closes a process to its own user")
def test_an_ordinary_user_stops_workers_that_are_closed_to_it(ordinary_user: int | None):
    folder = Path(tempfile.mkdtemp(prefix="mulgil-closed-"))  # unlike pytest's folders, it can be given away
    try:
        shutil.copy(shutil.which("sleep") or "/bin/sleep", folder / "sleep")
        (folder / "sleep").chmod(0o111)
        if ordinary_user is not None:
            os.chown(folder, ordinary_user, -1)
        said = [
            do_as(ordinary_user, partial(stop_a_closed_worker, folder, is_leader_killed=is_killed))
            for is_killed in (False, True)
        ]
        assert said == ["stopped", "stopped"]
    finally:
        shutil.rmtree(folder)


def test_a_clock_that_is_set_changes_nothing_about_whose_a_process_is(tmp_path: Path):
    record = start(tmp_path, FAMILY)
    later = replace(record, started_at=record.started_at - 7 * 86_400)
    assert processes.is_alive(later)
    assert len(processes.family(later)) == 2
    assert abs(processes.started_at(later) - record.started_at) < 5
    assert processes.stop(tmp_path, [later]) == ["server"]
    assert not processes.is_alive(record)


def test_a_number_of_another_boot_is_never_signalled(tmp_path: Path):
    bystander = start(tmp_path, WAIT, "bystander")
    _, _, ticks = bystander.birth.rpartition(":")
    stale = replace(bystander, name="server", birth=f"another-boot:{ticks}")
    assert processes.stop(tmp_path, [stale]) == []
    assert processes.is_alive(bystander)
    processes.stop(tmp_path, [bystander])


def test_a_session_that_got_the_number_later_and_lost_its_leader_is_left_alone(tmp_path: Path):
    (tmp_path / "theirs").mkdir()
    stranger = processes.start(
        tmp_path, "stranger", [sys.executable, "-c", FAMILY], {}, tmp_path / "stranger.log", tmp_path / "theirs"
    )
    wait_for(tmp_path / "stranger.log", 2)
    os.kill(stranger.pid, signal.SIGKILL)
    os.waitpid(stranger.pid, 0)
    boot, _, ticks = stranger.birth.rpartition(":")
    ours = replace(stranger, name="server", birth=f"{boot}:{int(ticks) - 100}", home=str(tmp_path))
    assert processes.family(ours) == []
    (orphan,) = processes.family(stranger)
    processes.stop(tmp_path, [ours])
    assert orphan.is_running()
    processes.stop(tmp_path, [stranger])


def test_a_record_of_an_earlier_mulgil_is_still_recognised(tmp_path: Path):
    record = start(tmp_path, WAIT)
    processes.write_record(tmp_path, replace(record, birth=""))
    (known,) = processes.read_records(tmp_path, ["server"])
    assert processes.stop(tmp_path, [known]) == ["server"]
