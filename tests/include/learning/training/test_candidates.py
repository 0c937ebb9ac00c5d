import logging

import numpy as np
import pandas as pd
import pytest
from optuna.trial import FixedTrial

from include.errors import NotEnoughLabels
from include.learning.data.columns import IS_POSITIVE
from include.learning.data.features import build_features
from include.learning.errors import BadFeatures
from include.learning.training import candidates, estimators
from include.learning.training.scorecard import read_scorecard
from include.problems.sections.learning import Features, Search, Training
from tests.include.learning.conftest import make_trips

TRIPS = Training(
    models=["gradient_boosting", "scorecard"], features=Features(numeric=["rain_mm", "hour"], categorical=["line"])
)
FOLDS = np.arange(300) % 3
ALONE = np.arange(300)


def trip_rows() -> pd.DataFrame:
    rows = make_trips("2013-01", n_rows=300)
    return rows.assign(**{IS_POSITIVE: rows["delay_min"] > 15})


def test_the_simplest_candidate_comes_first_whatever_the_order_of_the_file():
    assert candidates.contestants(TRIPS, 300) == ["scorecard", "gradient_boosting"]


def test_a_gaussian_process_leaves_when_rows_are_many_and_alone_it_is_refused(caplog: pytest.LogCaptureFixture):
    both = TRIPS.model_copy(update={"models": ["gaussian_process", "scorecard"]})
    assert candidates.contestants(both, 1_000) == ["scorecard", "gaussian_process"]
    with caplog.at_level(logging.INFO):
        assert candidates.contestants(both, 1_001) == ["scorecard"]
    assert "gaussian_process is left out" in caplog.text
    with pytest.raises(NotEnoughLabels, match=r"none of \['gaussian_process'\] can be fitted on 1,001 rows"):
        candidates.contestants(both.model_copy(update={"models": ["gaussian_process"]}), 1_001)


def test_a_fold_is_scored_by_a_model_that_never_saw_it():
    encoding = candidates.encode("gradient_boosting", trip_rows(), TRIPS)
    folds = np.where(FOLDS == 2, -1, FOLDS)
    first = candidates.score_out_of_fold(encoding, folds, ALONE, TRIPS, {})
    assert (np.isnan(first) == (folds == -1)).all()
    turned = trip_rows()
    turned.loc[folds == 0, IS_POSITIVE] = ~turned.loc[folds == 0, IS_POSITIVE]
    second = candidates.score_out_of_fold(
        candidates.encode("gradient_boosting", turned, TRIPS), folds, ALONE, TRIPS, {}
    )
    assert (first[folds == 0] == second[folds == 0]).all()
    assert (first[folds == 1] != second[folds == 1]).any()


def test_a_row_does_not_teach_another_one_of_its_group():
    encoding = candidates.encode("gradient_boosting", trip_rows(), TRIPS)
    alone = candidates.score_out_of_fold(encoding, FOLDS, ALONE, TRIPS, {})
    pairs = candidates.score_out_of_fold(encoding, FOLDS, ALONE // 2, TRIPS, {})
    assert (alone != pairs).any()


def search(trials: int = 4, budget: str = "PT1M", seed: int = 7) -> dict[str, object]:
    training = Training.model_validate(
        {
            "models": ["scorecard"],
            "features": {"numeric": ["rain_mm", "hour"]},
            "search": {"trials": trials, "budget": budget},
            "seed": seed,
        }
    )
    encoding = candidates.encode("scorecard", trip_rows(), training)
    return dict(candidates.search_settings(encoding, FOLDS, ALONE, training))


def test_a_search_finds_settings_that_surprise_less_and_finds_the_same_again(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO):
        found = search(trials=8)
    assert set(found) == {"C"}
    assert search(trials=8) == found
    assert search(trials=8, seed=8) != found
    assert "trial 0 of 8, the defaults" in caplog.text
    assert "trial 7 of 8" in caplog.text


def test_every_suggested_setting_is_one_that_the_classifier_knows():
    asked = {"learning_rate": 0.1, "max_iter": 30, "max_leaf_nodes": 8, "min_samples_leaf": 9, "l2_regularization": 0.1}
    settings = estimators.suggest_settings("gradient_boosting", FixedTrial(asked))
    assert settings == asked
    encoding = candidates.encode("gradient_boosting", trip_rows(), TRIPS)
    assert candidates.fit_scorer(encoding, TRIPS, settings).classifier.max_leaf_nodes == 8
    assert estimators.suggest_settings("text_logistic", FixedTrial({"C": 2.0})) == {"C": 2.0}
    assert estimators.suggest_settings("gaussian_process", FixedTrial({})) == {}


def test_without_a_section_and_with_the_defaults_alone_nothing_is_searched():
    encoding = candidates.encode("scorecard", trip_rows(), TRIPS)
    assert candidates.search_settings(encoding, FOLDS, ALONE, TRIPS) == {}
    assert search(trials=1) == {}


def test_how_strongly_pieces_are_held_is_tried_without_a_section():
    """Texts that two words tell apart want weak holding; texts of pure chance want strong holding."""
    training = Training(model="text_pieces", features=Features(text=["body"]))
    rng, found = np.random.default_rng(0), []
    for is_told in (True, False):
        is_positive = rng.random(300) < 0.5
        word = np.where(is_positive, "free", "meeting") if is_told else rng.choice(["free", "meeting"], 300)
        rows = pd.DataFrame({"body": [f"{own} {n % 7}" for n, own in enumerate(word)], IS_POSITIVE: is_positive})
        encoding = candidates.encode("text_pieces", rows, training)
        found.append(candidates.search_settings(encoding, FOLDS, ALONE, training))
    assert found == [{"C": 100.0}, {}]


def test_time_only_cuts_off():
    assert Search(trials=5).budget.total_seconds() == 30
    # Nothing can be tried in a microsecond beside what is running already: at most one trial is done.
    assert search(trials=50, budget="PT0.000001S") in ({}, search(trials=2))


def test_a_scorecard_says_what_one_step_more_does_to_the_odds():
    rows = trip_rows()
    scorer = candidates.fit_scorer(candidates.encode("scorecard", rows, TRIPS), TRIPS, {})
    terms = {(term.feature, term.term): term for term in read_scorecard(scorer, rows)}
    assert set(terms) == {("rain_mm", ""), ("hour", ""), ("line", "red"), ("line", "blue")}
    rain = terms["rain_mm", ""]
    assert rain.step == pytest.approx(rows["rain_mm"].std(ddof=0))
    assert rain.vif_ratio == pytest.approx(1.0, abs=0.05)
    wetter = rows.assign(rain_mm=rows["rain_mm"] + rain.step)
    odds = [p / (1 - p) for p in (scorer.score(rows), scorer.score(wetter))]
    assert odds[1] / odds[0] == pytest.approx(rain.odds_ratio)
    red, blue = (scorer.score(rows.assign(line=line)) for line in ("red", "blue"))
    ratio = (red / (1 - red)) / (blue / (1 - blue))
    assert ratio == pytest.approx(terms["line", "red"].odds_ratio / terms["line", "blue"].odds_ratio)
    assert terms["line", "red"].vif_ratio is None
    assert list(build_features(rows, scorer.spec)) == ["rain_mm", "hour", "line"]


def test_a_part_that_finds_no_word_is_left_out_and_said(caplog):
    rows = trip_rows().assign(body="?")
    training = Training(models=["text_logistic", "scorecard"], features=Features(numeric=["rain_mm"], text=["body"]))
    encodings, left_out = candidates.encode_all(rows, training)
    assert [encoding.name for encoding in encodings] == ["scorecard", "text_logistic"]
    assert left_out == ["text_logistic does without words: no text of 300 holds one."]
    assert left_out[0] in caplog.text
    text_alone = Training(model="text_logistic", features=Features(text=["body"]))
    with pytest.raises(BadFeatures, match=r"No candidate finds anything to learn from. text_logistic is left out"):
        candidates.encode_all(rows, text_alone)
