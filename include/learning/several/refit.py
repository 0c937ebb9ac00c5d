"""Fits the chosen candidate of several classes once more on all rows that are known, calibrated by cross-fitting.

What belongs here: one candidate whose name, settings and kind of calibrator are chosen already. What does not: choosing
them, and measuring what comes out (`fit_classes.py`); two sides and labels (`training/refit.py`).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from include.errors import NotEnoughLabels
from include.learning.calibration.selection import fold_blocks
from include.learning.data.columns import BLOCK
from include.learning.data.splits import teaches
from include.learning.protocols import Flags, Numbers
from include.learning.several.class_candidates import Reading, fit_one, read_all, score_out_of_fold
from include.learning.several.class_folds import deal_folds, learnable
from include.learning.several.models import ClassesModel, fit_map
from include.learning.several.targets import Targets
from include.learning.training import estimators
from include.learning.training.refit import N_REFIT_FOLDS
from include.problems.sections.learning import ModelName, Training


@dataclass(frozen=True)
class RefitClasses:
    """One candidate on all rows of some time.

    Attributes:
        reading: of the rows, with the encoder.
        model: calibrated.
        n_scored: rows that were scored by a classifier fitted without their day or group, for the calibrator.
    """

    reading: Reading
    model: ClassesModel
    n_scored: int


def refit_classes(
    name: ModelName,
    settings: estimators.Settings,
    method: str,
    rows: pd.DataFrame,
    targets: Targets,
    groups: Numbers,
    training: Training,
) -> RefitClasses:
    """Fit a chosen candidate on rows, and its calibrator on scores of the same rows, each given without its own day.

    A class that had too few rows to be learned may have enough of them now.

    Args:
        name: of the candidate.
        settings: of its classifier.
        method: one of `models.METHODS`.
        rows: with known labels.
        targets: of the rows.
        groups: shape (n_rows,), rows of one group never teach each other.

    Raises:
        NotEnoughLabels: from `class_folds.learnable`, not of rows that hold those it was chosen on; or from
            `scorable_folds`.

    Source: as `training/refit.py`.
    """
    learned, shares, _ = learnable(targets)
    is_taught: Flags = np.asarray(targets.flags[:, learned].any(axis=1), dtype=np.bool_)
    taught = rows[is_taught]
    codes = targets.flags[is_taught][:, learned].argmax(axis=1).astype(np.int64)
    readings, _ = read_all(taught, codes, training.model_copy(update={"model": None, "models": [name]}))
    folds = scorable_folds(taught, codes, targets.where(is_taught), groups[is_taught], training.seed)
    is_scored = folds >= 0
    scores = score_out_of_fold(readings[0], folds, groups[is_taught], training, settings)
    classifier = fit_one(readings[0], training, settings)
    model = ClassesModel(
        classifier, list(targets.classes), shares, method, fit_map(method, scores[is_scored], codes[is_scored])
    )
    return RefitClasses(readings[0], model, int(is_scored.sum()))


def scorable_folds(rows: pd.DataFrame, codes: Numbers, targets: Targets, groups: Numbers, seed: int) -> Numbers:
    """Deal rows into the folds that the calibrator's scores come from: whole days, or whole groups where days cannot.

    A fold whose teachers are of one class has no scores worth the name, and only teaches.

    Args:
        rows: with their day.
        codes: shape (n_rows,), places among the learned classes.
        targets: of the rows.
        groups: shape (n_rows,).
        seed: fixes the folds.

    Returns:
        shape (n_rows,), from 0; -1 for rows that only teach. Rows of every learned class are scored.

    Raises:
        NotEnoughLabels: from `class_folds.deal_folds`, or neither way scores rows of every class.
    """
    folds = _thin(fold_blocks(rows[BLOCK].to_numpy(dtype=np.int64), seed, N_REFIT_FOLDS), codes, groups)
    if _n_scored_classes(folds, codes) == len(np.unique(codes)):
        return folds
    folds = _thin(deal_folds(targets, np.ones(len(rows), dtype=np.bool_), groups, seed), codes, groups)
    n_classes = _n_scored_classes(folds, codes)
    if n_classes < len(np.unique(codes)):
        raise NotEnoughLabels(
            f"{n_classes} of {len(np.unique(codes))} classes have rows that a fit without their group can score; a "
            "calibrator needs all of them. Let more groups have rows of several classes."
        )
    return folds


def _thin(folds: Numbers, codes: Numbers, groups: Numbers) -> Numbers:
    """Leave folds only to teach where their teachers are of one class, or none; the others are numbered from 0."""
    kept = np.full(len(folds), -1, dtype=np.int64)
    able = [fold for fold in np.unique(folds) if len(np.unique(codes[teaches(folds, groups, fold)])) > 1]
    for number, fold in enumerate(able):
        kept[folds == fold] = number
    return kept


def _n_scored_classes(folds: Numbers, codes: Numbers) -> int:
    """Count the classes that have scored rows."""
    return len(np.unique(codes[folds >= 0]))
