from datetime import UTC, datetime

import pandas as pd
import pytest

from include.errors import NotEnoughLabels
from include.learning.labels import labels_as_of, read_answers, settle_answers
from include.learning.refusals import BadLabels
from include.problems.sections.learning import Label
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.review import REVIEW_BATCH

LABEL = Label(classes=["wanted", "junk"], positive="junk", source="desk")


def make_answers(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["item_id", "label", "arm"])


def test_the_majority_decides_and_a_tie_teaches_nothing():
    answers = make_answers(
        ("b", "junk", "random"), ("b", "junk", "random"), ("b", "wanted", "random"),
        ("a", "wanted", "entropy"),
        ("c", "junk", "random"), ("c", "wanted", "random"),
    )  # fmt: skip
    settled = settle_answers(answers, LABEL)
    assert settled.to_numpy().tolist() == [["a", False, False], ["b", True, True]]


def test_an_item_chosen_by_doubt_once_is_not_chosen_by_chance():
    settled = settle_answers(make_answers(("a", "junk", "random"), ("a", "junk", "entropy")), LABEL)
    assert settled["is_random"].tolist() == [False]


def test_the_order_of_the_answers_changes_nothing():
    answers = make_answers(("b", "junk", "random"), ("a", "wanted", "entropy"), ("b", "junk", "entropy"))
    pd.testing.assert_frame_equal(settle_answers(answers, LABEL), settle_answers(answers.iloc[::-1], LABEL))


def test_one_unknown_class_among_good_ones_is_refused_and_named():
    answers = make_answers(("a", "junk", "random"), ("b", "spam", "random"), ("c", "wanted", "random"))
    with pytest.raises(BadLabels, match=r"1 of 3 labels.*item 'b' is 'spam'"):
        settle_answers(answers, LABEL)


def test_no_answers_settle_to_no_rows():
    assert settle_answers(make_answers(), LABEL).empty


def test_answers_of_later_batches_are_left_out(house, problems_dir, answer):
    answer({"m1": "junk"}, "round-001")
    answer({"m2": "wanted"}, "round-002")
    with house.engine.connect() as connection:
        assert read_answers(connection, "mail", "round-001")["item_id"].tolist() == ["m1"]
        assert read_answers(connection, "mail", "round-002")["item_id"].tolist() == ["m1", "m2"]
        assert read_answers(connection, "other", "round-002").empty
        assert labels_as_of(connection, "mail", "round-001") == datetime(2002, 3, 1, tzinfo=UTC)
        with pytest.raises(NotEnoughLabels, match="round-000"):
            labels_as_of(connection, "mail", "round-000")


def test_labels_are_as_of_the_closing_of_their_batch(house, problems_dir, answer):
    answer({"m1": "junk"}, "round-001")
    closed = datetime(2002, 3, 9, tzinfo=UTC)
    batch = {
        "problem": "mail",
        "batch_id": "round-001",
        "round_number": 1,
        "n_items": 1,
        "n_pool": 9,
        "status": "answered",
    }
    batch |= {"chosen_at_utc": closed, "due_at_utc": closed, "answered_at_utc": closed, "opened_by": "run"}
    with house.engine.begin() as connection:
        upsert_rows(connection, REVIEW_BATCH, [batch])
        assert labels_as_of(connection, "mail", "round-001") == closed


def test_who_is_asked_again_is_believed_the_second_time_and_the_item_keeps_the_arm_that_first_chose_it(house, answer):
    answer({"m1": "junk", "m2": "junk"}, "round-001", arm="random")
    answer({"m1": "wanted"}, "round-002", arm="relabel")
    answer({"m2": "wanted"}, "round-002", arm="gold")
    with house.engine.connect() as connection:
        before, after = (read_answers(connection, "mail", batch) for batch in ("round-001", "round-002"))
    assert before.to_numpy().tolist() == [["m1", "junk", "random"], ["m2", "junk", "random"]]
    assert after.to_numpy().tolist() == [["m1", "wanted", "random"], ["m2", "junk", "random"]]
