"""Of one person's answers the newest counts, and of several last words the newest decides."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import create_engine, insert

from include.names import Arm
from include.warehouse.newest_answers import newest_answers
from include.warehouse.tables.review import LABEL, LABEL_FLAG
from include.warehouse.trusted_labels import Trust


@pytest.fixture
def connection(migrated_warehouse_url: str) -> Any:
    engine = create_engine(migrated_warehouse_url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def say(connection: Any, make_row: Callable[..., dict[str, Any]]) -> Callable[..., None]:
    def say(by: str, label: str, round_number: int, day: int, arm: str = "entropy", item: str = "m1") -> None:
        names = {"problem": "p", "batch_id": f"round-{round_number:03d}", "item_id": item, "labelled_by": by}
        said = {"label": label, "arm": arm, "labelled_at_utc": datetime(2002, 8, day, tzinfo=UTC)}
        connection.execute(insert(LABEL).values(make_row(LABEL, **names, **said)))

    return say


def counting(connection: Any) -> dict[str, str]:
    return {row.labelled_by: row.label for row in connection.execute(newest_answers("p")) if row.counts}


def test_time_decides_and_then_the_round(connection, say):
    say("ann", "junk", 1, day=5)
    say("ann", "wanted", 2, day=1, arm=Arm.IMPORTED)  # what came in later was said earlier
    say("bob", "junk", 2, day=3)
    say("bob", "wanted", 10, day=3)
    assert counting(connection) == {"ann": "junk", "bob": "wanted"}


def test_of_two_leads_the_later_word_counts_alone(connection, say):
    say("ann", "junk", 1, day=1)
    say("lead-b", "wanted", 2, day=2, arm=Arm.ADJUDICATION)
    say("lead-a", "junk", 2, day=3, arm=Arm.ADJUDICATION)
    say("ann", "wanted", 3, day=4, arm=Arm.CORRECTION)
    say("ann", "wanted", 3, day=4, item="m2")
    assert counting(connection) == {"lead-a": "junk", "ann": "wanted"}
    rows = [(row.item_id, row.labelled_by) for row in connection.execute(newest_answers("p")) if row.is_last_word]
    assert rows == [("m1", "lead-a")]


def test_a_lead_who_changes_their_mind_still_has_the_last_word(connection, say):
    say("ann", "junk", 1, day=1)
    say("lead", "junk", 2, day=2, arm=Arm.ADJUDICATION)
    say("lead", "wanted", 3, day=3, arm=Arm.CORRECTION)
    assert counting(connection) == {"lead": "wanted"}


def test_a_last_word_that_nobody_relies_on_decides_nothing(connection, say, make_row):
    say("ann", "junk", 1, day=1)
    say("lead", "wanted", 2, day=2, arm=Arm.ADJUDICATION)
    say("lead", "gold", 3, day=3, arm=Arm.GOLD)
    names = {"problem": "p", "batch_id": "round-002", "labelled_by": "lead", "status": str(Trust.WITHDRAWN)}
    connection.execute(insert(LABEL_FLAG).values(make_row(LABEL_FLAG, **names)))
    assert counting(connection) == {"ann": "junk"}
    until = connection.execute(newest_answers("p", LABEL.c.batch_id != "round-001")).all()
    assert until == []
