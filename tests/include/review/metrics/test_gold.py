from collections.abc import Mapping

import pytest
from sqlalchemy import update

from include.review.batches.assignments import Place
from include.review.desk.reports import report_people, summarise_person
from include.review.metrics.gold import measure_gold
from include.warehouse.tables.review import REVIEW_BATCH
from tests.include.review.conftest import PROBLEM, Desk
from tests.include.review.metrics.test_store import CLASSES, play


def measure(desk: Desk) -> Mapping[str, Mapping[str, object]]:
    with desk.engine.connect() as connection:
        return {row["subject"]: row for row in measure_gold(connection, PROBLEM)}


def test_each_persons_share_of_right_answers_has_an_interval(desk: Desk) -> None:
    answers = {f"mail-0{row}": {"kim": CLASSES[row == 0], "lee": "wanted"} for row in range(4)}
    play(desk, 1, 20, answers, arm="gold", gold_label="wanted")
    found = measure(desk)
    assert (found["lee"]["value"], found["kim"]["value"], found["kim"]["n_items"]) == (1.0, 0.75, 4)
    assert (found["kim"]["low"], found["kim"]["high"]) == pytest.approx((0.3006, 0.9544), abs=1e-4)  # by hand


def test_who_made_an_answer_known_is_not_tested_by_it(desk: Desk) -> None:
    play(desk, 1, 20, {"mail-00": {"kim": "wanted"}})
    play(desk, 2, 20, {"mail-00": {"kim": "wanted", "lee": "unsolicited"}}, arm="gold", gold_label="wanted")
    assert {person: row["value"] for person, row in measure(desk).items()} == {"lee": 0.0}
    with desk.engine.connect() as connection:
        people = {row["person"]: (row["n_gold"], row["n_gold_agreed"]) for row in report_people(connection, PROBLEM)}
        summary = summarise_person(connection, Place(PROBLEM, "round-002"), "kim")
    assert people == {"kim": (0, 0), "lee": (1, 0)}
    assert (summary["n_gold"], summary["n_answered"], summary["differences"]) == (0, 1, [])


def test_a_gold_question_that_was_asked_twice_still_tests(desk: Desk) -> None:
    for number in (1, 2):
        play(desk, number, 20, {"mail-00": {"kim": "wanted"}}, arm="gold", gold_label="wanted")
    assert measure(desk)["kim"]["n_items"] == 2


def test_recorded_truth_meets_no_known_answers(desk: Desk) -> None:
    play(desk, 1, 20, {"mail-00": {"demo-reviewer": "wanted"}}, arm="gold", gold_label="wanted")
    assert measure(desk) == {}


def test_gold_of_an_open_batch_is_not_told(desk: Desk) -> None:
    play(desk, 1, 20, {"mail-00": {"kim": "wanted"}}, arm="gold", gold_label="wanted")
    with desk.engine.begin() as connection:
        connection.execute(update(REVIEW_BATCH).values(status="open"))
    assert measure(desk) == {}
