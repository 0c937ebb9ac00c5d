from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import insert

from include.names import ranking_table
from include.problems.reading import load_problem
from include.problems.sections.review import Review
from include.review.batches import store as batches
from include.review.batches.choice import Choice
from include.review.selection.batch_plan import Pool
from include.review.selection.heldout_gain import ChoosingGained
from include.review.selection.open_round import (
    PlannedRound,
    compare_decisions,
    describe_batch,
    grow_chance,
    plan_round,
    write_round,
)
from include.warehouse.tables.review import REVIEW_ESTIMATE
from tests.include.review.conftest import MAILS, MONTHS, PROBLEM, Desk

NOW = datetime(2002, 10, 1, tzinfo=UTC)


def make_pool(model: str | None, serving: str | None) -> Pool:
    return Pool(6_046, [], [], np.zeros((0, 1)), 0.0, model, "1" if model else None, serving)


def plan(desk: Desk) -> PlannedRound | str:
    with desk.engine.connect() as connection:
        earlier = batches.read_batches(connection, PROBLEM)
        return plan_round(connection, load_problem(PROBLEM), earlier, "2002-09", NOW)


@pytest.mark.parametrize(
    ("model", "serving", "said"),
    [
        (None, None, "no model has scored the pool"),
        ("round-003-aaaaaa", None, "round-003-aaaaaa ranked, no version serves"),
        ("round-003-aaaaaa", "round-001-bbbbbb", "round-003-aaaaaa ranked, round-001-bbbbbb serves"),
    ],
)
def test_the_version_that_ranked_and_the_one_that_serves_are_both_named(
    model: str | None, serving: str | None, said: str
) -> None:
    choices = [Choice(str(row), "2002-08", arm, 1.0, None, None) for row, arm in enumerate(["random", "entropy"])]
    expected = f"2 items from a pool of 6,046 (1 entropy, 1 random); {said}"
    assert describe_batch(choices, make_pool(model, serving)) == expected


def test_before_anything_is_published_there_is_nothing_to_ask(desk: Desk) -> None:
    assert plan(desk) == "nothing is published, so there is nothing to ask about"


def test_planning_writes_nothing_and_writing_puts_the_whole_round_on_the_desk(desk: Desk) -> None:
    desk.publish(*MONTHS)
    planned = plan(desk)
    assert isinstance(planned, PlannedRound)
    assert desk.batches == []
    with desk.engine.begin() as connection:
        write_round(connection, planned)
    assert len(desk.items) == len(planned.contents) == desk.batches[0]["n_items"] == 10
    assert desk.batches[0]["due_at_utc"] > NOW


def test_a_version_that_serves_nothing_chooses_the_batch_and_stands_in_it(desk: Desk) -> None:
    desk.publish(*MONTHS)
    scores = {mail: (row + 0.5) / len(MAILS) for row, mail in enumerate(MAILS)}
    desk.predict(scores, "round-001-aaaaaa", table=ranking_table)
    planned = plan(desk)
    assert isinstance(planned, PlannedRound)
    assert (planned.batch.model_version, planned.batch.strategy) == ("round-001-aaaaaa", "entropy")
    assert {content["p_positive"] for content in planned.contents} <= set(scores.values())


def test_without_an_earlier_round_no_decision_is_compared(desk: Desk) -> None:
    with desk.engine.connect() as connection:
        assert compare_decisions(connection, PROBLEM, MONTHS, [], make_pool("v1", "v1")) is None


def test_where_no_gain_is_shown_chance_takes_half_of_the_places() -> None:
    review = Review(budget=100, random_share=0.2, gold_share=0.05, relabel_share=0.15, max_rounds=5)
    vain, paid = ChoosingGained(160, -0.01, -0.05, 0.03), ChoosingGained(160, 0.01, -0.03, 0.05)
    assert grow_chance(review, vain).random_share == 0.5
    assert grow_chance(review, paid) == grow_chance(review, None) == review
    choices = [Choice("a", "2002-08", "random", 1.0, None, None)]
    said = describe_batch(choices, make_pool("v1", "v1"), (), vain)
    assert said.endswith("No gain is shown, so that chance chooses more: " + str(vain))
    assert "No gain" not in describe_batch(choices, make_pool("v1", "v1"), (), paid)


def test_without_a_gain_of_choosing_the_next_round_covers_the_pool(desk: Desk) -> None:
    desk.publish(*MONTHS)
    desk.predict({mail: (row + 0.5) / len(MAILS) for row, mail in enumerate(MAILS)}, "round-001-aaaaaa")
    keys = {"problem": PROBLEM, "batch_id": "round-001", "quantity": "auc_gained", "measured_at_utc": NOW}
    with desk.engine.begin() as connection:
        connection.execute(insert(REVIEW_ESTIMATE), keys | {"n_labels": 9, "value": 0.0, "low": -0.1, "high": 0.1})
    planned = plan(desk)
    assert isinstance(planned, PlannedRound)
    assert "No gain is shown" in planned.reason
    assert {choice.arm for choice in planned.choices} == {"random", "spread"}
