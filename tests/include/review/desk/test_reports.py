from datetime import UTC, datetime

from sqlalchemy import insert, update

from include.review.batches.assignments import Place
from include.review.desk.reports import report_agreement, report_people, summarise_person
from include.warehouse.tables.desk import REVIEW_PASS
from include.warehouse.tables.review import AGREEMENT, LABEL
from tests.include.review.conftest import PROBLEM, Desk
from tests.include.review.metrics.test_store import play

NOW = datetime(2002, 10, 1, tzinfo=UTC)
FIRST = Place(PROBLEM, "round-001")


def summarise(desk: Desk, person: str) -> dict[str, object]:
    with desk.engine.connect() as connection:
        return summarise_person(connection, FIRST, person)


def test_a_person_is_told_how_often_others_said_the_same(desk: Desk) -> None:
    said = {
        "mail-00": {"kim": "wanted", "lee": "wanted"},
        "mail-01": {"kim": "wanted", "lee": "unsolicited"},
        "mail-02": {"kim": "wanted"},
    }
    play(desk, 1, 20, said)
    summary = summarise(desk, "kim")
    assert (summary["n_answered"], summary["n_shared"], summary["n_shared_agreed"]) == (3, 2, 1)
    assert (summary["n_gold"], summary["median_ms"], summary["n_passed"]) == (0, None, 0)


def test_known_answers_that_a_person_gave_otherwise_are_shown_with_both(desk: Desk) -> None:
    play(
        desk, 1, 20, {"mail-00": {"kim": "unsolicited"}, "mail-01": {"kim": "wanted"}}, arm="gold", gold_label="wanted"
    )
    summary = summarise(desk, "kim")
    (one,) = summary["differences"]
    assert (summary["n_gold"], summary["n_gold_agreed"]) == (2, 1)
    assert (one["item_id"], one["label"], one["gold_label"]) == ("mail-00", "unsolicited", "wanted")


def test_what_was_passed_on_and_how_long_it_took_is_counted(desk: Desk) -> None:
    play(desk, 1, 20, {"mail-00": {"kim": "wanted"}, "mail-01": {"kim": "wanted"}})
    with desk.engine.begin() as connection:
        connection.execute(update(LABEL).where(LABEL.c.item_id == "mail-00").values(duration_ms=1_000))
        connection.execute(update(LABEL).where(LABEL.c.item_id == "mail-01").values(duration_ms=4_000))
        row = {"problem": PROBLEM, "batch_id": "round-001", "item_id": "mail-02", "person": "kim", "action": "skip"}
        connection.execute(insert(REVIEW_PASS), [row | {"reason": "?", "passed_at_utc": NOW}])
    summary = summarise(desk, "kim")
    assert (summary["n_passed"], summary["median_ms"]) == (1, 2_500)


def test_the_busiest_person_comes_first_and_recorded_truth_not_at_all(desk: Desk) -> None:
    play(desk, 1, 20, {"mail-00": {"lee": "wanted", "demo-reviewer": "wanted"}, "mail-01": {"lee": "wanted"}})
    play(desk, 2, 18, {"mail-02": {"kim": "wanted"}})
    with desk.engine.connect() as connection:
        people = [(row["person"], row["n_answered"]) for row in report_people(connection, PROBLEM)]
    assert people == [("lee", 2), ("kim", 1)]


def test_too_few_items_are_told_apart_from_no_figure(desk: Desk) -> None:
    row = {"problem": PROBLEM, "scope": "reviewer", "statistic": "cohen_kappa", "low": None, "high": None}
    row |= {"measured_at_utc": NOW}
    figures = [("kim", 9, None), ("lee", 30, None), ("max", 30, 0.5)]
    with desk.engine.begin() as connection:
        rows = [row | {"subject": person, "n_items": n, "value": value} for person, n, value in figures]
        connection.execute(insert(AGREEMENT), rows)
    with desk.engine.connect() as connection:
        found = {row["subject"]: row["is_too_few"] for row in report_agreement(connection, PROBLEM)}
    assert found == {"kim": True, "lee": False, "max": False}
