import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from include.learning.calibration.calibrators import Calibrated
from include.learning.data.features import build_features, learn_features
from include.learning.explain.perturbation import N_WORDS, FrameView, WordView, linear_columns
from include.learning.training import estimators
from include.learning.training.estimators import positive_probability
from include.problems.sections.learning import Features
from tests.include.learning.conftest import make_mails, make_trips

MAILS, TRIPS = Features(text=["subject", "body"]), Features(numeric=["rain_mm", "hour"], categorical=["line"])


def fit(name, features, rows, is_positive):
    """Fit a candidate as it serves; give the model, the frame it reads and what happened."""
    spec = learn_features(rows, features)
    frame = build_features(rows, spec)
    encoder = estimators.make_encoder(name, spec, frame)
    encoded = encoder.fit_transform(frame)
    classifier = estimators.make_classifier(name, spec, features, 1).fit(encoded, is_positive.astype(int))
    return Pipeline([("encode", encoder), ("classify", Calibrated(classifier))]), frame, is_positive


@pytest.fixture
def mails():
    rows, truth = make_mails()
    return fit("text_logistic", MAILS, rows, np.array([truth[mail] == "junk" for mail in rows["mail_id"]]))


@pytest.fixture
def trips():
    rows = make_trips("2013-01")
    return fit("gradient_boosting", TRIPS, rows, rows["delay_min"].to_numpy() > 15)


def test_a_view_that_is_not_changed_answers_as_the_model_does(mails, trips):
    for view, (model, frame, _) in ((WordView(*mails[:2]), mails), (FrameView(*trips[:2]), trips)):
        assert view.predict(view.frame) == pytest.approx(positive_probability(model, frame))


def test_taking_a_telling_word_from_a_text_moves_its_probability(mails):
    view = WordView(*mails[:2])
    assert len(view.features) == N_WORDS
    word = next(name for name in view.features if name in {"win", "money", "offer", "free", "now"})
    without = view.predict(view.frame.assign(**{word: 0.0}))
    has = (view.frame[word] > 0).to_numpy()
    assert (without[has] < view.predict(view.frame)[has]).all()
    assert (without[~has] == view.predict(view.frame)[~has]).all()
    assert set(view.presence[word]) == {"has it", "has it not"}


def test_a_model_that_is_fitted_without_what_tells_knows_less(mails, trips):
    for view, (_, _, happened), name in (
        (WordView(*mails[:2]), mails, None),
        (FrameView(*trips[:2]), trips, "rain_mm"),
    ):
        is_fit = np.arange(len(happened)) % 2 == 0
        whole = view.refit_without(None, is_fit, happened)
        name = name or view.features[0]
        less = view.refit_without(name, is_fit, happened)
        assert whole.shape == less.shape == ((~is_fit).sum(),)
        assert np.abs(whole - less).max() > 0.01


def test_a_linear_model_reads_scaled_numbers_and_usual_categories(trips):
    columns, names = linear_columns(FrameView(*trips[:2]))
    assert names == ["rain_mm", "hour", "line", "line"]
    assert columns[:, :2].std(axis=0) == pytest.approx([1.0, 1.0])
    assert set(np.unique(columns[:, 2:])) == {0.0, 1.0}
    lonely = FrameView(trips[0], trips[1].assign(rain_mm=np.nan))
    assert np.isfinite(linear_columns(lonely)[0]).all()
    assert isinstance(trips[1], pd.DataFrame)
