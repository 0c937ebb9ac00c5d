"""What is said after a batch is finished: corrections, and a lead's last word."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.errors import DeskRefused
from include.learning.data.labels import read_answers
from include.problems.reading import load_problem
from include.review.batches.assignments import Place
from include.review.desk.afterwards import answer_afterwards, list_torn
from include.review.desk.permissions import Person
from include.review.metrics.store import measure_review
from include.review.steps import export_labels, import_labels
from include.warehouse.tables.desk import REVIEW_AUDIT
from include.warehouse.tables.review import REPLACED_LABEL, SETTLED_LABEL
from tests.include.review.conftest import PROBLEM, answers_of, drop, watch

LEAD = Person("boss", frozenset({"Lead"}))
KIM = Person("kim")


@pytest.fixture
def finished(opened, mulgil_home):
    """A finished batch of ten mails that two people have answered; they differ about the first two."""
    lee = answers_of(opened, labelled_by="lee")
    drop(mulgil_home, *answers_of(opened), *(line.replace("wanted", "unsolicited") for line in lee[:2]), *lee[2:])
    import_labels(problem=PROBLEM)
    assert watch()["keys"] == ["round-001"]
    return opened


def say(desk, item, person, label, *, last=False, request="request-1", batch="round-001"):
    place = Place(PROBLEM, batch, item)
    problem = load_problem(PROBLEM)
    return answer_afterwards(
        desk.engine, problem, place, person, label=label, note="", is_last_word=last, request_id=request
    )


def settle(desk):
    with desk.engine.begin() as connection:
        measure_review(connection, load_problem(PROBLEM), datetime.now(UTC))
        return list_torn(connection, load_problem(PROBLEM), LEAD)


def test_a_correction_counts_the_older_answer_stays_and_sending_it_twice_stores_it_once(finished):
    item = finished.items[5]["item_id"]
    told = say(finished, item, KIM, "unsolicited")
    assert say(finished, item, KIM, "unsolicited") == told
    assert told["batch_id"] == "round-002"
    mine = [row for row in finished.labels if (row["item_id"], row["labelled_by"]) == (item, "kim")]
    assert sorted((row["label"], row["arm"]) for row in mine)[0] == ("unsolicited", "correction")
    assert len(mine) == 2
    with finished.engine.connect() as connection:
        answers = read_answers(connection, PROBLEM, "round-002").set_index(["item_id", "labelled_by"])
        before = read_answers(connection, PROBLEM, "round-001").set_index(["item_id", "labelled_by"])
    assert answers.loc[(item, "kim"), "label"] == "unsolicited"
    assert before.loc[(item, "kim"), "label"] == "wanted"
    (row,) = [row for row in finished.rows(REVIEW_AUDIT) if row["action"] == "correction"]
    assert row["before"] == {"label": "wanted"}


def test_a_leads_last_word_settles_what_is_torn(finished):
    torn = settle(finished)
    assert {row["item_id"] for row in torn} == {item["item_id"] for item in finished.items[:2]}
    assert torn[0]["said"] == {"unsolicited": 1, "wanted": 1}
    say(finished, torn[0]["item_id"], LEAD, "unsolicited", last=True, batch=torn[0]["batch_id"])
    assert [row["item_id"] for row in settle(finished)] == [torn[1]["item_id"]]
    with finished.engine.connect() as connection:
        answers = read_answers(connection, PROBLEM, "round-002").set_index("item_id")
    assert answers.loc[torn[0]["item_id"], ["label", "labelled_by"]].tolist() == ["unsolicited", "boss"]


@pytest.mark.parametrize(
    ("person", "label", "last", "why"),
    [
        (KIM, "egg", False, "unknown class"),
        (KIM, "wanted", True, "leads only"),
        (Person("stranger"), "wanted", False, "unknown item"),
    ],
)
def test_who_may_not_or_says_no_class_is_refused(finished, person, label, last, why):
    with pytest.raises(DeskRefused, match=why):
        say(finished, finished.items[0]["item_id"], person, label, last=last)


def test_what_lies_on_the_desk_is_answered_there(opened, mulgil_home):
    drop(mulgil_home, *answers_of(opened)[:1])
    import_labels(problem=PROBLEM)
    with pytest.raises(DeskRefused, match="on desk"):
        say(opened, opened.items[0]["item_id"], KIM, "unsolicited")


def test_of_two_corrections_in_one_round_the_later_counts_and_the_earlier_is_history(finished):
    item = finished.items[5]["item_id"]
    say(finished, item, KIM, "unsolicited")
    assert say(finished, item, KIM, "wanted", request="request-2")["batch_id"] == "round-002"
    (kept,) = finished.rows(REPLACED_LABEL)
    assert (kept["item_id"], kept["labelled_by"], kept["label"]) == (item, "kim", "unsolicited")
    with finished.engine.connect() as connection:
        answers = read_answers(connection, PROBLEM, "round-002").set_index(["item_id", "labelled_by"])
    assert answers.loc[(item, "kim"), "label"] == "wanted"
    exported = Path(export_labels(problem=PROBLEM)["path"]).read_text(encoding="utf-8").splitlines()
    statuses = [json.loads(line)["status"] for line in exported]
    assert sorted(set(statuses)) == ["counts", "replaced"]
    assert statuses.count("replaced") == 2  # and what was said in the round before


def test_of_two_leads_training_and_the_settled_label_believe_the_later(finished):
    item = finished.items[0]["item_id"]
    second = Person("chief", frozenset({"Lead"}))
    say(finished, item, LEAD, "unsolicited", last=True)
    say(finished, item, second, "wanted", last=True, request="request-2")
    settle(finished)
    with finished.engine.connect() as connection:
        taught = read_answers(connection, PROBLEM, "round-002").set_index("item_id")
    settled = {row["item_id"]: row["label"] for row in finished.rows(SETTLED_LABEL)}
    assert taught.loc[item, ["label", "labelled_by"]].tolist() == ["wanted", "chief"]
    assert settled[item] == "wanted"
