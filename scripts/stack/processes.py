"""Servers that outlive the command that started them: starting, recognising and stopping them by record alone.

A record holds the process id and what that process was born as, which no clock moves, so that an id the system gave to
somebody else is never signalled. Every server leads its own session: its workers are found by it, even after the leader
was killed. Nothing that finds them needs to look inside a process: Airflow's supervisors close that to their own user.
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
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Only for records of an earlier Mulgil, which knew no births: the boot time moves a little when the clock is set.
SAME_START_S = 3.0
# A session that forks while it is ended is looked at again; each look finds fewer.
MAX_LOOKS = 5


@dataclass(frozen=True)
class Record:
    """One server that we started.

    Attributes:
        name: what we call it.
        pid: of the process, which leads a session of the same number.
        started_at: seconds since 1970, by the clock of that moment.
        command: program and arguments.
        home: folder of the stack that it serves.
        fingerprint: what it was started with.
        birth: see `birth_of`; empty in records of an earlier Mulgil.
    """

    name: str
    pid: int
    started_at: float
    command: list[str]
    home: str
    fingerprint: str = ""
    birth: str = ""


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


def birth_of(pid: int) -> str:
    """Return what tells a process from every other that has or had its number here, whatever the clock says.

    On Linux the boot and the ticks since then at which it started; elsewhere the kernel notes the moment itself.

    Raises:
        psutil.NoSuchProcess: there is none.
    """
    try:
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
        return f"{BOOT_ID.read_text().strip()}:{ticks}"
    except (OSError, IndexError):
        return repr(psutil.Process(pid).create_time())


def has_number(record: Record) -> bool | None:
    """Say whether the recorded process still has its number, living or dead; None where nobody has it."""
    try:
        if record.birth:
            return birth_of(record.pid) == record.birth
        return abs(float(psutil.Process(record.pid).create_time()) - record.started_at) < SAME_START_S
    except psutil.Error:
        return None


def is_alive(record: Record) -> bool:
    """Say whether the recorded process itself, and no successor under its number, still runs."""
    try:
        return bool(has_number(record)) and psutil.Process(record.pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def started_at(record: Record) -> float:
    """Return when a living server started, by the clock as it stands now, in seconds since 1970.

    What a server writes down later carries the clock of that later moment; a record has the clock of an earlier one.
    """
    try:
        return psutil.Process(record.pid).create_time() if is_alive(record) else record.started_at
    except psutil.Error:
        return record.started_at


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
    moment, birth = psutil.Process(child.pid).create_time(), birth_of(child.pid)
    record = Record(name, child.pid, moment, list(command), str(home), fingerprint, birth)
    write_record(run, record)
    return record


def family(record: Record) -> list[psutil.Process]:
    """Return the living processes of a server's session.

    Needed is only what every user may know: session, owner, birth. The number of a session is given to no process
    while a member lives. Hence while the leader lives, all that is in its session is its own; when it is gone, the
    session may be another's that was given the number later and lost its leader, too: a member that can be looked into
    must carry our mark or work in our folder then.
    """
    has_leader = has_number(record)
    if has_leader is False:
        return []  # another process has the number, so that the session is its own
    return [process for process in psutil.process_iter() if _is_member(process, record, has_leader=bool(has_leader))]


def _is_member(process: psutil.Process, record: Record, *, has_leader: bool) -> bool:
    try:
        if os.getsid(process.pid) != record.pid or process.status() == psutil.STATUS_ZOMBIE:
            return False
        if not _is_signalled_by_us(process) or _is_older(process, record):
            return False
        return has_leader or _is_not_a_strangers(process, record)
    except (psutil.Error, OSError):
        return False


def _is_signalled_by_us(process: psutil.Process) -> bool:
    """Say whether a process is ours to end: this user's, whoever made it; root may end everybody's."""
    return os.geteuid() == 0 or process.uids().real == os.getuid()


def _is_older(process: psutil.Process, record: Record) -> bool:
    """Say whether a process was there before the server, or belongs to another life of this machine."""
    if not record.birth:
        return float(process.create_time()) < record.started_at - SAME_START_S
    boot, _, start = birth_of(process.pid).rpartition(":")
    own_boot, _, own_start = record.birth.rpartition(":")
    return boot != own_boot or float(start) < float(own_start)


def _is_not_a_strangers(process: psutil.Process, record: Record) -> bool:
    """Say whether nothing that a process shows speaks against it; one that is closed to us shows nothing.

    Airflow's workers write their title over their environment; the folder they work in stays.
    """
    try:
        return record.home in (process.environ().get(MARK), process.cwd())
    except (psutil.AccessDenied, PermissionError):
        return True


def listens(record: Record, port: int) -> bool:
    """Say whether a living server, or one of its workers, listens on a port of this machine."""
    for process in family(record):
        with contextlib.suppress(psutil.Error):
            for socket in process.net_connections("tcp"):
                if socket.status == psutil.CONN_LISTEN and socket.laddr.port == port:
                    return True
    return False


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
    _end_sessions(records)
    _reap(alive)
    for record in records:
        forget(run, record.name)
    return [record.name for record in records if record in alive]


def _end_sessions(records: Sequence[Record]) -> None:
    """End what is left of some sessions, asking first; again while there is anything, for they may fork meanwhile."""
    for look in range(MAX_LOOKS):
        rest = [process for record in records for process in family(record)]
        if not rest:
            return
        if look == 0:
            _signal(rest, signal.SIGTERM)
            _, rest = psutil.wait_procs(rest, timeout=3)
        _signal(rest, signal.SIGKILL)
        psutil.wait_procs(rest, timeout=3)


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
        for event, frame in arrived[:1]:
            handler = handlers[signal.Signals(event)]
            if callable(handler):
                handler(event, frame)


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
