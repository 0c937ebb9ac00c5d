import numpy as np
import pandas as pd
import pytest

from include.errors import NotEnoughLabels
from include.learning.data.columns import BLOCK
from include.learning.data.splits import teaches
from include.learning.several.refit import refit_classes, scorable_folds
from include.learning.several.targets import Targets
from include.problems.sections.learning import Features, Training

TRAINING = Training(model="scorecard", features=Features(numeric=["x"]))
CLASSES = ("low", "middle", "high")


def make_rows(n_rows: int = 300) -> tuple[pd.DataFrame, Targets]:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 3, n_rows)
    rows = pd.DataFrame({"x": codes + rng.normal(0, 0.7, n_rows), BLOCK: np.arange(n_rows) // 10})
    return rows, Targets(CLASSES, np.eye(3, dtype=np.bool_)[codes], False)


def test_a_refit_calibrates_on_every_row_of_a_learned_class():
    rows, targets = make_rows()
    found = refit_classes("scorecard", {}, "vector", rows, targets, np.arange(300), TRAINING)
    assert (found.n_scored, found.model.method, found.model.classes) == (300, "vector", list(CLASSES))
    assert np.allclose(found.model.predict_proba(found.reading.encoded).sum(axis=1), 1)


def test_a_class_that_has_enough_rows_now_is_learned():
    rows, targets = make_rows()
    rare = np.flatnonzero(targets.flags[:, 2])[4:]
    few = np.setdiff1d(np.arange(300), rare)
    before = refit_classes("scorecard", {}, "none", rows.iloc[few], targets.where(few), few, TRAINING)
    after = refit_classes("scorecard", {}, "none", rows, targets, np.arange(300), TRAINING)
    assert (before.model.shares[2] > 0, after.model.shares[2]) == (True, 0)
    assert before.n_scored == len(few) - 4


def test_the_settings_that_were_found_are_kept():
    rows, targets = make_rows()
    held, free = (
        refit_classes("scorecard", settings, "none", rows, targets, np.arange(300), TRAINING)
        for settings in ({"C": 1e-4}, {})
    )
    assert np.abs(held.model.estimator.coef_).max() < np.abs(free.model.estimator.coef_).max() / 2


def test_rows_of_one_group_never_teach_each_other():
    rows, targets = make_rows()
    groups = np.zeros(300, dtype=np.int64)
    groups[150:] = np.arange(1, 151)
    alone = refit_classes("scorecard", {}, "vector", rows, targets, np.arange(300), TRAINING)
    grouped = refit_classes("scorecard", {}, "vector", rows, targets, groups, TRAINING)
    assert (alone.model.score_map.weights_ != grouped.model.score_map.weights_).any()


def test_groups_with_rows_on_every_day_are_dealt_whole():
    rows, targets = make_rows()
    found = refit_classes("scorecard", {}, "temperature", rows, targets, np.arange(300) % 15, TRAINING)
    assert found.n_scored == 300
    p = found.model.predict_proba(found.reading.encoded)
    assert np.log(p[np.arange(300), targets.flags.argmax(axis=1)]).mean() > -0.8


def test_a_fold_whose_teachers_are_of_one_class_only_teaches():
    codes, days = np.repeat([0, 1, 0, 1, 2, 0], 20), np.repeat(np.arange(6), 20)
    targets = Targets(CLASSES, np.eye(3, dtype=np.bool_)[codes], False)
    groups = np.where(np.isin(days, [1, 4]), 0, np.arange(120) + 1)
    folds = scorable_folds(pd.DataFrame({BLOCK: days}), codes, targets, groups, 0)
    for fold in range(folds.max() + 1):
        assert len(set(codes[teaches(folds, groups, fold)])) > 1


def test_one_group_teaches_no_calibrator():
    rows, targets = make_rows()
    with pytest.raises(NotEnoughLabels, match="labels are of 1 groups"):
        refit_classes("scorecard", {}, "vector", rows, targets, np.zeros(300, dtype=np.int64), TRAINING)
