"""What `make run` says where it does not come to its end, against a real PostgreSQL."""

import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import psutil
import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from include.warehouse.migrate import upgrade
from scripts.stack import databases, home, keys, run
from scripts.stack.errors import ComponentDied, LoopFailed, OutOfTime, StackError
from scripts.stack.home import Home
from scripts.stack.keeper import Keeper
from scripts.stack.loop import DagCounts, Loop, Snapshot
from scripts.stack.postgres import EmbeddedPostgres
from scripts.stack.progress import Progress
from scripts.stack.rest import Airflow
from scripts.stack.selection import Selection, broken_problems
from scripts.stack.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    found = Home(tmp_path / "home")
    home.make_folders(found)
    stack = Stack(found, keys.make_keys(found.secrets))
    stack.postgres = EmbeddedPostgres(found.postgres, stack.keys.postgres_password, is_durable=False)
    with stack.postgres:
        databases.prepare_databases(stack.postgres, stack.keys)
        yield stack


def end_postgres(stack: Stack) -> None:
    leader = psutil.Process(int((stack.postgres.data_dir / "postmaster.pid").read_text().splitlines()[0]))
    leader.kill()
    psutil.wait_procs([leader], timeout=20)


class Still(Loop):
    """A loop in which one run works and nothing comes further."""

    def snapshot(self) -> Snapshot:
        return Snapshot({"a__train": DagCounts(done=2, running=1, pending=3)})


class Watching(Keeper):
    """Looks after nothing: Airflow is not part of these tests."""

    def look(self) -> None:
        return


def test_a_database_that_dies_in_preparation_is_one_sentence_with_its_last_words(stack: Stack):
    def prepare() -> None:
        with run._naming_a_lost_database(stack):
            end_postgres(stack)
            upgrade(stack.addresses.warehouse_url)

    with pytest.raises(ComponentDied, match=r"(?s)PostgreSQL ended by itself. Its last lines .*server.log.*make run"):
        prepare()


def test_a_database_that_dies_under_airflows_preparation_is_named_and_not_what_it_broke(stack: Stack):
    def prepare() -> None:
        with run._naming_a_lost_database(stack):
            end_postgres(stack)
            raise StackError("Airflow's database could not be prepared. The last lines: Traceback")

    with pytest.raises(ComponentDied, match="PostgreSQL ended by itself"):
        prepare()


def test_a_connection_that_is_broken_off_is_one_sentence_while_the_server_runs(stack: Stack):
    def ask() -> None:
        with run._naming_a_lost_database(stack), stack.postgres.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(
        StackError, match=r"PostgreSQL broke off a connection \(terminating connection.*make run again"
    ) as told:
        ask()
    assert "\n" not in str(told.value)
    assert not isinstance(told.value, ComponentDied)


@pytest.mark.parametrize("error", [LoopFailed("3 runs failed"), OutOfTime("not at rest"), StackError("another reason")])
def test_other_refusals_keep_their_own_words(stack: Stack, error: StackError):
    with pytest.raises(type(error), match=str(error)), run._naming_a_lost_database(stack):
        raise error


def test_sqlalchemys_words_for_a_lost_server_are_understood_too(stack: Stack):
    with pytest.raises(StackError, match="PostgreSQL broke off a connection"), run._naming_a_lost_database(stack):
        raise OperationalError("SELECT 1", {}, psycopg.OperationalError("server closed the connection unexpectedly"))


def test_where_nothing_comes_further_the_sentence_says_what_works_and_how_to_look_again(stack: Stack):
    progress = Progress(io.StringIO())
    loop = Still(psycopg.connect, datetime.now(UTC))
    with pytest.raises(OutOfTime, match=r"1 runs work, 3 partitions wait.*run make run again, which restarts nothing"):
        run.wait_until_at_rest(stack, loop, Watching(stack, os.environ, progress), progress, patience_s=0.2)


def test_what_is_shown_at_the_end_has_the_summary_and_every_address(stack: Stack):
    upgrade(stack.addresses.warehouse_url)
    text = run._describe(stack, are_secrets_shown=False)
    assert "Which model is in production" in text
    assert stack.addresses.airflow_url in text
    assert stack.keys.user_passwords["admin"] not in text


def test_addresses_are_shown_also_where_the_summary_cannot_be_read(stack: Stack):
    text = run._describe(stack, are_secrets_shown=True)
    assert text.startswith("The summary could not be read")
    assert stack.keys.user_passwords["admin"] in text


def test_only_data_of_problems_that_have_a_file_is_dropped_into_landing(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    problems = tmp_path / "problems"
    problems.mkdir()
    (problems / "campaign.yaml").write_bytes((home.REPO / "include" / "problems" / "campaign.yaml").read_bytes())
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(problems))
    assert len(run.prepare_warehouse(stack, Selection(("ad_review",)))) == 1
    said = run.prepare_warehouse(stack, Selection(("ad_review", "campaign")))
    assert [line.partition(":")[0] for line in said[1:]] == ["campaign"]
    assert [path.name for path in stack.home.landing.iterdir() if not path.name.startswith(".")] == ["campaign"]


def test_only_selected_problems_are_started_and_forms_are_ready_for_everybody():
    class Client:
        def __init__(self) -> None:
            self.unpaused: list[str] = []
            self.triggered: list[str] = []

        def dags(self) -> list[dict[str, Any]]:
            names = ["campaign__land", "rollback", "signups__land", "signups__ingest", "campaign__ingest"]
            return [{"dag_id": name, "is_paused": name != "campaign__ingest"} for name in names]

        def unpause(self, dag_id: str) -> None:
            self.unpaused.append(dag_id)

        def trigger(self, dag_id: str) -> None:
            self.triggered.append(dag_id)

    client = Client()
    assert run.trigger(cast(Airflow, client), Selection(("campaign",))) == ["campaign"]
    assert (client.unpaused, client.triggered) == (["rollback", "campaign__land"], ["campaign__land"])


def test_a_strangers_broken_file_is_told_and_fails_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "signups.yaml").write_text("name: [")
    (tmp_path / "campaign.yaml").write_text("name: campaign")
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(tmp_path))
    assert broken_problems(Selection(("flight_delay",))) == []
    (told,) = broken_problems(Selection(("campaign",)))
    assert told.startswith("campaign.yaml: ")
