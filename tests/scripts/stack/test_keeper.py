"""Starting again what ends while a command waits."""

import io
import itertools
import os
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import psutil
import pytest

from scripts.stack import airflow, components, home, keeper, keys, postgres, processes
from scripts.stack.errors import ComponentDied
from scripts.stack.home import Home
from scripts.stack.keeper import Keeper
from scripts.stack.postgres import EmbeddedPostgres
from scripts.stack.progress import Progress
from scripts.stack.stack import Stack

WAIT = "import time; print('up', flush=True); time.sleep(60)"


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A stack whose components are programs that wait, beside a real PostgreSQL."""
    monkeypatch.setattr(airflow, "component_command", lambda name: [sys.executable, "-c", WAIT, name])
    found = Home(tmp_path / "home")
    home.make_folders(found)
    stack = Stack(found, keys.make_keys(found.secrets))
    stack.postgres = EmbeddedPostgres(found.postgres, stack.keys.postgres_password, is_durable=False)
    with stack.postgres:
        stack.start_airflow(dict(os.environ))
        yield stack
        components.stop(found)


def kill(pid: int) -> None:
    """End a process, and return when it is gone."""
    process = psutil.Process(pid)
    process.kill()
    psutil.wait_procs([process], timeout=20)


def pids(stack: Stack) -> dict[str, int]:
    return {record.name: record.pid for record in processes.read_records(stack.home.run, components.NAMES)}


def test_one_component_that_is_killed_is_started_again_and_the_others_stay(stack: Stack):
    told = io.StringIO()
    before = pids(stack)
    kill(before["scheduler"])
    Keeper(stack, os.environ, Progress(told)).look()
    after = pids(stack)
    assert {name for name in after if after[name] != before[name]} == {"scheduler"}
    assert all(stack.running().values())
    assert "scheduler ended and was started again" in told.getvalue()


def test_nothing_is_started_or_said_while_all_runs(stack: Stack):
    told = io.StringIO()
    before = pids(stack)
    Keeper(stack, os.environ, Progress(told)).look()
    assert pids(stack) == before
    assert told.getvalue() == ""


def test_a_component_that_ends_again_and_again_is_given_up_with_its_last_words(stack: Stack):
    looking = Keeper(stack, os.environ, Progress(io.StringIO()))
    for _ in range(keeper.MAX_RESTARTS):
        kill(pids(stack)["triggerer"])
        looking.look()
    kill(pids(stack)["triggerer"])
    with pytest.raises(ComponentDied, match=r"(?s)triggerer ended 4 times within 2 minutes.*triggerer.log.*make run"):
        looking.look()


def test_one_kill_a_minute_is_borne_for_ever(stack: Stack):
    minutes = itertools.count()
    looking = Keeper(stack, os.environ, Progress(io.StringIO()), clock=lambda: 60.0 * next(minutes))
    for _ in range(2 * keeper.MAX_RESTARTS):
        kill(pids(stack)["triggerer"])
        looking.look()
    assert len(pids(stack)) == len(components.NAMES)


def test_postgresql_is_looked_at_first_and_comes_back_where_it_was(stack: Stack, monkeypatch: pytest.MonkeyPatch):
    port = stack.postgres.port
    monkeypatch.setattr(postgres, "any_port", lambda: nullcontext(port))  # a stack takes that of last time
    leader = int((stack.postgres.data_dir / "postmaster.pid").read_text().splitlines()[0])
    kill(leader)
    kill(pids(stack)["api-server"])
    told = io.StringIO()
    Keeper(stack, os.environ, Progress(told)).look()
    assert stack.postgres.port == port
    assert all(stack.running().values())
    first, second = told.getvalue().splitlines()
    assert "PostgreSQL ended by itself and was started again" in first
    assert "api-server" in second
