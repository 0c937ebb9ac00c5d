import numpy as np
import pandas as pd
import pytest

from include.errors import NotEnoughLabels
from include.learning.calibration.calibrators import apply_map
from include.learning.data.columns import BLOCK, IS_POSITIVE
from include.learning.training import refit as room
from include.learning.training.candidates import Scorer, encode, fit_scorer
from include.learning.training.refit import (
    Refit,
    answer_later,
    refit,
    refit_folds,
    refit_with_later,
    say_refit,
    thin_folds,
)
from include.problems.sections.learning import Features, Training

TRAINING = Training(model="scorecard", features=Features(numeric=["x"]))


def make_rows(n_days: int = 12, n_rows: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=n_days * n_rows)
    is_positive = rng.random(len(x)) < 1 / (1 + np.exp(-2 * x))
    return pd.DataFrame({"x": x, BLOCK: np.repeat(np.arange(n_days), n_rows), IS_POSITIVE: is_positive})


def chosen_on(rows: pd.DataFrame, **settings: float) -> Scorer:
    return fit_scorer(encode("scorecard", rows, TRAINING), TRAINING, settings)


def refit_all(rows: pd.DataFrame, method: str = "sigmoid", **settings: float) -> Refit:
    return refit(chosen_on(rows[:60], **settings), method, rows, np.arange(len(rows)), TRAINING)


def test_every_row_is_scored_by_a_fit_without_its_day(monkeypatch: pytest.MonkeyPatch):
    seen = []
    score = room.score_out_of_fold
    monkeypatch.setattr(room, "score_out_of_fold", lambda *given: seen.append(given[1]) or score(*given))
    rows = make_rows()
    fitted = refit_all(rows)
    (folds,) = seen
    assert all(len(set(folds[rows[BLOCK] == day])) == 1 for day in range(12))
    assert (set(folds), len(fitted.scores)) == ({0, 1, 2}, len(rows))


def test_the_settings_that_a_search_found_are_kept():
    rows = make_rows()
    assert refit_all(rows, C=1e-4).scorer.classifier.coef_[0, 0] < refit_all(rows).scorer.classifier.coef_[0, 0] / 2


def test_the_calibrator_is_of_the_kind_that_was_chosen():
    rows = make_rows()
    assert [refit_all(rows, method).model.method for method in ("none", "beta")] == ["none", "beta"]


def test_calibrated_scores_say_how_often_it_happens():
    fitted = refit_all(make_rows(60))
    said = apply_map(fitted.model.score_map, fitted.scores)
    assert said.mean() == pytest.approx(fitted.is_positive.mean(), abs=0.005)


def test_later_rows_are_scored_by_the_fit_that_has_not_seen_them():
    rows = make_rows()
    before = refit_all(rows[:300])
    last = refit_with_later(before, rows[300:], before.scorer.score(rows[300:]), rows, TRAINING)
    assert last.scores[300:].tolist() == before.scorer.score(rows[300:]).tolist()
    assert last.scorer.classifier.coef_[0, 0] != before.scorer.classifier.coef_[0, 0]
    assert last.is_positive.tolist() == rows[IS_POSITIVE].tolist()


def test_a_later_day_is_answered_by_other_days_and_all_before():
    rows = make_rows(60)
    rows.loc[900:, IS_POSITIVE] &= rows.index[900:] % 2 == 0
    before, later = refit_all(rows[:900]), rows[900:].copy()
    scores = before.scorer.score(later)
    first = answer_later(before, later, scores, 7)
    plain = apply_map(before.model.score_map, scores)
    assert later[IS_POSITIVE].mean() < first.mean() < plain.mean()
    is_last_day = (later[BLOCK] == 59).to_numpy()
    later.loc[is_last_day, IS_POSITIVE] = True
    second = answer_later(before, later, scores, 7)
    assert (first[is_last_day] == second[is_last_day]).all()
    assert (first != second).any()
    assert (answer_later(before, later, scores, 8) != second).any()


def test_of_a_long_history_some_folds_only_teach():
    folds, is_positive = np.repeat([0, 1, 2], 10), np.tile([True, False], 15)
    assert set(thin_folds(folds, is_positive, np.arange(30), enough=15)[20:]) == {-1}
    assert (thin_folds(folds, is_positive, np.arange(30), enough=31) == folds).all()


def test_a_fold_whose_teachers_are_of_one_class_only_teaches():
    folds, is_positive = np.repeat([0, 1, 2], 10), np.arange(30) < 5
    assert thin_folds(folds, is_positive, np.arange(30)).tolist() == [-1] * 10 + [0] * 10 + [1] * 10


def test_enough_rows_of_one_class_are_not_enough():
    folds, is_positive = np.repeat([0, 1, 2], 10), np.arange(30) % 30 >= 16
    assert set(thin_folds(folds, is_positive, np.arange(30), enough=5)[10:20]) == {1}


@pytest.mark.parametrize("method", ["temperature", "sigmoid", "beta", "isotonic"])
def test_groups_with_rows_on_every_day_are_dealt_whole(method: str):
    rows = make_rows()
    sites = np.arange(len(rows)) % 10
    fitted = refit(chosen_on(rows[:60]), method, rows, sites, TRAINING)
    assert (len(fitted.scores), 0 < fitted.is_positive.mean() < 1) == (len(rows), True)
    folds = refit_folds(rows[BLOCK].to_numpy(), rows[IS_POSITIVE].to_numpy(), sites, 7)
    assert all(len(set(folds[sites == site])) == 1 for site in range(10))


@pytest.mark.parametrize("seed", range(12))
def test_positives_of_two_days_are_scored_in_whatever_fold_they_fall(seed: int):
    is_positive = np.isin(np.arange(360) // 30, [3, 8]) & (np.arange(360) % 3 == 0)
    folds = refit_folds(np.arange(360) // 30, is_positive, np.arange(360), seed)
    assert is_positive[folds >= 0].sum() >= 10


def test_two_groups_of_a_class_teach_no_calibrator():
    is_positive, groups = np.arange(60) % 2 == 0, np.arange(60) % 2
    with pytest.raises(NotEnoughLabels):
        refit_folds(np.arange(60) // 10, is_positive, groups, 0)


def test_the_sentence_says_both_models_and_their_rows():
    said = say_refit(1600, 1200, 400, 1500)
    assert all(number in said for number in ("1,600", "1,200", "400", "1,500"))
