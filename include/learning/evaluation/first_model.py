"""What becomes of a first model that passes the gate but for its calibration: `training.gate.first` decides.

What belongs here: sums on checks and held-out answers. What does not: storing a model whose calibrator was replaced,
and the verdict (`evaluation/gate.py`).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from include.learning.calibration.calibrators import apply_map, fit_map
from include.learning.calibration.selection import fold_blocks
from include.learning.checks import Check
from include.learning.data.columns import BLOCK, IS_POSITIVE, P_RECALIBRATED
from include.learning.protocols import ScoreMap

CALIBRATED = "is_calibrated"
# Kept beside the new answers, so that the version is judged anew by what it was.
BEFORE = "p_before_recalibration"
METHOD = "sigmoid"


def is_merely_off(checks: Sequence[Check]) -> bool:
    """Say whether calibration, of one class or of several, is all that a version failed by."""
    failed = [check.check_name for check in checks if not check.is_pass]
    return bool(failed) and all(name.startswith(CALIBRATED) for name in failed)


def allow_off(checks: Sequence[Check]) -> list[Check]:
    """Let a version pass that is merely off; each check says that the file lets it, and keeps its value and bound."""
    end = " It serves all the same, with an alert: training.gate.first is serve_with_alert."
    return [check if check.is_pass else replace(check, is_pass=True, detail=check.detail + end) for check in checks]


def as_fitted(heldout: pd.DataFrame) -> pd.DataFrame:
    """Give the held-out answers as they were before any recalibration."""
    if BEFORE not in heldout:
        return heldout
    return heldout.assign(p_model=heldout[BEFORE]).drop(columns=BEFORE)


def recalibrations(heldout: pd.DataFrame, seed: int) -> list[tuple[pd.DataFrame, ScoreMap | None]]:
    """List the ways to recalibrate; the first that passes is taken.

    Args:
        heldout: as fitted.
        seed: fixes which days go together.

    Returns:
        (held-out rows with new answers and the old ones beside them, the calibrator to be put in the old one's place).
        Where the model was refitted, what serves has learned from the held-out rows already, and from all other ones:
        the first way is to judge it by that, and replaces nothing.
    """
    learned: list[tuple[pd.DataFrame, ScoreMap | None]] = [recalibrate(heldout, seed)]
    if P_RECALIBRATED in heldout:
        answered = heldout.assign(p_model=heldout[P_RECALIBRATED])
        answered[BEFORE] = heldout["p_model"]
        learned.insert(0, (answered, None))
    return learned


def recalibrate(heldout: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, ScoreMap | None]:
    """Learn a calibrator from held-out rows, and answer for each of them by one that was learned on other days.

    Args:
        heldout: with `p_uncalibrated`, `p_model`, days and what happened.
        seed: fixes which days go together.

    Returns:
        (the rows with new answers, and the old ones beside them; the calibrator of all rows, for what serves).
    """
    scores = heldout["p_uncalibrated"].to_numpy(dtype=np.float64)
    is_positive = heldout[IS_POSITIVE].to_numpy(dtype=np.bool_)
    folds = fold_blocks(heldout[BLOCK].to_numpy(dtype=np.int64), seed)
    answers = heldout["p_model"].to_numpy(dtype=np.float64).copy()
    for fold in np.unique(folds):
        is_held = folds == fold
        taught = is_positive[~is_held]
        if taught.any() and not taught.all():
            answers[is_held] = apply_map(fit_map(METHOD, scores[~is_held], taught), scores[is_held])
    answered = heldout.assign(p_model=answers)
    answered[BEFORE] = heldout["p_model"]
    return answered, fit_map(METHOD, scores, is_positive)


def say_recalibrated(before: Check, after: Check, n_rows: int, *, is_replaced: bool) -> str:
    """Say what was done to a first model, and by which figures it is judged.

    Args:
        before: the calibration check that it failed.
        after: the same check of the new answers.
        n_rows: held-out rows.
        is_replaced: whether a calibrator of the held-out rows alone stands in the old one's place.
    """
    how = f"on its {n_rows:,} held-out rows alone ({METHOD})" if is_replaced else f"with its {n_rows:,} held-out rows"
    return (
        f"As it was fitted its probabilities were {before.value:.3f} off, {before.bound:.3f} is allowed of a first "
        f"model. It was recalibrated {how} and is {after.value:.3f} off; each row was answered for by a calibrator "
        "that has not learned from its day, and the gate's figures are of those answers."
    )


def say_served_off(checks: Sequence[Check], *, is_watched: bool) -> str:
    """Say that a first model serves although its probabilities are off.

    Args:
        checks: that it was allowed to fail.
        is_watched: whether the problem has a section monitor, which raises the alert.
    """
    own = [check for check in checks if check.check_name.startswith(CALIBRATED) and is_off(check)]
    alert = "An alert stands until" if is_watched else "No alert says so, for want of a section monitor, until"
    return f"It serves although it is off. {' '.join(check.detail for check in own)} {alert} another version serves."


def is_off(check: Check) -> bool:
    """Say whether a check saw more than its bound."""
    return check.value is not None and check.bound is not None and check.value > check.bound
