from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, select, text

from include.errors import CannotRollBack
from include.learning.checks import Check
from include.learning.registry import promotion, versions
from include.warehouse.tables.learning import MODEL_EVENT, MODEL_VERSION
from tests.include.learning.registry.test_versions import make_version

NOW = datetime(2020, 1, 1, tzinfo=UTC)
JUNE, SEPTEMBER, DECEMBER = "2013-06-aaaaaa", "2013-09-aaaaaa", "2013-12-aaaaaa"


@pytest.fixture
def engine(migrated_warehouse_url: str) -> Any:
    engine = create_engine(migrated_warehouse_url)
    yield engine
    engine.dispose()


def judge(engine: Any, name: str, at: int, *, is_pass: bool = True, needs_approval: bool = False) -> str:
    with engine.begin() as connection:
        versions.save_version(connection, make_version(name), [], [])
        row = versions.read_version(connection, "late", name)
        check = Check("a", is_pass, 1.0, 0.0, "Fine.")
        return versions.record_decision(
            connection, row, [check], [], serves_from=name[:7], reason="R", actor="run",
            now=NOW + timedelta(hours=at), needs_approval=needs_approval,
        )  # fmt: skip


def roll_back(engine: Any, to_version: str, at: int) -> tuple[str, str]:
    with engine.begin() as connection:
        return promotion.roll_back(
            connection, "late", to_version, actor="ann", reason="complaints", now=NOW + timedelta(hours=at)
        )


def history(engine: Any) -> list[tuple[str, str, str]]:
    with engine.connect() as connection:
        events = connection.execute(select(MODEL_EVENT).order_by(MODEL_EVENT.c.event_at_utc)).mappings()
        return [(event["model_version"], event["event"], event["actor"]) for event in events]


def in_production(engine: Any, at: float) -> str | None:
    """Ask the view what was in production at a moment."""
    query = text("""
        SELECT model_version FROM bi.model_in_production
        WHERE problem = 'late' AND valid_from_utc <= :at AND (valid_until_utc > :at OR valid_until_utc IS NULL)
    """)
    with engine.connect() as connection:
        return connection.execute(query, {"at": NOW + timedelta(hours=at)}).scalar_one_or_none()


def statuses(engine: Any) -> dict[str, str]:
    with engine.connect() as connection:
        return dict(connection.execute(select(MODEL_VERSION.c.model_version, MODEL_VERSION.c.status)).all())


def test_one_step_back_lets_the_previous_serve_and_the_view_answers_for_every_moment(engine):
    judge(engine, JUNE, 0)
    judge(engine, SEPTEMBER, 1)
    assert roll_back(engine, "previous", 2) == (SEPTEMBER, JUNE)
    assert [in_production(engine, at) for at in (-1, 0.5, 1.5, 2.5)] == [None, JUNE, SEPTEMBER, JUNE]
    assert history(engine)[-1] == (SEPTEMBER, "rolled_back", "ann")
    assert statuses(engine) == {JUNE: "promoted", SEPTEMBER: "rolled_back"}


def test_history_is_only_added_to_when_a_version_goes_and_comes_back(engine):
    for at, name in enumerate((JUNE, SEPTEMBER, DECEMBER)):
        judge(engine, name, at)
    before = history(engine)
    assert roll_back(engine, JUNE, 3) == (DECEMBER, JUNE)
    assert roll_back(engine, SEPTEMBER, 4) == (JUNE, SEPTEMBER)
    assert history(engine)[:3] == before
    assert sorted(history(engine)[3:5]) == [(SEPTEMBER, "rolled_back", "ann"), (DECEMBER, "rolled_back", "ann")]
    assert history(engine)[5:] == [(SEPTEMBER, "promoted", "ann")]
    assert [in_production(engine, at) for at in (2.5, 3.5, 4.5)] == [DECEMBER, JUNE, SEPTEMBER]
    with engine.connect() as connection:
        assert versions.serving_version(connection, "late", "2014-01") == SEPTEMBER
        assert versions.serving_version(connection, "late", "2013-08") == JUNE


def test_a_gate_never_brings_back_what_a_person_took_out(engine):
    judge(engine, JUNE, 0)
    judge(engine, SEPTEMBER, 1)
    roll_back(engine, "previous", 2)
    assert judge(engine, SEPTEMBER, 3) == "rolled_back"
    assert judge(engine, DECEMBER, 4) == "promoted"
    assert in_production(engine, 5) == DECEMBER


@pytest.mark.parametrize(
    ("to_version", "sentence"),
    [
        ("previous", f"{JUNE} is the only version in production; there is no previous one"),
        (JUNE, "serves already"),
        (SEPTEMBER, rf"'{SEPTEMBER}' has never been in production. Allowed are 'previous' and: {JUNE}"),
        ("yesterday", "'yesterday' has never been in production"),
    ],
)
def test_what_cannot_be_returned_to_is_refused_and_nothing_changes(engine, to_version: str, sentence: str):
    judge(engine, JUNE, 0)
    judge(engine, SEPTEMBER, 1, is_pass=False)
    before = history(engine)
    with pytest.raises(CannotRollBack, match=sentence):
        roll_back(engine, to_version, 2)
    assert history(engine) == before
    assert in_production(engine, 3) == JUNE


def test_without_a_model_there_is_nothing_to_take_out(engine):
    with pytest.raises(CannotRollBack, match="no model is in production"):
        roll_back(engine, "previous", 0)


@pytest.mark.parametrize(("is_approved", "serves", "event"), [(True, SEPTEMBER, "promoted"), (False, JUNE, "rejected")])
def test_a_version_waits_while_the_champion_serves_until_a_person_has_answered(
    engine, is_approved: bool, serves: str, event: str
):
    judge(engine, JUNE, 0)
    assert judge(engine, SEPTEMBER, 1, needs_approval=True) == "awaiting_approval"
    assert judge(engine, SEPTEMBER, 2, needs_approval=True) == "awaiting_approval"
    assert in_production(engine, 3) == JUNE
    for at in (4, 5):  # asked twice: the first answer stands
        with engine.begin() as connection:
            verdict = promotion.answer_approval(
                connection, "late", SEPTEMBER, is_approved=is_approved if at == 4 else not is_approved,
                actor="ann", reason="ann said so.", now=NOW + timedelta(hours=at),
            )  # fmt: skip
        assert verdict == event
    assert in_production(engine, 6) == serves
    assert history(engine)[-2:] == [(SEPTEMBER, "awaiting_approval", "run"), (SEPTEMBER, event, "ann")]


def test_a_version_that_fails_the_gate_is_not_asked_about(engine):
    assert judge(engine, JUNE, 0, is_pass=False, needs_approval=True) == "rejected"


def test_an_answer_about_a_version_that_does_not_wait_changes_nothing(engine):
    judge(engine, JUNE, 0)
    with engine.begin() as connection:
        answer = promotion.answer_approval(
            connection, "late", JUNE, is_approved=False, actor="ann", reason="R", now=NOW
        )
    assert answer == "promoted"
    assert len(history(engine)) == 1
