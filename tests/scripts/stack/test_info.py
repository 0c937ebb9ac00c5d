"""What `make info` says, and what it says only where it was asked to."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest
from sqlalchemy import create_engine, insert, make_url

from include.warehouse.tables.runs import COVERAGE
from scripts.stack import home, info, keys
from scripts.stack.home import Home
from scripts.stack.stack import Stack


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    found = Home(tmp_path / "home")
    home.make_folders(found)
    stack = Stack(found, keys.make_keys(found.secrets))
    stack.airflow_port, stack.postgres.port = 8081, 54329
    return stack


def secrets_of(stack: Stack) -> set[str]:
    return {*stack.keys.user_passwords.values(), stack.keys.bi_password, stack.keys.warehouse_password}


def said(stack: Stack, **flags: Any) -> tuple[str, str]:
    facts: dict[str, Any] = info.build_info(stack, **flags)
    return info.format_text(facts), info.format_json(facts)


def test_json_with_secrets_is_all_that_a_program_needs(stack: Stack):
    facts = json.loads(info.format_json(info.build_info(stack, are_secrets_shown=True, is_owner_shown=True)))
    assert facts["airflow_url"] == "http://127.0.0.1:8081"
    assert facts["warehouse_url"] == stack.addresses.warehouse_url
    assert facts["bi_url"] == f"postgresql+psycopg://bi_reader:{stack.keys.bi_password}@127.0.0.1:54329/mulgil"
    assert facts["lake_url"] == str(stack.home.lake)
    assert {"name": "reviewer", "password": stack.keys.user_passwords["reviewer"], "role": "Reviewer"} in facts["users"]


def test_no_password_is_said_where_none_was_asked_for(stack: Stack):
    for text in said(stack, are_secrets_shown=False):
        assert [secret for secret in secrets_of(stack) if secret in text] == []
        assert "bi_reader@127.0.0.1:54329/mulgil" in text
    assert "passwords not shown here: make info on a terminal" in said(stack, are_secrets_shown=False)[0]


def test_a_terminal_reads_passwords_of_people_and_not_that_of_the_owner(stack: Stack):
    text, _ = said(stack, are_secrets_shown=True)
    assert [secret for secret in secrets_of(stack) if secret not in text] == [stack.keys.warehouse_password]


def test_text_names_what_does_not_run_and_the_engine(stack: Stack):
    assert "not running: postgresql, api-server, scheduler" in said(stack, are_secrets_shown=True)[0]
    assert "Engine     none yet" in said(stack, are_secrets_shown=True)[0]
    (stack.home.run / "engine").write_text("spark")
    assert "Engine     spark" in said(stack, are_secrets_shown=True)[0]


def test_what_waits_longest_is_named_for_each_dag(stack: Stack):
    row = {"dag_id": "p__ingest", "partition_key": "2026-02", "status": "failed", "n_waiting": 3, "n_failed": 1}
    waiting = [row | {"since_utc": "2026-03-01 04:05"}]
    text, as_json = said(stack, are_secrets_shown=False, waiting=waiting)
    assert "    p__ingest: 2026-02 (failed since 2026-03-01 04:05 UTC), 3 in all, 1 failed" in text
    assert json.loads(as_json)["waiting"] == waiting
    assert "Waiting    nothing" in said(stack, are_secrets_shown=False, waiting=[])[0]
    assert "Waiting" not in said(stack, are_secrets_shown=False)[0]


def test_where_no_warehouse_answers_nobody_knows_what_waits(stack: Stack):
    assert info.read_waiting(stack) is None


def test_what_waits_is_read_from_the_warehouse(migrated_warehouse_url: str):
    engine = create_engine(migrated_warehouse_url)
    row = {"problem": "p", "stage": "ingest", "partition_key": "2026-02", "status": "running", "n_failures": 0}
    with engine.begin() as connection:
        connection.execute(insert(COVERAGE), [row | {"updated_at_utc": datetime(2026, 3, 1, tzinfo=UTC)}])
    engine.dispose()
    url = make_url(migrated_warehouse_url).set(drivername="postgresql").render_as_string(hide_password=False)
    postgres = SimpleNamespace(connect=lambda database: psycopg.connect(url))
    [found] = info.read_waiting(cast(Stack, SimpleNamespace(postgres=postgres))) or []
    assert (found["dag_id"], found["partition_key"], found["n_waiting"]) == ("p__ingest", "2026-02", 1)
    assert found["since_utc"] == "2026-03-01 00:00"
