"""Chooses the calibrator that makes a model's scores mean what they say: of 100 rows with 0.3, about 30 should happen.

What belongs here: which calibrator, chosen and fitted on rows the model was not fitted on. What does not: the
calibrators themselves (`calibration/calibrators.py`), and asking later whether they still hold (the monitoring room).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import GroupKFold

from include.learning import metrics
from include.learning.calibration.calibrators import METHODS, Calibrated, apply_map, fit_map
from include.learning.protocols import Classifier, Flags, Numbers, Probabilities

N_FOLDS = 5
# Steps learned from few rows are certain wherever those rows happened to agree (Niculescu-Mizil and Caruana 2005).
MINIMUM_FOR_STEPS = 1_000


@dataclass(frozen=True)
class Choice:
    """One candidate with one calibrator, and how surprised both together were by rows that neither was fitted on.

    Attributes:
        candidate: name of the model.
        calibration: name of the calibrator.
        log_loss_nats: mean over the rows, at least 0.
        n_rows: rows it was measured on.
        is_chosen: whether this one serves.
    """

    candidate: str
    calibration: str
    log_loss_nats: float
    n_rows: int
    is_chosen: bool = False


def methods_of(calibration: str, n_rows: int) -> tuple[str, ...]:
    """Name the calibrators that compete on so many rows: the one that the problem names, or all that rows can teach."""
    if calibration != "choose":
        return (calibration,)
    return METHODS if n_rows >= MINIMUM_FOR_STEPS else tuple(name for name in METHODS if name != "isotonic")


def choose(
    scores: Mapping[str, Probabilities],
    is_positive: Flags,
    blocks: Numbers,
    calibration: str,
    seed: int,
) -> list[Choice]:
    """Measure every candidate with every calibrator on rows that neither was fitted on; the least surprised pair wins.

    Args:
        scores: candidate to its scores, shape (n_rows,), on rows it was not fitted on; simplest candidate first.
        is_positive: shape (n_rows,), both classes.
        blocks: shape (n_rows,), day or group of each row. A calibrator is measured on whole blocks it was not fitted
            on: rows of a day share its weather. Not on whole months: two of them are two draws, and one would decide.
        calibration: `choose`, or one of `METHODS`.
        seed: fixes which blocks go together.

    Returns:
        one for each candidate and map; `is_chosen` for the one of least log loss, of equals for the first.
    """
    folds = fold_blocks(blocks, seed)
    found = []
    for name, p in scores.items():
        for method in methods_of(calibration, len(p)):
            answers = _answer_out_of_fold(method, p, is_positive, folds)
            loss = metrics.log_loss(is_positive, answers)
            found.append(Choice(name, method, loss, len(answers)))
    best = min(found, key=lambda choice: choice.log_loss_nats)
    return [Choice(**{**vars(choice), "is_chosen": choice is best}) for choice in found]


def best_method(choices: list[Choice], candidate: str) -> str:
    """Name the calibrator that fits one candidate best."""
    own = [choice for choice in choices if choice.candidate == candidate]
    return min(own, key=lambda choice: choice.log_loss_nats).calibration


def calibrate(classifier: Classifier, method: str, p: Probabilities, is_positive: Flags) -> Calibrated:
    """Put a calibrator behind a fitted classifier, which stays as it is.

    Args:
        classifier: fitted.
        method: one of `METHODS`.
        p: shape (n_rows,), scores of rows that the classifier was not fitted on.
        is_positive: shape (n_rows,), both classes.
    """
    return Calibrated(classifier, method, fit_map(method, p, is_positive))


def uncalibrated(model: Calibrated) -> Classifier:
    """Give the classifier inside a calibrated one, whose scores are as the fit left them."""
    return model.estimator


def fold_blocks(blocks: Numbers, seed: int, n_folds: int = N_FOLDS) -> Numbers:
    """Deal whole blocks into folds of about the same size, as many as asked for at most; shape (n_rows,), from 0.

    The rows of a single block are dealt one by one: what hangs together in it flatters every calibrator alike, where a
    calibrator that is measured on its own rows would win by the steps it has learned by heart.
    """
    if len(np.unique(blocks)) < 2:
        blocks = np.arange(len(blocks))
    n_folds = min(n_folds, len(np.unique(blocks)))
    folds = np.zeros(len(blocks), dtype=np.int64)
    if n_folds < 2:
        return folds
    splitter = GroupKFold(n_folds, shuffle=True, random_state=seed)
    for number, (_, held) in enumerate(splitter.split(blocks, groups=blocks)):
        folds[held] = number
    return folds


def _answer_out_of_fold(method: str, p: Probabilities, is_positive: Flags, folds: Numbers) -> Probabilities:
    """Map each fold by what was learned on the others; a single row, and what one class taught, stay as they are."""
    answers = np.asarray(p, dtype=np.float64).copy()
    for fold in np.unique(folds):
        is_held = folds == fold
        taught = is_positive[~is_held]
        if taught.any() and not taught.all():
            answers[is_held] = apply_map(fit_map(method, p[~is_held], taught), p[is_held])
    return answers
