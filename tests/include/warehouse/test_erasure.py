from datetime import UTC, datetime

import pytest
from sqlalchemy import func, insert, select

from include.warehouse.erasure import find_left, note_subject, read_subjects, remove_items, remove_listed
from include.warehouse.tables.erasure import ERASED_SUBJECT
from include.warehouse.tables.sending import SEND_LIST

JULY, AUGUST = datetime(2013, 7, 1, tzinfo=UTC), datetime(2013, 8, 1, tzinfo=UTC)


def note(warehouse, now=JULY, problem="p", **hashes):
    with warehouse.begin() as connection:
        note_subject(connection, problem, hashes, reason=f"asked in {now:%B}", actor="kim", run_id="r", now=now)


def subjects(warehouse, problem="p"):
    with warehouse.begin() as connection:
        return read_subjects(connection, problem)


@pytest.mark.parametrize("older", [{"old": "h1"}, {"old": "h1", "oldest": "h0"}])
def test_who_is_asked_for_again_with_a_newer_key_stays_one_subject(warehouse, older):
    note(warehouse, **older)
    note(warehouse, AUGUST, new="h2", **older)
    assert subjects(warehouse) == [{"new": "h2", **older}]
    with warehouse.begin() as connection:
        history = select(func.count(), func.min(ERASED_SUBJECT.c.asked_at_utc)).group_by(ERASED_SUBJECT.c.subject_id)
        assert connection.execute(history).all() == [(len(older) + 1, JULY)]


def test_hashes_that_were_written_apart_become_one_subject_with_the_token_that_names_both(warehouse):
    note(warehouse, old="h1")
    note(warehouse, new="h2")
    note(warehouse, new="other")
    note(warehouse, problem="q", old="h1")
    assert len(subjects(warehouse)) == 3
    note(warehouse, AUGUST, new="h2", old="h1")
    assert sorted(map(str, subjects(warehouse))) == [str({"new": "h2", "old": "h1"}), str({"new": "other"})]
    assert subjects(warehouse, "q") == [{"old": "h1"}]


def test_a_list_is_cleaned_by_the_log_that_its_rows_are_of(warehouse):
    shared = {"experiment": "e", "partition_key": "k", "batch": 1, "variant": "v", "phase": "pilot", "window_key": None}
    shared |= {"problem": "p", "item_id": "i", "plan_sha256": "0", "plan_version": 1, "chosen_at_utc": JULY}
    rows = [shared | {"unit": unit, "log": log} for unit, log in (("a", "p.audience"), ("b", "p.other"))]
    with warehouse.begin() as connection:
        connection.execute(insert(SEND_LIST), rows)
        assert remove_items(connection, "p", ["i"]) == 0
        assert remove_items(connection, "p.audience", ["i"]) == 1
        assert connection.scalars(select(SEND_LIST.c.unit)).all() == ["b"]


def test_a_person_is_taken_out_of_the_lists_of_a_problem_by_every_hash(warehouse):
    shared = {"experiment": "e", "partition_key": "k", "batch": 1, "variant": "v", "phase": "pilot", "window_key": None}
    shared |= {"item_id": "i", "plan_sha256": "0", "plan_version": 1, "chosen_at_utc": JULY}
    rows = [("p", "h1"), ("p", "h2"), ("p", "other"), ("q", "h1")]
    with warehouse.begin() as connection:
        listed = [shared | {"problem": problem, "log": f"{problem}.a", "unit": unit} for problem, unit in rows]
        connection.execute(insert(SEND_LIST), listed)
        assert find_left(connection, "p", [], ["h1", "h2"]) == {"send_list": 2}
        assert remove_listed(connection, "p.a", ["h1", "h2"]) == 2
        assert find_left(connection, "p", [], ["h1", "h2"]) == {}
        assert connection.scalars(select(SEND_LIST.c.unit).order_by(SEND_LIST.c.unit)).all() == ["h1", "other"]
