"""Servers that outlive the command that started them: starting, recognising and stopping them by record alone.

A record holds the process id and when that process started, so that an id the system gave to somebody else is never
signalled. Every server leads its own session: its workers are found by it, even after the leader was killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

import psutil

from scripts.stack.errors import AlreadyRunning

# Set in the environment of every server: the proof that a process is ours, and whose home it serves.
MARK = "MULGIL_STACK_HOME"
# psutil derives start times from the boot time, which moves a little when the clock is set.
SAME_START_S = 3.0


@dataclass(frozen=True)
class Record:
    """One server that we started."""

    name: str
    pid: int
    started_at: float
    command: list[str]
    home: str
    fingerprint: str = ""


def _record_path(run: Path, name: str) -> Path:
    return run / f"{name}.json"


def read_record(run: Path, name: str) -> Record | None:
    """Return what was written about a server, or None; a damaged record counts as none."""
    try:
        return Record(**json.loads(_record_path(run, name).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def write_record(run: Path, record: Record) -> None:
    """Write a record; it appears whole or not at all."""
    path = _record_path(run, record.name)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(record)))
    draft.replace(path)


def forget(run: Path, name: str) -> None:
    """Remove a server's record."""
    _record_path(run, name).unlink(missing_ok=True)


def is_alive(record: Record) -> bool:
    """Say whether the recorded process itself, and no successor under its number, still runs."""
    try:
        process = psutil.Process(record.pid)
        is_same = abs(process.create_time() - record.started_at) < SAME_START_S
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def start(
    run: Path,
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    home: Path,
    fingerprint: str = "",
) -> Record:
    """Start a server in a session of its own, its output appended to a log, and record it.

    Args:
        run: folder of records.
        name: what to call the server.
        command: program and arguments.
        environment: all of its environment.
        log: where its output goes.
        home: whose server it is.
        fingerprint: what it was started with, for a later command to decide whether it may stay.
    """
    env = {**environment, MARK: str(home)}
    with log.open("ab") as output:
        output.write(f"\n--- {time.strftime('%Y-%m-%d %H:%M:%S')} {' '.join(command)}\n".encode())
        output.flush()
        child = subprocess.Popen(
            list(command),
            env=env,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal reaches the command, which decides for its servers
        )
    # Its life is the record's business from here on; Popen would warn about an unreaped child.
    child.returncode = 0
    record = Record(name, child.pid, psutil.Process(child.pid).create_time(), list(command), str(home), fingerprint)
    write_record(run, record)
    return record


def family(record: Record) -> list[psutil.Process]:
    """Return the living processes of a server's session that carry our mark and are not older than it."""
    members = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if os.getsid(process.pid) != record.pid or process.create_time() < record.started_at - SAME_START_S:
                continue
            if process.status() != psutil.STATUS_ZOMBIE and _is_ours(process, record):
                members.append(process)
    return members


def _is_ours(process: psutil.Process, record: Record) -> bool:
    """Say whether a process of the session is ours: the leader by its start, the others by what they inherited.

    Airflow's workers write their title over their environment; the folder they work in stays.
    """
    if process.pid == record.pid:
        return is_alive(record)
    return process.environ().get(MARK) == record.home or process.cwd() == record.home


def _signal(processes: list[psutil.Process], number: int) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(number)


def stop(
    run: Path, records: Sequence[Record], grace_s: float = 12.0, impatient: frozenset[str] = frozenset()
) -> list[str]:
    """Stop servers together: ask the leaders, wait, then end what is left of their sessions; return the names.

    Asking only the leader first lets Airflow's components say goodbye to their own workers and to the database.

    Args:
        run: folder of records.
        records: the servers.
        grace_s: how long leaders may take.
        impatient: servers whose workers are killed at once, because their leader would wait for them in vain.
    """
    alive = [record for record in records if is_alive(record)]
    for record in alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(record.pid, signal.SIGTERM)
    time.sleep(0.5 if impatient else 0)  # a leader that sees its worker die before its own signal calls it a crash
    for record in alive:
        if record.name in impatient:
            _signal([member for member in family(record) if member.pid != record.pid], signal.SIGKILL)
    deadline = time.monotonic() + grace_s
    while time.monotonic() < deadline and any(is_alive(record) for record in alive):
        _reap(alive)
        time.sleep(0.1)
    rest = [process for record in records for process in family(record)]
    _signal(rest, signal.SIGTERM)
    _, stubborn = psutil.wait_procs(rest, timeout=3)
    _signal(stubborn, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=3)
    _reap(alive)
    for record in records:
        forget(run, record.name)
    return [record.name for record in records if record in alive]


def _reap(records: Sequence[Record]) -> None:
    """Collect children of this very process that ended: they stay zombies otherwise."""
    for record in records:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(record.pid, os.WNOHANG)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Let a short piece of work finish before Ctrl-C counts: between starting a server and noting that it was started.

    Only in the main thread, where Python delivers signals.
    """
    arrived: list[tuple[int, FrameType | None]] = []
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = {number: signal.signal(number, lambda *event: arrived.append(event)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for number, frame in arrived[:1]:
            handler = handlers[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)


def read_records(run: Path, names: Sequence[str]) -> list[Record]:
    """Return the records that exist, in the order of the names."""
    found = (read_record(run, name) for name in names)
    return [record for record in found if record is not None]


def last_lines(log: Path, n_lines: int = 15) -> str:
    """Return the end of a log, indented, for an error message."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 20_000))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return "  (no log)"
    return "\n".join(f"  {line}" for line in lines[-n_lines:])


@contextlib.contextmanager
def hold_lock(run: Path, word: str) -> Iterator[None]:
    """Let one command at a time work on a home.

    Raises:
        AlreadyRunning: another holds the lock; the message says which, since when, and how to end it.
    """
    path = run / "lock"
    with path.open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the system frees it when its holder dies
        except OSError as error:
            handle.seek(0)
            holder = handle.read().strip() or "another make"
            raise AlreadyRunning(
                f"{holder} is working on {run.parent}. Wait for it, press Ctrl-C in its terminal, or send it "
                "the signal INT; then try again."
            ) from error
        handle.truncate(0)
        handle.write(f"make {word} (process {os.getpid()}, since {time.strftime('%H:%M:%S')})")
        handle.flush()
        try:
            yield
        finally:
            handle.truncate(0)
