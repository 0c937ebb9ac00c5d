"""One embedded stack, from its folder to its addresses: starting, and stopping again what was started.

What belongs here: the order of starting. What does not: letting DAGs run (`run.py`), and words on the command line.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from include.problems.reading import load_problems
from scripts.stack import airflow, components, databases, processes, roles
from scripts.stack.airflow import Addresses
from scripts.stack.errors import ComponentDied, StackError
from scripts.stack.home import Home
from scripts.stack.keys import USERS, Keys, read_keys
from scripts.stack.ports import chosen_port
from scripts.stack.postgres import EmbeddedPostgres
from scripts.stack.rest import Airflow


class Stack:
    """One home's servers.

    Args:
        home: its folders.
        keys: its secrets.
    """

    def __init__(self, home: Home, keys: Keys) -> None:
        self.home = home
        self.keys = keys
        self.postgres = EmbeddedPostgres(home.postgres, keys.postgres_password, _read_ports(home).get("postgres"))
        self.airflow_port = _read_ports(home).get("airflow")
        self.started_postgres = False
        self.started_components: list[str] = []
        self._preparing: subprocess.Popen[bytes] | None = None

    @property
    def addresses(self) -> Addresses:
        """Where everything listens, once the ports are known."""
        metadata = self.postgres.url(databases.METADATA, databases.METADATA_ROLE, self.keys.airflow_database_password)
        return Addresses(
            airflow_port=self.airflow_port or airflow.DEFAULT_PORT,
            # Airflow 3.3 speaks psycopg2 here; asyncpg beside it.
            metadata_url=metadata.replace("+psycopg", "+psycopg2"),
            warehouse_url=self.postgres.url(
                databases.WAREHOUSE, databases.WAREHOUSE_ROLE, self.keys.warehouse_password
            ),
            bi_url=self.postgres.url(databases.WAREHOUSE, databases.BI_ROLE, self.keys.bi_password),
        )

    @property
    def client(self) -> Airflow:
        """A client of this Airflow, as its administrator."""
        return Airflow(self.addresses.airflow_url, self.keys.user_passwords["admin"], self.answers_itself)

    def answers_itself(self) -> bool:
        """Say whether it is this stack's own api-server that listens on the port: another gets no password from us."""
        record = processes.read_record(self.home.run, "api-server")
        return record is not None and processes.listens(record, self.addresses.airflow_port)

    def environment(self, *, is_demo_reviewer_on: bool) -> dict[str, str]:
        """Return the environment of Airflow's components."""
        return airflow.airflow_environment(
            self.home, self.keys, self.addresses, is_demo_reviewer_on=is_demo_reviewer_on
        )

    def start_postgres(self) -> None:
        """Start the server, and make sure that both databases and their owners exist."""
        with processes.undisturbed():
            self.started_postgres = self.postgres.start()
        _write_ports(self.home, postgres=self.postgres.port)
        databases.prepare_databases(self.postgres, self.keys)

    def restart_postgres(self) -> None:
        """Start the server again where it was: all that runs was told that port.

        Raises:
            ComponentDied: it does not start, or only on another port.
        """
        before = self.postgres.port
        with processes.undisturbed():
            self.postgres.start()
        if self.postgres.port != before:
            _write_ports(self.home, postgres=self.postgres.port)
            raise ComponentDied(
                f"PostgreSQL ended by itself, and another program has its port {before} now. Run make down, then make "
                "run: everything starts on free ports."
            )

    @contextlib.contextmanager
    def with_airflow_port(self) -> Iterator[None]:
        """Keep the port of a living api-server; else take a free one, which is reserved until the work inside ends.

        Raises:
            PortTaken: see `ports.chosen_port`.
        """
        record = processes.read_record(self.home.run, "api-server")
        if record is not None and processes.is_alive(record) and self.airflow_port is not None:
            yield
            return
        with chosen_port(airflow.PORT_VARIABLE, airflow.DEFAULT_PORT, self.airflow_port) as self.airflow_port:
            _write_ports(self.home, airflow=self.airflow_port)
            yield

    def prepare_metadata(self, environment: dict[str, str]) -> Callable[[], bool]:
        """Begin to migrate Airflow's database and make its users; return a function that waits for the end.

        The waiting function says whether there was anything to do, and raises StackError where it failed.
        """
        users = [{"name": n, "role": r, "password": self.keys.user_passwords[n]} for n, r in USERS.items()]
        wanted = _metadata_stamp(users)
        if self._metadata_stamp() == wanted:
            return lambda: False
        log = self.home.log("metadata")
        with log.open("ab") as output:
            child = subprocess.Popen(
                [sys.executable, "-m", "scripts.stack.metadata"],
                env=environment,
                cwd=self.home.root,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for this command, which then stops it
            )
        self._preparing = child

        def wait() -> bool:
            child.communicate(json.dumps({"users": users}).encode())
            if child.returncode != 0:
                raise StackError(
                    f"Airflow's database could not be prepared. The last lines ({log}):\n{processes.last_lines(log)}"
                )
            self._write_metadata_stamp(wanted)
            return True

        return wait

    def start_airflow(self, environment: dict[str, str]) -> None:
        """Start the components that do not run as they should."""
        with processes.undisturbed():
            started = components.start_missing(self.home, environment)
            self.started_components += [name for name in started if name not in self.started_components]
            _engine_file(self.home).write_text(environment.get("MULGIL_ENGINE") or "duckdb")

    def stop_started(self) -> None:
        """Stop what this object started, and nothing else."""
        if self._preparing is not None and self._preparing.poll() is None:
            self._preparing.kill()
            self._preparing.communicate()
        components.stop(self.home, self.started_components)
        if self.started_postgres:
            self.postgres.stop()

    def stop_all(self) -> list[str]:
        """Stop everything that is recorded; return the names of what ran."""
        stopped = components.stop(self.home)
        if self.postgres.stop():
            stopped.append("PostgreSQL")
        return stopped

    @property
    def engine(self) -> str:
        """The engine that Airflow's components were started with; empty before their first start."""
        try:
            return _engine_file(self.home).read_text()
        except OSError:
            return ""

    def running(self) -> dict[str, bool]:
        """Return which servers run."""
        records = {record.name: record for record in processes.read_records(self.home.run, components.NAMES)}
        states = {name: name in records and processes.is_alive(records[name]) for name in components.NAMES}
        return {"postgresql": self.postgres.is_running(), **states}

    def _metadata_stamp(self) -> str | None:
        with self.postgres.connect() as connection:
            query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
            row = connection.execute(query, (databases.METADATA,)).fetchone()
        return row[0] if row else None

    def _write_metadata_stamp(self, stamp: str) -> None:
        # In the database itself, so that the note disappears with what it is about.
        with self.postgres.connect() as connection:
            connection.execute(f"COMMENT ON DATABASE {databases.METADATA} IS '{stamp}'")


def open_stack(home: Home) -> Stack:
    """Return the stack of a home that has been started before.

    Raises:
        StackError: it never was.
    """
    if not home.secrets.exists():
        raise StackError(f"Nothing was started yet in {home.root}. Start it with make run.")
    return Stack(home, read_keys(home.secrets))


def _metadata_stamp(users: list[dict[str, str]]) -> str:
    """Return a hash of what the metadata database must have been prepared for."""
    from importlib.metadata import version

    editable = roles.editable_dags(load_problems()[0])
    parts = [version("apache-airflow-core"), version("apache-airflow-providers-fab"), users, editable]
    return f"mulgil {hashlib.sha256(json.dumps(parts).encode()).hexdigest()}"


def _engine_file(home: Home) -> Path:
    return home.run / "engine"


def _ports_file(home: Home) -> Path:
    return home.root / "ports.json"


def _read_ports(home: Home) -> dict[str, int]:
    try:
        ports = json.loads(_ports_file(home).read_text())
        return {str(name): int(port) for name, port in ports.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _write_ports(home: Home, **ports: int | None) -> None:
    merged = {**_read_ports(home), **ports}
    draft = _ports_file(home).with_suffix(".new")
    draft.write_text(json.dumps(merged))
    draft.replace(_ports_file(home))
