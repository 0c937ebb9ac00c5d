import numpy as np
import pandas as pd
import pytest

from include.learning import gating, models
from include.learning.calibrators import METHODS, apply_map, fit_map
from include.learning.features import build_features, learn_features
from include.problems.sections.learning import Features, Training
from tests.include.learning.conftest import make_mails, make_trips

TRIPS = Training(
    model="gradient_boosting",
    features=Features(numeric=["rain_mm", "hour"], categorical=["line"], increasing=["rain_mm"], decreasing=["hour"]),
)
MAILS = Training(model="text_logistic", features=Features(text=["subject", "body"]))


def fit(training: Training, rows: pd.DataFrame, is_positive: np.ndarray):
    name = training.candidates[0]
    spec = models.spec_of(name, learn_features(rows, training.features))
    encoder = models.make_encoder(name, spec)
    encoded = encoder.fit_transform(build_features(rows, spec))
    classifier = models.make_classifier(name, spec, training.features, training.seed)
    classifier.fit(encoded, is_positive.astype(int))
    return lambda asked: models.positive_probability(classifier, encoder.transform(build_features(asked, spec)))


@pytest.mark.parametrize("method", METHODS)
def test_gradient_boosting_breaks_no_direction_on_a_thousand_points_whatever_the_data_say_and_the_map(method: str):
    rows = make_trips("2013-01").assign(is_late=lambda rows: rows["delay_min"] > 15)
    assert models.directions_of(TRIPS.features) == {"rain_mm": 1, "hour": -1}  # hour rises in the data
    ask = fit(TRIPS, rows, rows["is_late"].to_numpy())
    score_map = fit_map(method, ask(rows), rows["is_late"].to_numpy())
    for name, direction in models.directions_of(TRIPS.features).items():
        against = gating.steps_against(lambda asked: apply_map(score_map, ask(asked)), rows[:30], name, direction)
        assert len(against) == 0


def test_gradient_boosting_answers_for_missing_values_and_unseen_categories():
    rows = make_trips("2013-01")
    ask = fit(TRIPS, rows, rows["delay_min"].to_numpy() > 15)
    p = ask(rows.assign(rain_mm=np.nan, line="never seen"))
    assert ((p > 0) & (p < 1)).all()


def test_a_category_is_used():
    rows = make_trips("2013-01")
    ask = fit(TRIPS, rows, (rows["line"] == "red").to_numpy())
    assert ask(rows.assign(line="red")).mean() > 0.9 > 0.1 > ask(rows.assign(line="blue")).mean()


def test_the_text_model_learns_words_it_was_shown():
    rows, truth = make_mails()
    ask = fit(MAILS, rows, np.array([truth[mail] == "junk" for mail in rows["mail_id"]]))
    probes = pd.DataFrame({"subject": ["", ""], "body": ["win money offer", "meeting patch report"]})
    junk, wanted = ask(probes)
    assert junk > 0.8 > 0.2 > wanted


def test_the_text_model_takes_numbers_and_categories_beside_the_words():
    rows, truth = make_mails()
    rows = rows.assign(size=np.arange(len(rows), dtype=float), kind=np.where(rows.index % 2, "html", "plain"))
    rows.loc[0, "size"] = np.nan
    training = Training(model="text_logistic", features=Features(text=["body"], numeric=["size"], categorical=["kind"]))
    ask = fit(training, rows, np.array([truth[mail] == "junk" for mail in rows["mail_id"]]))
    assert not np.allclose(ask(rows), ask(rows.assign(size=1e4)))
    assert not np.allclose(ask(rows), ask(rows.assign(kind="html")))


def test_the_seed_of_gradient_boosting_is_the_problems():
    spec = learn_features(make_trips("2013-01"), TRIPS.features)
    assert models.make_classifier("gradient_boosting", spec, TRIPS.features, 11).random_state == 11


@pytest.mark.parametrize("name", ["scorecard", "gaussian_process"])
def test_every_candidate_of_numbers_and_categories_learns_what_rain_does(name: str):
    rows = make_trips("2013-01", n_rows=300)
    ask = fit(TRIPS.model_copy(update={"model": name}), rows, rows["delay_min"].to_numpy() > 15)
    assert ask(rows.assign(rain_mm=6.0)).mean() > ask(rows.assign(rain_mm=0.0)).mean() + 0.3
    assert np.isfinite(ask(rows.assign(rain_mm=np.nan, line="never seen"))).all()


def test_pieces_of_words_know_a_korean_noun_whatever_is_glued_to_it_and_an_english_word_that_is_bent():
    """무료 is free, 회의 a meeting; 는, 를, 에 are particles."""
    junk, wanted = (
        ["무료는 지금", "무료를 받자", "free viagra", "viagra deal"],
        ["회의는 내일", "회의를 하자", "code review", "review done"],
    )
    rows = pd.DataFrame({"subject": "", "body": (junk + wanted) * 4})
    is_junk = np.array([True] * 4 + [False] * 4 * 1).repeat(1)
    ask = fit(MAILS.model_copy(update={"model": "text_characters"}), rows, np.tile(is_junk, 4))
    probes = pd.DataFrame({"subject": "", "body": ["무료에", "vviagraa", "회의에", "reviewing"]})
    p = ask(probes)
    assert p[:2].min() > 0.6 > 0.4 > p[2:].max()
    words = fit(MAILS, rows, np.tile(is_junk, 4))(probes)
    assert np.ptp(words) == 0  # whole words have seen none of these


def test_text_is_for_the_candidates_that_are_named_after_it():
    spec = learn_features(make_mails()[0].assign(size=1.0), Features(text=["body"], numeric=["size"]))
    assert models.spec_of("gradient_boosting", spec).text == ()
    assert models.spec_of("text_logistic", spec).text == ("body",)


def test_a_gaussian_process_is_for_a_thousand_rows_and_the_others_for_any():
    assert [models.is_for("gaussian_process", n) for n in (1_000, 1_001)] == [True, False]
    assert models.is_for("scorecard", 10**9)


def test_nothing_to_predict_gives_nothing():
    assert models.positive_probability(None, np.empty((0, 3))).shape == (0,)


def test_the_base_rate_is_never_certain():
    assert models.base_rate(np.zeros(8, dtype=bool)) == pytest.approx(1 / 10)
    assert models.base_rate(np.array([True, True, False])) == pytest.approx(3 / 5)
    assert models.base_rate(np.empty(0, dtype=bool)) == pytest.approx(0.5)


def test_the_rule_gives_each_side_its_own_rate():
    is_rule = np.array([True, True, False, False, False])
    is_positive = np.array([True, True, False, False, True])
    rates = models.rule_rates(is_rule, is_positive)
    assert rates == pytest.approx((2 / 5, 3 / 4))
    assert models.rule_probability(is_rule, rates).tolist() == pytest.approx([3 / 4, 3 / 4, 2 / 5, 2 / 5, 2 / 5])
