"""Answers about held-out rows, written and read."""

import numpy as np

from include.learning.quantity.heldout import actual_in, answer_frame, answers_of, other_candidates
from include.learning.quantity.levels import Answers
from tests.include.learning.quantity.conftest import make_rows


def test_answers_are_read_back_and_candidates_named():
    rows = make_rows(1)
    actual = rows["_labels"].to_numpy()
    table = np.random.default_rng(0).normal(size=(len(rows), 4))
    said = {"p_model": Answers.from_table(table), "p_of_linear": Answers.from_table(table + 1)}
    frame = answer_frame(rows, actual, said, ["size"])
    assert np.array_equal(answers_of(frame, "p_model").to_table(), said["p_model"].to_table())
    assert other_candidates(frame) == ["linear"]
    assert np.array_equal(actual_in(frame), actual)
    assert frame["segment_size"].tolist() == rows["size"].tolist()
