import pandas as pd
import pytest

from include.learning.errors import BadLabels
from include.learning.several.answers import (
    keep_known_classes,
    say_ready,
    say_undecided,
    say_unseen,
    settle_answers,
)
from include.learning.several.targets import read_targets
from tests.include.learning.several.conftest import LABEL, MARK_LABEL


def said(*answers):
    frame = pd.DataFrame(answers, columns=["item_id", "label", "arm"])
    return frame.assign(labelled_by=[f"p{n}" for n in frame.groupby("item_id").cumcount()])


def test_the_class_with_most_votes_counts_and_a_tie_settles_nothing():
    answers = said(
        ("i1", "fern", "random"),
        ("i1", "fern", "entropy"),
        ("i1", "rose", "random"),
        ("i2", "moss", "random"),
        ("i2", "rose", "random"),
        ("i3", "moss", "random"),
    )
    settled = settle_answers(answers, LABEL)
    assert settled.to_dict("records") == [
        {"item_id": "i1", "_labels": "fern", "_is_random": False},
        {"item_id": "i3", "_labels": "moss", "_is_random": True},
    ]
    assert say_undecided(answers, settled).startswith(
        "1 of 3 items (33%) have no majority and are left out (first: 'i2')"
    )


def test_each_label_is_settled_by_itself_and_none_is_an_answer():
    answers = said(
        ("i1", '["ill", "rare"]', "random"),
        ("i1", '["ill"]', "random"),
        ("i1", '["ill"]', "random"),
        ("i2", "[]", "random"),
        ("i3", '["rare"]', "random"),
        ("i3", "[]", "random"),
    )
    settled = settle_answers(answers, MARK_LABEL)
    assert dict(zip(settled["item_id"], settled["_labels"], strict=True)) == {"i1": ["ill"], "i2": []}


def test_an_answer_outside_the_classes_is_refused_with_its_item():
    with pytest.raises(BadLabels, match=r"1 of 2 labels are not among the classes .* item 'i2' is 'weed'"):
        settle_answers(said(("i1", "fern", "random"), ("i2", "weed", "random")), LABEL)


def test_rows_of_a_strange_class_are_left_out_and_counted():
    rows = pd.DataFrame({"_row_key": ["r1", "r2", "r3"], "_labels": ["fern", "weed", "rose"]})
    kept, targets, sentence = keep_known_classes(rows, LABEL)
    assert kept["_row_key"].tolist() == ["r1", "r3"]
    assert targets.codes.tolist() == [0, 2]
    assert sentence.startswith(
        "1 of 3 labels are not among the classes ['fern', 'moss', 'rose'] (first: row 'r2' is 'weed')"
    )
    with pytest.raises(BadLabels, match="1 of 1 labels"):
        keep_known_classes(rows.iloc[1:2], LABEL)


def test_a_class_that_nobody_has_seen_is_named():
    targets, _ = read_targets(pd.Series(["fern", "rose"]), LABEL.classes, is_multiple=False)
    assert say_unseen(targets).startswith("'moss' of label.classes has 0 of 2 labels")
    assert say_unseen(targets.where([0]))
    whole, _ = read_targets(pd.Series(LABEL.classes), LABEL.classes, is_multiple=False)
    assert say_unseen(whole) == ""


def test_training_waits_until_two_classes_can_be_measured():
    answers = said(*[(f"a{i}", "fern", "random") for i in range(6)], *[(f"b{i}", "rose", "random") for i in range(4)])
    n_settled, n_ready, sentence = say_ready(answers, LABEL)
    assert (n_settled, n_ready) == (10, 1)
    assert "chosen by chance were fern 6, moss 0, rose 4; 5 of each of two classes are needed" in sentence
