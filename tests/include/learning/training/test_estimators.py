import numpy as np
import pandas as pd
import pytest

from include.learning.calibration.calibrators import METHODS, apply_map, fit_map
from include.learning.data.features import FeatureSpec, build_features, learn_features
from include.learning.errors import NothingToRead
from include.learning.evaluation import gate_checks
from include.learning.training import estimators
from include.problems.sections.learning import Features, Training
from tests.include.learning.conftest import make_mails, make_trips

TRIPS = Training(
    model="gradient_boosting",
    features=Features(numeric=["rain_mm", "hour"], categorical=["line"], increasing=["rain_mm"], decreasing=["hour"]),
)
MAILS = Training(model="text_logistic", features=Features(text=["subject", "body"]))


def fit(training: Training, rows: pd.DataFrame, is_positive: np.ndarray):
    name = training.candidates[0]
    spec = estimators.spec_of(name, learn_features(rows, training.features))
    frame = build_features(rows, spec)
    encoder = estimators.make_encoder(name, spec, frame)
    encoded = encoder.fit_transform(frame)
    classifier = estimators.make_classifier(name, spec, training.features, training.seed)
    classifier.fit(encoded, is_positive.astype(int))
    return lambda asked: estimators.positive_probability(classifier, encoder.transform(build_features(asked, spec)))


@pytest.mark.parametrize("method", METHODS)
def test_gradient_boosting_breaks_no_direction_with_any_data_or_calibrator(method: str):
    rows = make_trips("2013-01").assign(is_late=lambda rows: rows["delay_min"] > 15)
    assert estimators.directions_of(TRIPS.features) == {"rain_mm": 1, "hour": -1}  # hour rises in the data
    ask = fit(TRIPS, rows, rows["is_late"].to_numpy())
    score_map = fit_map(method, ask(rows), rows["is_late"].to_numpy())
    for name, direction in estimators.directions_of(TRIPS.features).items():
        against = gate_checks.steps_against(lambda asked: apply_map(score_map, ask(asked)), rows[:30], name, direction)
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
    assert estimators.make_classifier("gradient_boosting", spec, TRIPS.features, 11).random_state == 11


@pytest.mark.parametrize("name", ["scorecard", "gaussian_process"])
def test_every_candidate_of_numbers_and_categories_learns_what_rain_does(name: str):
    rows = make_trips("2013-01", n_rows=300)
    ask = fit(TRIPS.model_copy(update={"model": name}), rows, rows["delay_min"].to_numpy() > 15)
    assert ask(rows.assign(rain_mm=6.0)).mean() > ask(rows.assign(rain_mm=0.0)).mean() + 0.3
    assert np.isfinite(ask(rows.assign(rain_mm=np.nan, line="never seen"))).all()


def test_character_pieces_know_korean_nouns_with_particles_and_bent_english_words():
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


def test_short_pieces_are_read_without_words_and_held_more_strongly():
    texts = ["무료는 지금", "무료를 받자"]
    assert {part: max(map(len, terms)) for part, terms in vocabulary(texts, "text_pieces").items()} == {"characters": 3}
    spec = FeatureSpec((), {}, ("body",))
    made = [estimators.make_classifier(name, spec, MAILS.features, 7) for name in ("text_pieces", "text_characters")]
    assert [classifier.C for classifier in made] == [1.0, 100.0]
    assert estimators.make_classifier("text_pieces", spec, MAILS.features, 7, {"C": 10.0}).C == 10.0


def test_text_is_for_the_candidates_that_are_named_after_it():
    spec = learn_features(make_mails()[0].assign(size=1.0), Features(text=["body"], numeric=["size"]))
    assert estimators.spec_of("gradient_boosting", spec).text == ()
    assert estimators.spec_of("text_logistic", spec).text == ("body",)


def test_a_gaussian_process_is_for_a_thousand_rows_and_the_others_for_any():
    assert [estimators.is_for("gaussian_process", n) for n in (1_000, 1_001)] == [True, False]
    assert estimators.is_for("scorecard", 10**9)


def test_nothing_to_predict_gives_nothing():
    assert estimators.positive_probability(None, np.empty((0, 3))).shape == (0,)


def test_the_base_rate_is_never_certain():
    assert estimators.base_rate(np.zeros(8, dtype=bool)) == pytest.approx(1 / 10)
    assert estimators.base_rate(np.array([True, True, False])) == pytest.approx(3 / 5)
    assert estimators.base_rate(np.empty(0, dtype=bool)) == pytest.approx(0.5)


def test_the_rule_gives_each_side_its_own_rate():
    is_rule = np.array([True, True, False, False, False])
    is_positive = np.array([True, True, False, False, True])
    rates = estimators.rule_rates(is_rule, is_positive)
    assert rates == pytest.approx((2 / 5, 3 / 4))
    assert estimators.rule_probability(is_rule, rates).tolist() == pytest.approx([3 / 4, 3 / 4, 2 / 5, 2 / 5, 2 / 5])


def vocabulary(texts: list[str], name: str = "text_characters") -> dict[str, set[str]]:
    """Fit the encoder of a text candidate; give the terms of each part."""
    spec, frame = FeatureSpec((), {}, ("body",)), pd.DataFrame({"text": texts})
    encoder = estimators.make_encoder(name, spec, frame)
    encoder.fit_transform(frame)
    return {part: set(fitted.vocabulary_) for part, fitted in encoder.named_transformers_.items()}


def test_a_word_of_one_text_is_left_out_only_among_many_texts():
    texts = [f"same {chr(97 + place)}{chr(97 + place)}" for place in range(20)]
    assert vocabulary(texts)["words"] == {"same"}
    assert vocabulary(texts[:19])["words"] == {"same", *(text[5:] for text in texts[:19])}


def test_many_texts_without_a_common_word_keep_the_words_they_have():
    texts = [chr(97 + place // 26) + chr(97 + place % 26) for place in range(60)]
    assert vocabulary(texts, "text_logistic")["words"] == set(texts)


@pytest.mark.parametrize("texts", [["!", "?", "a", "b"] * 20, ["a", "", " ", "x"]])
def test_texts_without_a_word_are_read_by_their_characters_alone(texts: list[str]):
    assert set(vocabulary(texts)) == {"characters"}
    spec, frame = FeatureSpec((), {}, ("body",)), pd.DataFrame({"text": texts})
    encoder = estimators.make_encoder("text_characters", spec, frame)
    assert estimators.missing_parts("text_characters", spec, encoder) == ["words"]


def test_numbers_are_read_beside_empty_texts_and_empty_text_alone_is_refused():
    frame = pd.DataFrame({"text": ["", " "], "rain_mm": [1.0, 2.0]})
    encoder = estimators.make_encoder("text_logistic", FeatureSpec(("rain_mm",), {}, ("body",)), frame)
    assert encoder.fit_transform(frame).shape == (2, 1)
    with pytest.raises(NothingToRead, match=r"text_logistic reads text alone, and not one of 2 texts"):
        estimators.make_encoder("text_logistic", FeatureSpec((), {}, ("body",)), frame)
