import numpy as np
import pandas as pd

from include.learning.several.heldout import (
    answer_frame,
    drop_partial,
    mean_feature_auc,
    other_candidates,
    table_of,
    targets_in,
)
from include.learning.several.targets import Targets
from include.problems.sections.learning import Features

ROWS = pd.DataFrame({"_row_key": ["r2", "r1"], "_partition_key": ["p", "p"], "_block": [0, 1], "site": ["x", None]})
TARGETS = Targets(("a|b", "c"), np.array([[True, False], [False, True]]), False)
P = np.array([[0.9, 0.1], [0.2, 0.8]])


def test_what_was_said_is_read_back_whatever_a_class_is_called():
    frame = answer_frame(ROWS, TARGETS, {"p_model": P, "p_of_scorecard": P / 2}, ["site"])
    assert table_of(frame, "p_model", ["a|b", "c"]).tolist() == P.tolist()
    assert frame["segment_site"].tolist()[0] == "x"
    assert other_candidates(frame) == ["scorecard"]
    assert targets_in(frame, ["a|b", "c"], is_multiple=False).codes.tolist() == [0, 1]


def test_a_class_that_a_candidate_did_not_know_has_no_probability():
    frame = answer_frame(ROWS, TARGETS, {"p_model": P}, [])
    assert table_of(frame, "p_model", ["c", "new"]).tolist() == [[0.1, 0.0], [0.8, 0.0]]


def test_a_candidate_without_an_answer_for_a_row_is_not_compared():
    frame = answer_frame(ROWS, TARGETS, {"p_model": P, "p_of_trees": np.array([[0.5, 0.5], [np.nan, np.nan]])}, [])
    kept = drop_partial(frame)
    assert other_candidates(kept) == []
    assert kept["_row_key"].tolist() == ["r1", "r2"]


def test_one_class_told_apart_by_a_number_is_no_leak_and_all_are():
    codes = np.arange(300) % 3
    targets = Targets(("a", "b", "c"), np.eye(3, dtype=bool)[codes], False)
    rows = pd.DataFrame({"one": (codes == 0) * 1.0, "all": np.array(["x", "y", "z"])[codes]})
    auc = mean_feature_auc(rows, Features(numeric=["one"], categorical=["all"]), targets)
    assert auc["all"] == 1.0
    assert auc["one"] < 0.9
