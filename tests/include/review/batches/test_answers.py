"""Of two answers in one batch the later stands and the earlier is kept."""

from datetime import UTC, datetime

import pytest

from include.names import Arm
from include.review.batches.answers import store_answers
from include.warehouse.tables.review import REPLACED_LABEL
from tests.include.review.conftest import PROBLEM

NOW = datetime(2002, 9, 9, tzinfo=UTC)


def said(label, day, *, by="kim", arm=Arm.CORRECTION, item="mail-00", note=None):
    moment = datetime(2002, 8, day, tzinfo=UTC)
    names = {"problem": PROBLEM, "batch_id": "round-002", "item_id": item, "labelled_by": by}
    return names | {"label": label, "arm": arm, "is_demo": False, "labelled_at_utc": moment, "note": note}


@pytest.fixture
def store(desk):
    def store(*rows, now=NOW):
        with desk.engine.begin() as connection:
            store_answers(connection, rows, now)
        return [row["label"] for row in desk.labels], [row["label"] for row in desk.rows(REPLACED_LABEL)]

    return store


def test_the_later_stands_whichever_came_in_first(store):
    assert store(said("wanted", 2)) == (["wanted"], [])
    assert store(said("unsolicited", 3)) == (["unsolicited"], ["wanted"])
    older = said("wanted", 1, arm=Arm.IMPORTED)
    assert store(older, now=datetime(2002, 9, 10, tzinfo=UTC)) == (["unsolicited"], ["wanted", "wanted"])


def test_saying_the_same_again_is_no_history_and_a_neighbour_is_left_alone(store):
    store(said("wanted", 2), said("wanted", 2, by="lee"), said("wanted", 2, item="mail-01"))
    assert store(said("wanted", 3)) == (["wanted"] * 3, [])
    assert store(said("unsolicited", 4)) == (["unsolicited", "wanted", "wanted"], ["wanted"])
    assert store() == (["unsolicited", "wanted", "wanted"], ["wanted"])


def test_a_last_word_that_is_changed_in_its_round_is_a_last_word_still(desk, store):
    store(said("wanted", 2, arm=Arm.ADJUDICATION))
    assert store(said("unsolicited", 3)) == (["unsolicited"], ["wanted"])
    assert desk.labels[0]["arm"] == Arm.ADJUDICATION
