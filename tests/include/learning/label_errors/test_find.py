"""Labels that are probably wrong, written down for the review room, on a real lake and a real warehouse."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from include.learning import steps
from include.learning.label_errors import find
from include.learning.label_errors.confident_learning import find_suspects
from include.names import PARTITION_KEY, ROW_KEY
from include.problems.sections.learning import Label
from include.warehouse.tables.explaining import MODEL_NOTE, SUSPECTED_LABEL

THREE = Label(classes=["origin", "age", "c"], positive="c", source="desk")


def suspect(given: str, p_positive: float, label: Label = THREE) -> dict[str, Any]:
    """Let a model doubt what people said of the first of three items."""
    rows = pd.DataFrame({ROW_KEY: ["x", "y", "z"], PARTITION_KEY: "2002-01"})
    answers = pd.DataFrame({"item_id": ["x", "y", "z"], "label": [given, label.positive, "age"]})
    is_positive = (answers["label"] == label.positive).to_numpy()
    p = np.array([p_positive, 0.6, 0.4])
    found = find_suspects(is_positive.astype(np.int64), np.column_stack([1 - p, p]))
    return next(row for row in find._write_down(found, rows, is_positive, answers, label) if row["item_id"] == "x")


@pytest.mark.parametrize("given", ["origin", "age"])
def test_of_three_classes_the_one_that_people_gave_is_named(given: str):
    row = suspect(given, 0.95)
    assert (row["given_label"], row["suggested_label"]) == (given, "c")


def test_what_a_model_of_two_sides_suggests_beside_the_positive_class_is_not_invented():
    assert suspect("c", 0.05)["suggested_label"] == "not c"
    two = Label(classes=["age", "c"], positive="c", source="desk")
    assert suspect("c", 0.05, two)["suggested_label"] == "age"


def test_most_of_those_who_gave_a_side_say_which_class_was_given():
    rows = pd.DataFrame({ROW_KEY: ["x", "y"], PARTITION_KEY: "2002-01"})
    said = [("x", "origin"), ("x", "age"), ("x", "age"), ("x", "c"), ("y", "c")]
    answers = pd.DataFrame(said, columns=["item_id", "label"])
    p = np.array([0.9, 0.6])
    found = find_suspects(np.array([0, 1]), np.column_stack([1 - p, p]))
    (row,) = find._write_down(found, rows, np.array([False, True]), answers, THREE)
    assert (row["item_id"], row["given_label"]) == ("x", "age")


def test_planted_errors_are_found_and_the_note_counts_what_asking_again_changed(house, mails, answer):
    _, truth = mails
    items = dict(list(truth.items())[:80])
    planted = list(items)[:4]
    flipped = {item: "junk" if items[item] == "wanted" else "wanted" for item in planted}
    answer(items | flipped, "round-001")
    plan = {"is_due": True, "points": ["round-001"]}
    fitted = steps.fit_candidates(problem="mail", partition_key="round-001", plan=plan)
    found = steps.suspect_labels(problem="mail", partition_key="round-001", fitted=fitted)
    with house.engine.connect() as connection:
        suspected = set(connection.scalars(select(SUSPECTED_LABEL.c.item_id)))
    assert len(suspected) == found["n_rows"]
    assert suspected & set(planted)
    assert "changed" not in found["reason"]
    # Two are asked again: one was wrong, one is confirmed.
    wrong = next(item for item in planted if item in suspected)
    right = next(iter(suspected - set(planted)), None)
    again = {wrong: items[wrong]} | ({right: items[right]} if right else {})
    answer(again, "round-002", arm="relabel")
    fitted = steps.fit_candidates(problem="mail", partition_key="round-002", plan=plan | {"points": ["round-002"]})
    said = steps.suspect_labels(problem="mail", partition_key="round-002", fitted=fitted)["reason"]
    assert f"Of {len(again)} that people were asked about again so far they changed 1." in said
    with house.engine.connect() as connection:
        notes = connection.scalars(select(MODEL_NOTE.c.note).where(MODEL_NOTE.c.topic == "labels")).all()
    assert said in notes
