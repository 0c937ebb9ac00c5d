import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from include.learning import metrics
from include.learning.calibration.calibrators import METHODS
from include.learning.calibration.selection import best_method, calibrate, choose, fold_blocks, methods_of, uncalibrated
from include.learning.training.estimators import positive_probability


def make_rows(n_rows: int, seed: int, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_rows, 1))
    return x, rng.random(n_rows) < expit(2 * x[:, 0] + shift)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "beta"])
def test_a_shifted_world_is_calibrated_again_without_changing_the_model(method: str):
    x, y = make_rows(2_000, 0)
    classifier = LogisticRegression().fit(x, y.astype(int))
    before = classifier.coef_.copy()
    later_x, later_y = make_rows(2_000, 1, shift=-2)
    model = calibrate(classifier, method, positive_probability(classifier, later_x), later_y)
    new_x, new_y = make_rows(2_000, 2, shift=-2)
    assert metrics.ece(new_y, positive_probability(classifier, new_x)) > 0.15
    assert metrics.ece(new_y, positive_probability(model, new_x)) < 0.04
    assert (classifier.coef_ == before).all()
    assert uncalibrated(model) is classifier


def test_the_true_kind_of_distortion_is_chosen_and_measured_on_all_rows():
    rng = np.random.default_rng(3)
    odds = rng.normal(0, 1.5, 20_000)
    happened = rng.random(len(odds)) < expit(odds)
    blocks = np.arange(len(odds)) // 100
    for distorted, expected in ((odds, "none"), (3 * odds, "temperature"), (odds + 1.5, "sigmoid")):
        choices = choose({"m": expit(distorted)}, happened, blocks, "choose", seed=1)
        best = next(choice for choice in choices if choice.is_chosen)
        assert best.log_loss_nats == min(choice.log_loss_nats for choice in choices)
        losses = {choice.calibration: choice.log_loss_nats for choice in choices}
        assert losses[expected] <= best.log_loss_nats + 2e-4
        assert [choice.calibration for choice in choices] == list(METHODS)
        assert {choice.n_rows for choice in choices} == {len(odds)}


def test_the_less_surprised_candidate_is_chosen_and_of_equals_the_first():
    x, happened = make_rows(1_000, 0)
    good, poor = expit(2 * x[:, 0]), np.full(1_000, 0.5)
    blocks = np.arange(1_000)
    for scores, expected in (({"poor": poor, "good": good}, "good"), ({"a": good, "b": good}, "a")):
        choices = choose(scores, happened, blocks, "sigmoid", seed=1)
        assert [choice.candidate for choice in choices if choice.is_chosen] == [expected]
        assert {choice.calibration for choice in choices} == {"sigmoid"}


def test_steps_are_not_learned_from_few_rows_unless_the_problem_asks_for_them():
    assert "isotonic" not in methods_of("choose", 999)
    assert "isotonic" in methods_of("choose", 1_000)
    assert methods_of("isotonic", 10) == ("isotonic",)


def test_each_candidate_has_its_own_best_map():
    x, happened = make_rows(5_000, 0)
    scores = {"right": expit(2 * x[:, 0]), "shifted": expit(2 * x[:, 0] + 2)}
    choices = choose(scores, happened, np.arange(5_000), "choose", seed=1)
    assert best_method(choices, "shifted") in ("sigmoid", "beta")
    losses = {(choice.candidate, choice.calibration): choice.log_loss_nats for choice in choices}
    assert losses["right", "none"] < losses["shifted", "none"] - 0.1


def test_whole_days_are_dealt_and_the_seed_deals_them():
    blocks = np.repeat(np.arange(20), 7)
    folds = fold_blocks(blocks, seed=1)
    assert all(len(set(folds[blocks == block])) == 1 for block in range(20))
    assert sorted(np.bincount(folds)) == [28] * 5
    assert (folds == fold_blocks(blocks, seed=1)).all()
    assert (folds != fold_blocks(blocks, seed=2)).any()


def test_rows_of_a_single_block_are_dealt_one_by_one():
    folds = fold_blocks(np.zeros(50, dtype=int), seed=1)
    assert sorted(np.bincount(folds)) == [10] * 5
    assert fold_blocks(np.zeros(1, dtype=int), seed=1).tolist() == [0]
    assert fold_blocks(np.zeros(3, dtype=int), seed=1).tolist() != [0] * 3


def test_steps_do_not_win_by_heart_where_there_is_one_block():
    rng, chosen = np.random.default_rng(0), []
    for seed in range(20):
        p = rng.beta(1.5, 2.5, 1_500)  # calibrated as they are
        choices = choose({"m": p}, rng.random(1_500) < p, np.zeros(1_500, dtype=int), "choose", seed)
        chosen.append(next(choice.calibration for choice in choices if choice.is_chosen))
    assert chosen.count("isotonic") <= 2
    assert chosen.count("none") >= 5


def test_a_fold_whose_others_hold_one_class_keeps_its_scores():
    happened = np.array([True, False, False, False])
    (choice,) = choose({"m": np.full(4, 0.25)}, happened, np.arange(4) // 2, "isotonic", seed=1)
    assert np.isfinite(choice.log_loss_nats)
