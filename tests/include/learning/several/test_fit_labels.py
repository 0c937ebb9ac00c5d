import numpy as np
import pandas as pd
import pytest

from include.errors import NotEnoughLabels
from include.learning.data.splits import split_by_time
from include.learning.several.fit_labels import EACH, fit_labels_by_folds, fit_labels_by_time, shares_of_labels
from include.learning.several.heldout import table_of, targets_in
from include.learning.several.targets import read_targets
from include.learning.training.fit import fit_by_time
from tests.include.learning.several.conftest import MARKS, TRAINING, make_rows


def test_each_label_is_what_a_model_of_two_sides_says_of_it(fitted_marks):
    rows = make_rows()
    alone = rows.assign(_is_positive=rows["marks"].str.split().map(lambda names: "ill" in names))
    one = fit_by_time(alone, split_by_time(sorted(set(rows["_partition_key"])), 3), TRAINING)
    seen = pd.Series(table_of(fitted_marks.heldout, "p_model", MARKS)[:, 0], index=fitted_marks.heldout["_row_key"])
    assert seen.loc[one.heldout["_row_key"]].tolist() == one.heldout["p_model"].tolist()
    assert fitted_marks.model_name == EACH


def test_a_label_that_nobody_has_gets_its_share_and_is_said(fitted_marks):
    assert fitted_marks.said[0].startswith("'tall' has no model of its own: 0 of")
    share = table_of(fitted_marks.heldout, "p_model", MARKS)[:, 2]
    assert (share == share[0]).all()
    assert 0 < share[0] < 0.01


def test_rows_with_none_one_and_several_labels_are_kept_apart(fitted_marks):
    counts = targets_in(fitted_marks.heldout, MARKS, is_multiple=True).flags.sum(axis=1)
    assert {0, 1, 2} <= set(counts.tolist())


def test_without_any_label_nothing_can_be_learned():
    rows = make_rows(100)
    rows["_labels"] = [[] for _ in range(len(rows))]
    targets, _ = read_targets(rows["_labels"], MARKS, is_multiple=True)
    with pytest.raises(NotEnoughLabels, match="None of 3 labels can be learned"):
        fit_labels_by_folds(rows, targets, TRAINING)
    with pytest.raises(NotEnoughLabels, match="None of 3 labels can be learned"):
        fit_labels_by_time(rows, targets, split_by_time(sorted(set(rows["_partition_key"])), 3), TRAINING)


def test_a_share_is_never_nothing():
    targets, _ = read_targets(pd.Series([["ill"], []]), MARKS, is_multiple=True)
    assert shares_of_labels(targets).tolist() == pytest.approx([2 / 4, 1 / 4, 1 / 4])
    assert np.isfinite(shares_of_labels(targets)).all()
