"""Fits the chosen candidate once more on all rows that are known, and calibrates it by cross-fitting.

What belongs here: one candidate whose name, settings and kind of calibrator are chosen already. What does not: choosing
them, and measuring what comes out (`training/fit.py`).
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from include.errors import NotEnoughLabels
from include.learning.calibration.calibrators import Calibrated, apply_map, fit_map
from include.learning.calibration.selection import calibrate, fold_blocks
from include.learning.data.columns import BLOCK, IS_POSITIVE
from include.learning.data.splits import assign_folds
from include.learning.protocols import Flags, Numbers, Probabilities
from include.learning.training.candidates import Scorer, encode, fit_scorer, score_out_of_fold
from include.problems.sections.learning import Training

# Five folds teach a calibrator no more than three (docs/benchmarks.md), and cost twice as much.
N_REFIT_FOLDS = 3
# A calibrator of three weights learns nothing more from further rows: of a long history fewer folds are scored.
ENOUGH_ROWS = 20_000


@dataclass(frozen=True)
class Refit:
    """One candidate on all rows of some time, and the scores that its calibrator was fitted on.

    Attributes:
        scorer: fitted on all of the rows.
        model: its classifier, calibrated.
        scores: shape (n_scored,), of rows by classifiers that were fitted without their day or group.
        is_positive: shape (n_scored,), what happened on them.
    """

    scorer: Scorer
    model: Calibrated
    scores: Probabilities
    is_positive: Flags


def refit(chosen: Scorer, method: str, rows: pd.DataFrame, groups: Numbers, training: Training) -> Refit:
    """Fit a chosen candidate on rows, and its calibrator on scores of the same rows, each given without its own day.

    Rows of a day share what happens to them, and rows of a group are of one person or site: both stay on one side.
    A calibrator so learned has seen every season of the log; one that is learned on the newest months hands their base
    rate on to the next ones.

    Args:
        chosen: the candidate as it was chosen; it lends its name and settings.
        method: one of `calibrators.METHODS`.
        rows: with known labels of both classes.
        groups: shape (n_rows,), rows of one group never teach each other.

    Raises:
        NotEnoughLabels: from `refit_folds`.
        BadFeatures, NothingToRead: from `candidates.encode`; not of rows that hold those it was chosen on.

    Source: cross-fitting, Platt 1999, section 2.2 (three folds), on whole days as in Roberts et al. 2017.
    """
    encoding = encode(chosen.name, rows, training)
    is_positive = encoding.is_positive
    folds = refit_folds(rows[BLOCK].to_numpy(dtype=np.int64), is_positive, groups, training.seed)
    scores = score_out_of_fold(encoding, folds, groups, training, chosen.settings)
    scorer = fit_scorer(encoding, training, chosen.settings)
    is_scored = ~np.isnan(scores)
    return Refit(
        scorer,
        calibrate(scorer.classifier, method, scores[is_scored], is_positive[is_scored]),
        scores[is_scored],
        is_positive[is_scored],
    )


def refit_with_later(
    before: Refit, later: pd.DataFrame, scores: Probabilities, rows: pd.DataFrame, training: Training
) -> Refit:
    """Fit the same candidate once more, with rows that came later; no fold is fitted again.

    The earlier fit has not seen the later rows: its scores of them are as good as any fold's.

    Args:
        before: fitted on the earlier rows.
        later: rows that it was not fitted on.
        scores: shape (n_later,), its own of those rows.
        rows: all rows.
    """
    encoding = encode(before.scorer.name, rows, training)
    scorer = fit_scorer(encoding, training, before.scorer.settings)
    scores = np.concatenate([before.scores, scores])
    is_positive = np.concatenate([before.is_positive, later[IS_POSITIVE].to_numpy(dtype=np.bool_)])
    return replace(
        before,
        scorer=scorer,
        model=calibrate(scorer.classifier, before.model.method, scores, is_positive),
        scores=scores,
        is_positive=is_positive,
    )


def answer_later(before: Refit, later: pd.DataFrame, scores: Probabilities, seed: int) -> Probabilities:
    """Answer for later rows by calibrators that have learned from all earlier scores, and from other days of the later.

    Together they say how well the calibrator of `refit_with_later` does on the later rows.

    Args:
        before: fitted on the earlier rows.
        later: rows that it was not fitted on.
        scores: shape (n_later,), its own of those rows.
        seed: fixes which days go together.

    Returns:
        shape (n_later,), 0..1.
    """
    is_positive = later[IS_POSITIVE].to_numpy(dtype=np.bool_)
    folds, answers = fold_blocks(later[BLOCK].to_numpy(dtype=np.int64), seed), np.empty(len(later))
    for fold in np.unique(folds):
        is_held = folds == fold
        known = np.concatenate([before.scores, scores[~is_held]])
        happened = np.concatenate([before.is_positive, is_positive[~is_held]])
        answers[is_held] = apply_map(fit_map(before.model.method, known, happened), scores[is_held])
    return answers


def refit_folds(blocks: Numbers, is_positive: Flags, groups: Numbers, seed: int) -> Numbers:
    """Deal rows into the folds that the calibrator's scores come from: whole days, or whole groups where days cannot.

    Days cannot where every group has rows on most of them: each fold then takes all its teachers away; nor where all
    that happened lies on days of one fold.

    Args:
        blocks: shape (n_rows,), day of each row.
        is_positive: shape (n_rows,).
        groups: shape (n_rows,).
        seed: fixes the folds.

    Returns:
        shape (n_rows,), from 0; -1 for rows that only teach. At least `N_REFIT_FOLDS` rows of each class are scored.

    Raises:
        NotEnoughLabels: neither way scores so many.
    """
    folds = thin_folds(fold_blocks(blocks, seed, N_REFIT_FOLDS), is_positive, groups)
    if _n_rarest(folds, is_positive) >= N_REFIT_FOLDS:
        return folds
    every = np.ones(len(blocks), dtype=np.bool_)
    folds = thin_folds(assign_folds(is_positive, every, N_REFIT_FOLDS, seed, groups), is_positive, groups)
    if _n_rarest(folds, is_positive) < N_REFIT_FOLDS:
        raise NotEnoughLabels(
            f"{_n_rarest(folds, is_positive)} of {len(blocks):,} rows are of the rarer class and can be scored by a "
            f"fit without their group; {N_REFIT_FOLDS} are the least. Let more groups have rows of both classes."
        )
    return folds


def _n_rarest(folds: Numbers, is_positive: Flags) -> int:
    """Count the scored rows of the class that has fewer of them."""
    n_positive = int(is_positive[folds >= 0].sum())
    return min(n_positive, int((folds >= 0).sum()) - n_positive)


def thin_folds(folds: Numbers, is_positive: Flags, groups: Numbers, enough: int = ENOUGH_ROWS) -> Numbers:
    """Leave folds only to teach once enough rows are scored, and where a fold's teachers would be of one class.

    Args:
        folds: shape (n_rows,), from 0.
        is_positive: shape (n_rows,).
        groups: shape (n_rows,), a row is never taught by its group.
        enough: rows to be scored.

    Returns:
        shape (n_rows,), folds from 0; -1 for rows that only teach. Rows of both classes are scored where these folds
        have them, in whatever order they come.
    """
    kept = np.full(len(folds), -1, dtype=np.int64)
    number = 0
    for fold in np.unique(folds):
        taught = is_positive[(folds != fold) & ~np.isin(groups, groups[folds == fold])]
        scored = is_positive[kept >= 0]
        is_enough = len(scored) >= enough and scored.any() and not scored.all()
        if is_enough or not taught.any() or taught.all():
            continue
        kept[folds == fold] = number
        number += 1
    return kept


def say_refit(n_rows: int, n_before: int, n_heldout: int, n_scored: int) -> str:
    """Say which model the figures are of, and which one serves.

    Args:
        n_rows: fitted on by the model that serves.
        n_before: fitted on by the model that was measured.
        n_heldout: measured on.
        n_scored: scored out of fold, that the calibrator of the model that serves was fitted on.
    """
    return (
        f"What serves was fitted once more, on all {n_rows:,} rows, the {n_heldout:,} held-out ones among them, and "
        f"calibrated on {n_scored:,} scores of rows that the scoring fit had not seen. The gate's figures are of the "
        f"model before that: made in the same way from {n_before:,} earlier rows."
    )


def say_not_refitted(n_rows: int) -> str:
    """Say that the model that was measured serves, because a calibrator of another one would have nothing to learn.

    Args:
        n_rows: that it might have been fitted on.
    """
    return (
        f"The chosen candidate was not fitted once more on all {n_rows:,} rows, and what was measured serves: too few "
        "rows of each class can be scored by a fit that has not seen their day or group, so its calibrator would have "
        "learned nothing."
    )
