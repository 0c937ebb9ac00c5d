import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from include.learning import metrics
from include.learning.calibration_of_models import calibrate_fitted, fit_calibrated, uncalibrated
from include.learning.models import positive_probability


def make_rows(n_rows: int, seed: int, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, 1))
    return x, rng.random(n_rows) < 1 / (1 + np.exp(-(2 * x[:, 0] + shift)))


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_a_shifted_world_is_calibrated_again_without_changing_the_model(method: str):
    x, y = make_rows(2_000, 0)
    classifier = LogisticRegression().fit(x, y.astype(int))
    before = classifier.coef_.copy()
    later_x, later_y = make_rows(2_000, 1, shift=-2)
    model = calibrate_fitted(classifier, later_x, later_y, method)
    new_x, new_y = make_rows(2_000, 2, shift=-2)
    one = metrics.ones(len(new_x))
    assert metrics.ece(new_y, positive_probability(classifier, new_x), one)[0] > 0.15
    assert metrics.ece(new_y, positive_probability(model, new_x), one)[0] < 0.04
    assert (classifier.coef_ == before).all()


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibration_never_turns_the_order_of_two_rows(method: str):
    x, y = make_rows(500, 0)
    model = calibrate_fitted(LogisticRegression().fit(x, y.astype(int)), *make_rows(500, 1), method)
    assert (np.diff(positive_probability(model, np.linspace(-4, 4, 100)[:, None])) >= 0).all()


def test_few_rows_give_one_model_and_folds_follow_the_rarer_class():
    x, y = make_rows(40, 0)
    y[:] = False
    y[:3] = True
    model = fit_calibrated(LogisticRegression(), x, y, "sigmoid", seed=1)
    assert len(model.calibrated_classifiers_) == 1
    assert model.cv.n_splits == 3


def test_the_seed_chooses_the_folds():
    x, y = make_rows(60, 0)
    answers = [
        positive_probability(fit_calibrated(LogisticRegression(), x, y, "sigmoid", seed), x) for seed in (1, 1, 2)
    ]
    assert (answers[0] == answers[1]).all()
    assert (answers[0] != answers[2]).any()


def test_the_classifier_inside_is_the_one_that_was_fitted():
    x, y = make_rows(60, 0)
    inside = uncalibrated(fit_calibrated(LogisticRegression(), x, y, "sigmoid", seed=1))
    assert inside.coef_ == pytest.approx(LogisticRegression().fit(x, y.astype(int)).coef_)
