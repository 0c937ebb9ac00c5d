import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from include.learning.data.columns import IS_POSITIVE
from include.learning.evaluation.gate_checks import check_directions
from include.learning.training.candidates import encode, fit_scorer
from include.learning.training.directions import hold_weights, signs_of
from include.learning.training.estimators import positive_probability
from include.problems.sections.learning import Training

N_ROWS = 400


def make_rows(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Make four columns, of which the second pulls down, and what happened."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N_ROWS, 4))
    x[:, 2] += 0.7 * x[:, 1]
    p = 1 / (1 + np.exp(-(x[:, 0] - 1.5 * x[:, 1] + 0.4 * x[:, 3])))
    return x, (rng.random(N_ROWS) < p).astype(np.int64)


def fit(x, y, strength: float = 1.0) -> LogisticRegression:
    return LogisticRegression(C=strength, solver="newton-cholesky", tol=1e-10).fit(x, y)


def held(x, y, signs, strength: float = 1.0) -> LogisticRegression:
    model = fit(x, y, strength)
    hold_weights(model, x, y, np.array(signs), 1 / strength)
    return model


def test_a_weight_that_points_the_wrong_way_is_nothing_and_others_fit_without_it():
    x, y = make_rows()
    alone = fit(np.delete(x, 1, axis=1), y)
    found = held(x, y, [0, 1, 0, 0])
    assert found.coef_[0, 1] == 0.0
    assert np.delete(found.coef_, 1, axis=1) == pytest.approx(alone.coef_, abs=1e-5)
    assert found.intercept_ == pytest.approx(alone.intercept_, abs=1e-5)
    # What a plain 0 in its place would leave: weights that were fitted beside the wrong one.
    assert np.abs(np.delete(fit(x, y).coef_, 1, axis=1) - alone.coef_).max() > 0.05


def test_weights_that_keep_their_directions_stay_to_the_bit():
    x, y = make_rows()
    assert (held(x, y, [1, -1, 0, 1]).coef_ == fit(x, y).coef_).all()


def test_no_allowed_weights_are_less_surprised():
    x, y = make_rows()
    found, rng = held(x, y, [-1, 1, 1, 0]), np.random.default_rng(0)

    def loss(weights, shift):
        margin = (2 * y - 1) * (x @ weights + shift)
        return np.logaddexp(0, -margin).sum() + weights @ weights / 2

    best = loss(found.coef_[0], found.intercept_[0])
    for _ in range(200):
        moved = found.coef_[0] + rng.normal(0, 0.05, 4)
        moved = np.array([min(moved[0], 0), max(moved[1], 0), max(moved[2], 0), moved[3]])
        assert loss(moved, found.intercept_[0] + rng.normal(0, 0.05)) >= best


def test_a_mirrored_column_with_a_mirrored_sign_gets_a_mirrored_weight():
    x, y = make_rows()
    mirrored = x * [1, 1, -1, 1]
    once, twice = held(x, y, [0, 1, 1, 0]), held(mirrored, y, [0, 1, -1, 0])
    assert twice.coef_ == pytest.approx(once.coef_ * [1, 1, -1, 1], abs=1e-5)


def test_a_sparse_matrix_gives_what_a_full_one_gives_and_strength_counts():
    x, y = make_rows()
    full, thin = held(x, y, [0, 1, 0, 0]), LogisticRegression(tol=1e-10).fit(x, y)
    hold_weights(thin, sparse.csr_matrix(x), y, np.array([0, 1, 0, 0]), 1.0)
    assert thin.coef_ == pytest.approx(full.coef_, abs=1e-5)
    assert np.abs(held(x, y, [0, 1, 0, 0], strength=0.01).coef_).max() < np.abs(full.coef_).max() / 1.2


def test_signs_stand_where_the_encoder_puts_its_numbers():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [2.0, 1.0], "c": [0.0, 1.0]})
    encoder = ColumnTransformer([("other", FunctionTransformer(), ["c"]), ("numbers", StandardScaler(), ["a", "b"])])
    encoder.fit(frame)
    assert signs_of(encoder, ("a", "b"), {"b": -1, "gone": 1}, 3).tolist() == [0, 0, -1]
    assert signs_of(FunctionTransformer(), ("a", "b"), {"b": -1}, 2).tolist() == [0, 0]


@pytest.mark.parametrize("kind", ["increasing", "decreasing"])
def test_a_scorecard_keeps_a_direction_that_its_rows_deny(kind):
    x, y = make_rows()
    rows = pd.DataFrame(x[:, :2], columns=["plain", "denied"]).assign(kind=np.where(x[:, 3] > 0, "a", "b"))
    rows[IS_POSITIVE] = y == (1 if kind == "increasing" else 0)
    features = {"numeric": ["plain", "denied"], "categorical": ["kind"], kind: ["denied"]}
    training = Training(model="scorecard", features=features)
    scorer = fit_scorer(encode("scorecard", rows, training), training, {})
    direction = {"denied": 1 if kind == "increasing" else -1}

    def predict(frame):
        return positive_probability(scorer.classifier, scorer.encoder.transform(frame))

    frame = rows[["plain", "denied", "kind"]].head(50)
    assert check_directions(predict, frame, direction).is_pass
    free = training.model_copy(update={"features": training.features.model_copy(update={kind: []})})
    scorer = fit_scorer(encode("scorecard", rows, free), free, {})
    assert not check_directions(predict, frame, direction).is_pass
