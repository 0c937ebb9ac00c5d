import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from include.learning.calibration.calibrators import METHODS, Calibrated, LogisticMap, apply_map, fit_map


def make_scores(n_rows: int = 3_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores that are too far from one half, and too high."""
    rng = np.random.default_rng(seed)
    p = rng.beta(0.6, 1.0, n_rows)
    return p, rng.random(n_rows) < expit(0.5 * logit(np.clip(p, 1e-6, 1 - 1e-6)) - 0.7)


class Scores(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier whose only feature is its own log-odds: lets another library calibrate bare scores."""

    def __init__(self) -> None:
        self.classes_ = np.array([0, 1])

    def fit(self, x: np.ndarray, y: np.ndarray) -> "Scores":
        return self

    def decision_function(self, x: np.ndarray) -> np.ndarray:
        return x[:, 0]

    def predict(self, x: np.ndarray) -> np.ndarray:
        return (x[:, 0] >= 0).astype(int)

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return np.column_stack([1 - expit(x[:, 0]), expit(x[:, 0])])


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
def test_it_is_the_map_that_scikit_learn_finds(method: str):
    p, happened = make_scores()
    theirs = CalibratedClassifierCV(FrozenEstimator(Scores()), method=method)
    theirs.fit(logit(p)[:, None], happened.astype(int))
    asked = np.linspace(0.02, 0.98, 50)
    expected = theirs.predict_proba(logit(asked)[:, None])[:, 1]
    assert apply_map(fit_map(method, p, happened), asked) == pytest.approx(expected, abs=2e-3)


def test_beta_is_the_logistic_regression_on_both_logarithms():
    p, happened = make_scores()
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    theirs.fit(np.column_stack([np.log(p), -np.log(1 - p)]), happened.astype(int))
    assert (theirs.coef_ > 0).all()  # else the paper's rule and the bound would differ
    found = fit_map("beta", p, happened).weights_
    assert found == pytest.approx([*theirs.coef_[0], *theirs.intercept_], abs=5e-3)


def test_beta_is_as_good_as_a_general_minimiser_at_a_zero_weight():
    p, happened = make_scores()
    turned = 1 - p

    def loss(weights: np.ndarray) -> float:
        odds = weights[0] * np.log(turned) - weights[1] * np.log(1 - turned) + weights[2]
        return float(np.mean(np.logaddexp(0, odds) - happened * odds))

    other = minimize(loss, [0.5, 0.5, 0.0], method="Nelder-Mead", bounds=[(0, None), (0, None), (None, None)])
    found = fit_map("beta", turned, happened).weights_
    assert (found[:2] >= 0).all()
    assert loss(found) <= other.fun + 1e-5


def test_by_hand_a_temperature_of_two_halves_the_log_odds():
    rng = np.random.default_rng(1)
    truth = rng.normal(0, 1.5, 200_000)
    happened = rng.random(len(truth)) < expit(truth)
    assert fit_map("temperature", expit(2 * truth), happened).weights_ == pytest.approx([0.5], abs=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_no_map_turns_the_order_of_rows_or_leaves_0_to_1(method: str):
    p, happened = make_scores(300)
    for outcome in (happened, ~happened):  # the second one would like to turn it
        mapped = apply_map(fit_map(method, p, outcome), np.linspace(0, 1, 1_001))
        assert (np.diff(mapped) >= 0).all()
        assert ((mapped >= 0) & (mapped <= 1)).all()


def test_a_few_rows_split_perfectly_do_not_make_a_sigmoid_certain():
    p, happened = np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True])
    mapped = apply_map(fit_map("sigmoid", p, happened), p)
    assert 0.05 < mapped.min() < 0.5 < mapped.max() < 0.95


def test_none_changes_nothing_and_nothing_gives_nothing():
    p, happened = make_scores(50)
    assert apply_map(fit_map("none", p, happened), p).tolist() == p.tolist()
    assert apply_map(fit_map("beta", p, happened), p[:0]).shape == (0,)


def test_mirroring_scores_and_outcomes_mirrors_the_map():
    p, happened = make_scores(500)
    for method in METHODS:
        ours, theirs = fit_map(method, p, happened), fit_map(method, 1 - p, ~happened)
        assert apply_map(ours, p) == pytest.approx(1 - apply_map(theirs, 1 - p), abs=2e-4), method


def test_a_calibrated_model_is_fitted_anew_without_touching_its_classifier():
    p, happened = make_scores(500)
    x = logit(p)[:, None]
    model = Calibrated(Scores(), "sigmoid", fit_map("sigmoid", p, happened))
    assert model.predict_proba(x).sum(axis=1) == pytest.approx(1.0)
    assert (model.predict(x) == (model.predict_proba(x)[:, 1] >= 0.5)).all()
    before = model.predict_proba(x)[:, 1].mean()
    model.fit(x, np.ones(500, dtype=int) - happened * 0)
    assert model.predict_proba(x)[:, 1].mean() > before


def test_the_kind_decides_the_number_of_weights():
    p, happened = make_scores(100)
    n_weights = {kind: len(LogisticMap(kind).fit(p, happened).weights_) for kind in ("temperature", "sigmoid", "beta")}
    assert n_weights == {"temperature": 1, "sigmoid": 2, "beta": 3}


@pytest.mark.parametrize("method", ["temperature", "beta"])
def test_targets_of_platt_belong_to_his_map_alone(method: str):
    # 40 rows: Platt's targets would pull the others towards one half by more than a tenth.
    p, happened = make_scores(40, seed=2)

    def loss(weights: np.ndarray) -> float:
        odds = LogisticMap(method)._design(p) @ weights
        return float(np.mean(np.logaddexp(0, odds) - happened * odds))

    found = fit_map(method, p, happened)
    bounds = [(0, None)] * (1 if method == "temperature" else 2) + [(None, None)] * (method == "beta")
    best = minimize(loss, np.ones(len(bounds)) * 0.5, method="Nelder-Mead", bounds=bounds, options={"maxiter": 5_000})
    assert loss(found.weights_) <= best.fun + 2e-4


@pytest.mark.parametrize("method", ["temperature", "beta"])
def test_a_few_rows_split_perfectly_leave_every_map_finite(method: str):
    p, happened = np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True])
    found = fit_map(method, p, happened)
    assert np.abs(found.weights_).max() < 20
    assert 0 < apply_map(found, p).min() < apply_map(found, p).max() < 1
