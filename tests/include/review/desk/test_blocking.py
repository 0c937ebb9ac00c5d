"""What a lead takes out leaves every figure at once, also where it is hundreds of people."""

import numpy as np
import pytest
from sqlalchemy import insert

from include.errors import DeskRefused
from include.problems.reading import load_problem
from include.review.desk.blocking import block_people, block_person, measure_again
from include.review.desk.permissions import Person
from include.warehouse.tables.review import AGREEMENT, LABEL, PERSON_BLOCK, SETTLED_LABEL
from tests.include.review.batches.test_trust import NOW
from tests.include.review.conftest import PROBLEM

LEAD = Person("boss", frozenset({"Lead"}))
CLASSES = ("wanted", "unsolicited")


def fill(desk, n_items=30, bots=("bot-1", "bot-2")):
    """Two people who agree, and bots that say the contrary of every third item."""
    truth = np.arange(n_items) % 2
    rows = []
    for person in ("eva", "tom", *bots):
        for n in range(n_items):
            label = CLASSES[truth[n] ^ (person in bots and n % 3 == 0)]
            names = {"problem": PROBLEM, "batch_id": "round-001", "item_id": f"i{n:02d}", "labelled_by": person}
            rows.append(names | {"label": label, "arm": "entropy", "is_demo": False, "labelled_at_utc": NOW})
    with desk.engine.begin() as connection:
        connection.execute(insert(LABEL), rows)
    measure_again(desk.engine, load_problem(PROBLEM))


def measured(desk):
    people = {row["subject"] for row in desk.rows(AGREEMENT) if row["scope"] == "reviewer"}
    return people, {row["n_people"] for row in desk.rows(SETTLED_LABEL)}


def test_whoever_is_blocked_leaves_every_figure_before_the_lead_is_told(desk):
    fill(desk, bots=("bot-1",))
    assert measured(desk) == ({"eva", "tom", "bot-1"}, {3})
    told = block_person(desk.engine, load_problem(PROBLEM), "bot-1", LEAD, reason="a script", is_blocked=True)
    assert (told["n_labels"], told["n_models"], told["is_blocked"]) == (30, 0, True)
    assert measured(desk) == ({"eva", "tom"}, {2})
    told = block_person(desk.engine, load_problem(PROBLEM), "bot-1", LEAD, reason="it was none", is_blocked=False)
    assert told["n_labels"] == 30
    assert measured(desk) == ({"eva", "tom", "bot-1"}, {3})


def test_many_are_blocked_at_once_and_one_stranger_among_them_is_named(desk):
    fill(desk)
    people = ["bot-1", "nobody", "bot-2"]
    told = list(block_people(desk.engine, load_problem(PROBLEM), people, LEAD, reason="scripts", is_blocked=True))
    assert [one if isinstance(one, int) else one.code for one in told] == [30, "unknown_person", 30]
    assert {row["labelled_by"] for row in desk.rows(PERSON_BLOCK)} == {"bot-1", "bot-2"}
    assert measured(desk) == ({"eva", "tom"}, {2})


@pytest.mark.parametrize(
    ("person", "reason", "why"), [(Person("kim"), "x", "leads only"), (LEAD, " ", "reason missing")]
)
def test_who_may_not_or_says_no_reason_blocks_nobody(desk, person, reason, why):
    fill(desk)
    with pytest.raises(DeskRefused, match=why):
        block_person(desk.engine, load_problem(PROBLEM), "bot-1", person, reason=reason, is_blocked=True)
    assert desk.rows(PERSON_BLOCK) == []
