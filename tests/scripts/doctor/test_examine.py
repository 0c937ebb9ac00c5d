"""The whole page: with the stack down, up, half dead and hanging; it always comes back."""

import contextlib
import json
import logging
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from include.warehouse import migrate
from scripts.doctor import __main__ as command
from scripts.doctor import examine as module
from scripts.doctor.examine import examine
from scripts.doctor.finding import Finding, Report, format_json, format_text
from scripts.doctor.place import find_place
from scripts.stack import databases, unprivileged
from scripts.stack import home as home_module
from scripts.stack.home import Home
from scripts.stack.keys import make_keys
from scripts.stack.postgres import EmbeddedPostgres


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    shared = Path(tempfile.mkdtemp(prefix="mulgil-shared-", dir=unprivileged.SHARED))
    shared.chmod(0o711)
    monkeypatch.setattr(unprivileged, "SHARED", shared)
    found = Home((tmp_path / "home").resolve())
    home_module.make_folders(found)
    monkeypatch.setenv("MULGIL_HOME", str(found.root))
    yield found
    shutil.rmtree(shared)


@contextlib.contextmanager
def postgres_of(home: Home) -> Iterator[EmbeddedPostgres]:
    keys = make_keys(home.secrets)
    with EmbeddedPostgres(home.postgres, keys.postgres_password, is_durable=False) as server:
        databases.prepare_databases(server, keys)
        migrate.upgrade(server.url(databases.WAREHOUSE, databases.WAREHOUSE_ROLE, keys.warehouse_password))
        yield server


def names(report: Report) -> set[str]:
    return {finding.look for finding in report.findings}


def test_a_home_where_nothing_was_started_is_asked_only_what_it_can_tell(home: Home):
    report = examine(find_place())
    assert names(report) == {"servers"}
    assert set(report.not_asked.values()) == {"nothing was started yet"}
    assert report.exit_code == 1


def test_a_stack_that_is_down_and_one_that_is_half_dead_are_told_apart(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    with postgres_of(home):
        with monkeypatch.context() as own:
            own.setattr(os, "environ", dict(os.environ))
            code = command.main(["--format", "json"])
        logging.disable(logging.NOTSET)
        said = json.loads(capsys.readouterr().out)
        assert (code, said["is_well"]) == (1, False)
        assert [finding["look"] for finding in said["findings"]] == ["servers"], said
        assert said["findings"][0]["what"].startswith("Servers ended: api-server")
        assert {"revision", "partitions", "lake"} <= set(said["fine"])
        assert set(said["not_asked"]) == {"dag files", "paused DAGs", "pending runs", "runs", "questions"}
    down = examine(find_place())
    assert down.findings[0].what == "The stack does not run"
    assert down.not_asked["partitions"] == "PostgreSQL does not run"


def test_a_postgres_that_takes_connections_and_says_nothing_is_named_in_time(home: Home):
    with postgres_of(home) as server:
        postmaster = psutil.Process(int((server.data_dir / "postmaster.pid").read_text().split()[0]))
        postmaster.send_signal(signal.SIGSTOP)
        try:
            started = time.monotonic()
            report = examine(find_place(), limit_s=20)
            assert time.monotonic() - started < 20
        finally:
            postmaster.send_signal(signal.SIGCONT)
    assert "database" in names(report)
    (finding,) = [finding for finding in report.findings if finding.look == "database"]
    assert "timeout" in finding.worst


def test_a_look_that_never_comes_back_is_left_behind_and_named(home: Home, monkeypatch: pytest.MonkeyPatch):
    forever = threading.Event()

    def hang(_: object) -> Iterator[Finding]:
        forever.wait()
        yield from ()

    monkeypatch.setitem(module._MACHINE, "disk", hang)
    report = examine(find_place(), limit_s=5)
    forever.set()
    assert "The look at disk did not come back within 5 s" in [finding.what for finding in report.findings]


def test_a_look_that_breaks_is_a_finding_and_keeps_what_it_found(home: Home, monkeypatch: pytest.MonkeyPatch):
    def break_down(_: object) -> Iterator[Finding]:
        yield Finding("disk", "A disk is full", 1, "x", "y")
        raise PermissionError(13, "Permission denied", "/lake")

    monkeypatch.setitem(module._MACHINE, "disk", break_down)
    report = examine(find_place())
    first, broken = [finding for finding in report.findings if finding.look == "disk"]
    assert first.what == "A disk is full"
    assert broken.what == "The look at disk broke off"
    assert broken.worst == "PermissionError: [Errno 13] Permission denied: '/lake'"
    assert "disk" not in report.not_asked


@pytest.mark.parametrize("query", ["SELECT no_such_column", None])
def test_a_fault_in_a_query_is_not_told_as_a_postgres_that_is_away(
    migrated_warehouse_url: str, monkeypatch: pytest.MonkeyPatch, mulgil_home: Path, query: str | None
):
    def ask(connection: psycopg.Connection) -> Iterator[Finding]:
        if query is None:
            raise TypeError("no such thing")
        connection.execute(query)
        yield from ()

    monkeypatch.setitem(module._WAREHOUSE, "batches", ask)
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", migrated_warehouse_url)
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", migrated_warehouse_url.replace("+psycopg", "+psycopg2"))
    (finding,) = examine(find_place()).findings
    assert (finding.look, finding.what) == ("batches", "The look at batches broke off")


def test_a_deployment_of_the_environment_is_asked_without_a_home(
    migrated_warehouse_url: str, monkeypatch: pytest.MonkeyPatch, mulgil_home: Path
):
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", migrated_warehouse_url)
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", migrated_warehouse_url.replace("+psycopg", "+psycopg2"))
    report = examine(find_place())
    assert report.findings == ()
    assert (report.where, report.exit_code) == ("the servers that the environment names", 0)
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", "postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert "database" in names(examine(find_place()))


def test_the_page_is_80_columns_wide_whatever_was_found():
    long = "x y " * 400
    finding = Finding("disk", long, 1234, long, "do " * 60)
    report = Report("/home/" + "deep/" * 60, (finding,), ("a",) * 90, {f"look {n}": long for n in range(30)})
    lines = format_text(report).splitlines()
    assert max(map(len, lines)) <= 80
    assert "(1,234)" in format_text(report)
    assert json.loads(format_json(report))["findings"][0]["n"] == 1234


def test_a_report_without_a_finding_is_well_and_one_without_a_look_is_not():
    assert "Nothing is wrong." in format_text(Report("x", (), ("disk",), {}))
    assert Report("x", (), ("disk",), {}).exit_code == 0
    assert Report("x", (), (), {"disk": "why"}).exit_code == 1
