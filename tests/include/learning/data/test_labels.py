from datetime import UTC, datetime

import pandas as pd
import pytest

from include.errors import NotEnoughLabels
from include.learning.data.labels import (
    labels_as_of,
    newest_batch,
    read_answers,
    say_merged_classes,
    say_undecided,
    settle_answers,
)
from include.learning.errors import BadLabels
from include.partition_keys import round_key
from include.problems.sections.learning import Label
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.review import LABEL as ANSWERS
from include.warehouse.tables.review import REVIEW_BATCH

LABEL = Label(classes=["wanted", "junk"], positive="junk", source="desk")


def make_answers(*rows: tuple[str, str, str]) -> pd.DataFrame:
    said = pd.DataFrame(rows, columns=["item_id", "label", "arm"])
    return said.assign(labelled_by=[f"p{n}" for n in said.groupby("item_id").cumcount()])


def test_the_majority_decides_and_a_tie_teaches_nothing():
    answers = make_answers(
        ("b", "junk", "random"), ("b", "junk", "random"), ("b", "wanted", "random"),
        ("a", "wanted", "entropy"),
        ("c", "junk", "random"), ("c", "wanted", "random"),
    )  # fmt: skip
    settled = settle_answers(answers, LABEL)
    assert settled.to_numpy().tolist() == [["a", False, False], ["b", True, True]]


def test_whoever_is_often_right_outweighs_who_always_says_the_same():
    rows = [
        (f"i{n:02}", "junk" if person == "script" or n % 2 else "wanted", "random", person)
        for n in range(60)
        for person in ("eva", "tom", "script")
    ]
    torn = [("torn", "wanted", "random", "eva"), ("torn", "junk", "random", "script")]
    answers = pd.DataFrame([*rows, *torn], columns=["item_id", "label", "arm", "labelled_by"])
    settled = settle_answers(answers, LABEL).set_index("item_id")["is_positive"]
    assert not settled["torn"]
    assert not settled["i00"]
    assert settled["i01"]


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


def split_items(n_split: int, n_agreed: int) -> pd.DataFrame:
    rows = [(f"s{n}", label, "random") for n in range(n_split) for label in LABEL.classes]
    return make_answers(*rows, *((f"a{n}", "junk", "random") for n in range(n_agreed)))


@pytest.mark.parametrize(("n_split", "n_agreed"), [(2, 3), (42, 58), (5, 0)])
def test_however_many_items_are_undecided_the_rest_is_settled_and_the_share_said(n_split: int, n_agreed: int):
    answers = split_items(n_split, n_agreed)
    settled = settle_answers(answers, LABEL)
    assert len(settled) == n_agreed
    n_items = n_split + n_agreed
    said = say_undecided(answers, settled)
    assert f"{n_split} of {n_items} items ({n_split / n_items:.0%})" in said
    assert said.endswith("Say more clearly what each class means.")


def test_one_undecided_item_in_five_asks_for_no_clearer_question_and_none_says_nothing():
    answers = split_items(1, 4)
    assert say_undecided(answers, settle_answers(answers, LABEL)).endswith("are left out (first: 's0').")
    assert say_undecided(split_items(0, 4), settle_answers(split_items(0, 4), LABEL)) == ""
    assert say_undecided(make_answers(), settle_answers(make_answers(), LABEL)) == ""


def test_more_than_two_classes_are_said_to_be_two_sides():
    assert say_merged_classes(LABEL) == ""
    nine = Label(classes=list("abcdefghi"), positive="e", source="desk")
    assert "9 classes; the model tells 'e' from the other 8 together" in say_merged_classes(nine)


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


def test_a_second_answer_is_believed_and_the_item_keeps_its_first_arm(house, answer):
    answer({"m1": "junk", "m2": "junk"}, "round-001", arm="random")
    answer({"m1": "wanted"}, "round-002", arm="relabel")
    answer({"m2": "wanted"}, "round-002", arm="gold")
    with house.engine.connect() as connection:
        said = [read_answers(connection, "mail", batch) for batch in ("round-001", "round-002")]
        before, after = (one.drop(columns="labelled_by") for one in said)
    assert before.to_numpy().tolist() == [["m1", "junk", "random"], ["m2", "junk", "random"]]
    assert after.to_numpy().tolist() == [["m1", "wanted", "random"], ["m2", "junk", "random"]]


def test_round_1000_is_later_than_round_999_wherever_batches_are_compared(house, problems_dir, answer):
    common = {"labelled_by": "ann", "arm": "random"}
    with house.engine.begin() as connection:
        for number, label in ((999, "junk"), (1000, "wanted")):
            upsert_rows(connection, ANSWERS, [common | {
                "problem": "mail", "item_id": "m1", "label": label, "batch_id": round_key(number), "is_demo": False,
                "labelled_at_utc": datetime(2002, 3, number - 998, tzinfo=UTC), "duration_ms": None,
            }])  # fmt: skip
    with house.engine.connect() as connection:
        assert newest_batch(connection, "mail") == "round-1000"
        assert newest_batch(connection, "other") == ""
        assert read_answers(connection, "mail", "round-999")["label"].tolist() == ["junk"]
        assert read_answers(connection, "mail", "round-1000")["label"].tolist() == ["wanted"]
        assert labels_as_of(connection, "mail", "round-999") == datetime(2002, 3, 1, tzinfo=UTC)
