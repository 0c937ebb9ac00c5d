import numpy as np
import pytest

from include.learning.errors import BadFeatures
from include.learning.several.class_candidates import (
    FEW_SETTINGS,
    fit_one,
    mean_loss,
    read_all,
    row_loss,
    score_out_of_fold,
    search_settings,
    simplest_of_the_best,
)
from include.problems.sections.learning import Search, Training
from tests.include.learning.several.conftest import KINDS, TRAINING, make_rows


@pytest.fixture(scope="module")
def reading():
    rows = make_rows(200)
    codes = np.array([KINDS.index(kind) for kind in rows["kind"]])
    [found], said = read_all(rows, codes, TRAINING)
    assert said == []
    return found


def test_a_row_is_scored_by_a_classifier_that_did_not_see_it(reading):
    folds, groups = np.arange(len(reading.codes)) % 5, np.arange(len(reading.codes))
    scores = score_out_of_fold(reading, folds, groups, TRAINING, {})
    own = fit_one(reading, TRAINING, {}, folds != 0).predict_proba(reading.rows_where(folds == 0))
    assert scores[folds == 0] == pytest.approx(own)
    assert scores.sum(axis=1) == pytest.approx(1.0)
    assert mean_loss(scores, reading.codes) < np.log(3)


def test_a_class_that_a_fold_has_not_seen_is_unlikely_and_not_impossible(reading):
    folds = np.where(reading.codes == 2, 0, np.where(reading.codes == 1, 1, -1))
    scores = score_out_of_fold(reading, folds, np.arange(len(folds)), TRAINING, {})
    unseen = scores[folds == 0][:, 2]
    assert (unseen > 0).all()
    assert (unseen < 0.05).all()


def test_few_settings_are_tried_without_a_search_and_more_where_the_file_asks(reading):
    folds, groups = np.arange(len(reading.codes)) % 2, np.arange(len(reading.codes))
    assert search_settings(reading, folds, groups, TRAINING, 1.0) in FEW_SETTINGS["scorecard"]
    asked = TRAINING.model_copy(update={"search": Search(trials=3)})
    assert set(search_settings(reading, folds, groups, asked, 1.0)) <= {"C"}


def test_texts_without_a_word_leave_nothing_to_learn_from():
    rows = make_rows(50).assign(text="!!")
    wordless = Training(model="text_logistic", features={"text": ["text"]})
    with pytest.raises(BadFeatures, match=r"No candidate finds anything to learn from\. text_logistic is left out"):
        read_all(rows, np.zeros(len(rows), dtype=np.int64), wordless)


def test_the_simplest_within_one_standard_error_is_chosen():
    rng = np.random.default_rng(0)
    simple = rng.exponential(1.0, 400)
    luckier, better = simple - rng.normal(0.01, 1.0, 400), simple - rng.normal(0.5, 0.1, 400)
    assert simplest_of_the_best([simple, luckier]) == 0
    assert simplest_of_the_best([simple, luckier, better]) == 2
    assert simplest_of_the_best([simple, simple]) == 0


def test_the_loss_of_a_row_is_that_of_its_class():
    assert row_loss(np.array([[0.25, 0.75]]), np.array([1])) == pytest.approx(-np.log(0.75))
