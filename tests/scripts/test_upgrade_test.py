"""What can be asked of `make upgrade-test` without two releases: its commands, its questions, and its late records."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Boolean, Connection, DateTime, Float, Integer, Table, create_engine, insert, text
from sqlalchemy.dialects.postgresql import JSONB

from include.problems.reading import load_problem
from include.warehouse.tables.learning import MODEL_EVENT, MODEL_VERSION, SCORED_PARTITION
from include.warehouse.tables.quality import PARTITION_AUDIT
from include.warehouse.tables.review import LABEL, REVIEW_BATCH
from scripts import drop_logs, upgrade_test
from scripts.stack.home import Home
from scripts.upgrade_test import Failed, Release, clean_environment

NOW = datetime(2013, 1, 1, tzinfo=UTC)
HOME = Home(Path("/nowhere/home"))


def release(folder: Path, recipe: str) -> Release:
    (folder / "Makefile").write_text(f"run:\n\t@{recipe}\n")
    return Release(folder, Home(folder / "home"), folder / "log")


def test_a_release_is_told_its_home_and_nothing_of_another_stack():
    asked = {"MULGIL_WAREHOUSE_URL": "x", "MAKEFLAGS": "s", "AIRFLOW_HOME": "x", "PATH": "/bin"}
    assert clean_environment(asked, HOME) == {
        "PATH": "/bin",
        "MULGIL_HOME": "/nowhere/home",
        "MULGIL_DEADLINE_MINUTES": "40",
    }


def test_a_target_that_fails_is_told_with_its_last_words(tmp_path: Path):
    release(tmp_path, "echo $$MULGIL_HOME").make("run")
    with pytest.raises(Failed, match=r"make run .* failed \(2\):(?s:.)*no such month"):
        release(tmp_path, "echo no such month; exit 1").make("run")
    assert (tmp_path / "log").read_text().startswith(str(tmp_path / "home"))


def test_a_target_that_never_ends_is_ended(tmp_path: Path):
    hanging = release(tmp_path, "echo $$$$ > pid; exec tail -f /dev/null")
    with pytest.raises(Failed, match="took longer than 0 minutes"):
        hanging.make("run", limit_s=0.5)
    assert not (tmp_path / "pid").exists() or not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


def test_a_commit_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(Failed, match=r"checkout --quiet no-such-commit failed: .*no-such-commit"):
        upgrade_test.run_before(tmp_path, "no-such-commit", print)
    assert not (tmp_path / "before.json").exists()


def test_late_records_fall_into_the_last_month_that_the_file_allows(tmp_path: Path):
    n_records = upgrade_test.land_late(tmp_path)
    records = upgrade_test.late_records()
    source = load_problem("flight_delay").source
    moments = [datetime.fromisoformat(record["scheduled_at"]) for record in records]
    assert n_records == len(records) == len({record["flight_id"] for record in records}) > 500
    assert {moment.strftime("%Y-%m") for moment in moments} == {upgrade_test.LATE_PARTITION}
    assert source.latest is not None
    assert max(moments) < source.latest.replace(tzinfo=UTC)
    known = {json.loads(line)["flight_id"] for _, lines, _ in _last_objects() for line in lines.splitlines()}
    assert not known & {record["flight_id"] for record in records}
    assert (tmp_path / "flight_delay" / upgrade_test.LATE_KEY).is_file()


def _last_objects() -> list[tuple[str, str, int]]:
    return list(drop_logs.make_objects("flight_delay", drop_logs.DATA))[-2:]


@pytest.fixture
def connection(tables_url: str) -> Iterator[Connection]:
    engine = create_engine(tables_url)
    with engine.connect() as connection:
        yield connection
        connection.rollback()
    engine.dispose()


def test_an_empty_warehouse_did_not_go_on_in_any_respect(connection: Connection):
    assert upgrade_test.goes_on(connection, 0) == list(upgrade_test.GOES_ON)
    assert upgrade_test.goes_on(connection, 7)[0] == "flight_delay 2014-01 has 0 published rows, not 7"


def test_each_thing_that_did_not_go_on_is_named_alone(connection: Connection):
    audit = {"n_in": 7, "n_published": 7, "n_quarantined": 0, "n_duplicate": 0, "n_refused": 0, "n_withdrawn": 0}
    flights = {"problem": "flight_delay", "partition_key": "2014-01", "model_version": "2013-12-abc"}
    batch = {"problem": "ad_review", "batch_id": "round-006", "n_items": 1}
    rows: dict[str, tuple[Table, dict[str, Any]]] = {
        "rows": (PARTITION_AUDIT, flights | audit | {"verdict": "published"}),
        "score": (SCORED_PARTITION, flights),
        "promotion": (MODEL_EVENT, flights | {"event": "promoted"}),
        "batch": (REVIEW_BATCH, batch | {"status": "answered"}),
        "label": (LABEL, batch | {"is_demo": False}),
        "version": (MODEL_VERSION, {"problem": "ad_review", "model_version": "round-006-abc"}),
        "next": (REVIEW_BATCH, batch | {"batch_id": "round-007", "status": "open"}),
    }
    for table, row in rows.values():
        fill_row(connection, table, row)
    assert upgrade_test.goes_on(connection, 7) == []
    scored, answered, fitted, opened = upgrade_test.GOES_ON
    for change, said in {
        "UPDATE core.model_event SET event = 'rejected'": [scored],
        "UPDATE core.review_batch SET n_items = 2": [answered],
        "UPDATE core.label SET is_demo = true": [answered, fitted],
        "UPDATE core.model_version SET model_version = 'round-005-abc'": [fitted],
        "DELETE FROM core.review_batch WHERE status = 'open'": [opened],
    }.items():
        with connection.begin_nested() as attempt:
            connection.execute(text(change))
            assert upgrade_test.goes_on(connection, 7) == said
            attempt.rollback()


def fill_row(connection: Connection, table: Table, row: dict[str, Any]) -> None:
    """Insert one row that is valid in every column that the test does not care about."""
    filled = {column.name: _any_value(column.type) for column in table.columns if not column.nullable}
    connection.execute(insert(table), [filled | {name: row[name] for name in row if name in table.columns}])


def _any_value(kind: Any) -> Any:
    for known, value in ((Boolean, False), (Integer, 1), (Float, 0.5), (DateTime, NOW), (JSONB, {})):
        if isinstance(kind, known):
            return value
    return "any"


def test_a_model_whose_file_is_gone_is_named(connection: Connection, tmp_path: Path):
    assert upgrade_test.unreadable_models(connection, "mail", tmp_path) == []
    fill_row(connection, MODEL_VERSION, {"problem": "mail", "model_version": "round-001-abc"})
    (fault,) = upgrade_test.unreadable_models(connection, "mail", tmp_path)
    assert fault.startswith("mail round-001-abc: The model file any is gone")


def test_red_runs_are_named_with_what_they_are_about(connection: Connection):
    connection.execute(text("CREATE TABLE public.dag_run (dag_id text, partition_key text, state text)"))
    connection.execute(
        text("INSERT INTO public.dag_run VALUES ('a__train', '01', 'success'), ('b__land', '02', 'failed')")
    )
    assert upgrade_test.red_runs(connection) == ["a run of b__land for 02 is red"]
