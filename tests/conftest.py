"""What every test may count on: no network, fixed seeds, a clean environment, and a real PostgreSQL for who asks.

One server serves a whole test session, also when pytest-xdist splits it over processes; each test that asks gets a
database of its own, made in a tenth of a second and dropped afterwards. It ends with the session, however that ends.
"""

from __future__ import annotations

import fcntl
import gc
import ipaddress
import os
import random
import secrets
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import psutil
import pytest

from scripts.stack import guardian
from scripts.stack.postgres import EmbeddedPostgres

SEED = 20130101
ROLE = "mulgil"
FOLDER_PREFIX = "mulgil-test-"
# Tests of real data outside the repository are told where it is by variables of this prefix.
KEPT_PREFIX = "MULGIL_TEST_"

hypothesis.settings.register_profile(
    # The same examples on every machine, and no verdict about how fast it is.
    "mulgil",
    derandomize=True,
    deadline=None,
    database=None,
)
hypothesis.settings.load_profile("mulgil")


# ---------------------------------------------------------------- the session


def pytest_configure(config: pytest.Config) -> None:
    """Clean the environment, switch the network off, and say where this session's server will be."""
    for name in list(os.environ):
        if name.startswith(("MULGIL_", "AIRFLOW")) and not name.startswith(KEPT_PREFIX):
            del os.environ[name]
    _switch_network_off()
    shared: dict[str, str] | None = getattr(config, "workerinput", {}).get("postgres")
    config.stash[_SERVER] = shared or {"folder": "", "password": secrets.token_hex(12)}
    if shared is None:
        _remove_leftovers()
        config.stash[_SERVER]["folder"] = tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{os.getpid()}-")
        folder = Path(config.stash[_SERVER]["folder"])
        folder.chmod(0o711)  # as root, another user runs the server in it
        config.stash[_GUARDIAN] = guardian.watch_over(os.getpid(), folder / "postgres", [folder])


def pytest_collection_finish() -> None:
    """Let the collector look at what tests make, and not again and again at a million objects of imports."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker which server it shares."""
    node.workerinput["postgres"] = dict(node.config.stash[_SERVER])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server when the last test is over; workers leave it to the process that started them."""
    if _SERVER in config.stash and not hasattr(config, "workerinput"):
        folder = Path(config.stash[_SERVER]["folder"])
        guardian.clear_up(folder / "postgres", [folder])
        guardian.dismiss(config.stash[_GUARDIAN])


_SERVER = pytest.StashKey[dict[str, str]]()
_GUARDIAN = pytest.StashKey[subprocess.Popen[bytes]]()


def _remove_leftovers() -> None:
    """Clear up after sessions whose guardian was killed, too: their folders name a process that is no more."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*"):
        pid = folder.name.removeprefix(FOLDER_PREFIX).partition("-")[0]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)) and os.access(folder, os.W_OK):
            guardian.clear_up(folder / "postgres", [folder])


# ---------------------------------------------------------------- no network


def _is_local(address: object) -> bool:
    """Say whether a socket address stays on this machine."""
    if not isinstance(address, tuple):
        return True  # a path: a Unix socket
    host = str(address[0])
    if host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False  # a name; whoever answers to it is elsewhere


def _switch_network_off() -> None:
    """Refuse every connection that would leave this machine, in this process."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    if getattr(connect, "is_guarded", False):
        return

    def refuse_elsewhere(address: object) -> None:
        if not _is_local(address):
            raise RuntimeError(f"A test tried to reach {address!r}. Tests use a server on 127.0.0.1, or saved data.")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        refuse_elsewhere(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        refuse_elsewhere(address)
        return connect_ex(self, address)

    guarded_connect.is_guarded = True  # type: ignore[attr-defined]
    socket.socket.connect = guarded_connect  # type: ignore[method-assign]
    socket.socket.connect_ex = guarded_connect_ex  # type: ignore[method-assign]


# ---------------------------------------------------------------- for each test


@pytest.fixture(autouse=True)
def _fixed_seeds() -> None:
    random.seed(SEED)
    np.random.seed(SEED)


@pytest.fixture
def mulgil_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty home, and set MULGIL_HOME to it."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("MULGIL_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> EmbeddedPostgres:
    """Give the PostgreSQL server of this test session; the first who asks starts it."""
    shared = request.config.stash[_SERVER]
    folder = Path(shared["folder"])
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = EmbeddedPostgres(folder / "postgres", shared["password"], is_durable=False)
        if server.start():
            server.create_role(ROLE, shared["password"])
    return server


@pytest.fixture(scope="session")
def _database_names() -> Iterator[str]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    return (f"test_{worker}_{number}" for number in count())


@pytest.fixture
def warehouse_url(postgres_server: EmbeddedPostgres, _database_names: Iterator[str]) -> Iterator[str]:
    """Give the SQLAlchemy URL of an empty database, owned by the role that uses it, as in the embedded stack."""
    name = next(_database_names)
    postgres_server.create_database(name, ROLE)
    yield postgres_server.url(name, ROLE)
    postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def _tables_template(postgres_server: EmbeddedPostgres, _database_names: Iterator[str]) -> str:
    from sqlalchemy import create_engine, text

    from include.names import CORE
    from include.warehouse.tables import METADATA

    name = f"{next(_database_names)}_tables"
    postgres_server.create_database(name, ROLE)
    engine = create_engine(postgres_server.url(name, ROLE))
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {CORE}"))
        METADATA.create_all(connection)
    engine.dispose()  # a template may have no guests
    return name


@pytest.fixture
def tables_url(
    postgres_server: EmbeddedPostgres, _tables_template: str, _database_names: Iterator[str]
) -> Iterator[str]:
    """Give the URL of a warehouse of tables alone: a copy, six times faster than making each table again."""
    name = next(_database_names)
    postgres_server.create_database(name, ROLE, template=_tables_template)
    yield postgres_server.url(name, ROLE)
    postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def _migrated_template(postgres_server: EmbeddedPostgres, _database_names: Iterator[str]) -> str:
    from include.warehouse import migrate

    name = f"{next(_database_names)}_template"
    postgres_server.create_database(name, ROLE)
    migrate.upgrade(postgres_server.url(name, ROLE))
    return name


@pytest.fixture
def migrated_warehouse_url(
    postgres_server: EmbeddedPostgres, _migrated_template: str, _database_names: Iterator[str]
) -> Iterator[str]:
    """Give the URL of a warehouse with all tables and views and no rows: a copy, much faster than migrating again."""
    name = next(_database_names)
    postgres_server.create_database(name, ROLE, template=_migrated_template)
    yield postgres_server.url(name, ROLE)
    postgres_server.drop_database(name)


@pytest.fixture(scope="module")
def module_warehouse_url(
    postgres_server: EmbeddedPostgres, _migrated_template: str, _database_names: Iterator[str]
) -> Iterator[str]:
    """Give the URL of a migrated warehouse that the tests of one file share; they empty what they fill."""
    name = next(_database_names)
    postgres_server.create_database(name, ROLE, template=_migrated_template)
    yield postgres_server.url(name, ROLE)
    postgres_server.drop_database(name)


@pytest.fixture
def s3_server() -> Iterator[tuple[str, int]]:
    """Give host and port of an S3 server without a bucket. Its state is the process's: all is forgotten afterwards."""
    from moto.moto_api._internal import moto_api_backend
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    yield server.get_host_and_port()
    server.stop()
    moto_api_backend.reset()
