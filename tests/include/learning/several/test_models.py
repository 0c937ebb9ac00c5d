import numpy as np
import pytest
from scipy.special import softmax

from include.learning.several.models import (
    ClassesModel,
    LabelsModel,
    SoftmaxMap,
    apply_map,
    fit_map,
    score_classes,
    spread,
)


class Fixed:
    """A classifier that says what it was told, in single precision."""

    def __init__(self, p):
        self.p = np.asarray(p, dtype=np.float32)

    def predict_proba(self, encoded):
        return self.p


def draw(n_rows=4_000, sharpness=2.0, seed=0):
    """Draw outcomes from scores that are `sharpness` times too sure."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, (n_rows, 3))
    p = softmax(logits, axis=1)
    codes = np.array([rng.choice(3, p=row) for row in p])
    return softmax(sharpness * logits, axis=1), codes, p


def test_temperature_finds_how_much_too_sure_scores_are():
    scores, codes, _ = draw()
    fitted = SoftmaxMap("temperature").fit(scores, codes)
    assert fitted.weights_[0] == pytest.approx(0.5, abs=0.05)


def test_vector_finds_the_offset_of_a_class_that_is_said_too_often():
    _, codes, p = draw(sharpness=1.0)
    tilted = p * np.array([3.0, 1.0, 1.0])
    fitted = SoftmaxMap("vector").fit(tilted / tilted.sum(axis=1, keepdims=True), codes)
    assert fitted.weights_[3] - fitted.weights_[4] == pytest.approx(-np.log(3), abs=0.15)
    assert np.abs(fitted.predict(tilted / tilted.sum(axis=1, keepdims=True)) - p).mean() < 0.02


@pytest.mark.parametrize("method", ["none", "temperature", "vector"])
def test_a_calibrated_row_sums_to_one_whatever_the_method(method):
    scores, codes, _ = draw(300)
    p = apply_map(fit_map(method, scores, codes), np.array([[1.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 3]]))
    assert p.sum(axis=1) == pytest.approx(1.0)
    assert np.isfinite(p).all()


def test_a_few_rows_that_agree_make_no_calibrator_certain():
    scores = np.tile([0.8, 0.1, 0.1], (4, 1))
    p = apply_map(fit_map("vector", scores, np.zeros(4, dtype=np.int64)), scores)
    assert p[0, 0] < 0.9999


def test_a_class_too_rare_to_learn_keeps_its_share_and_rows_sum_to_one():
    p = spread(np.array([[0.5, 0.5]]), np.array([0.0, 0.1, 0.0]))
    assert p.tolist() == [[0.45, 0.1, 0.45]]


def test_single_precision_scores_sum_to_one_in_double():
    assert score_classes(Fixed([[0.1, 0.2, 0.7]]), None).sum() == pytest.approx(1.0, abs=1e-15)


def test_a_model_of_classes_answers_for_all_of_them():
    model = ClassesModel(Fixed([[0.25, 0.75]]), ["a", "b", "c"], np.array([0.0, 0.2, 0.0]))
    assert model.predict_proba(None)[0].tolist() == pytest.approx([0.2, 0.2, 0.6])
    assert model.classes_.tolist() == [0, 1, 2]


def test_a_label_without_a_model_gets_its_share_in_every_row():
    model = LabelsModel([None, None], ["a", "b"], np.array([0.3, 0.01]), [[], []])
    assert model.predict_proba(np.zeros((2, 1))).tolist() == [[0.3, 0.01], [0.3, 0.01]]
