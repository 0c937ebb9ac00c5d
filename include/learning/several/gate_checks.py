"""The checks that a model of several classes or labels meets beside those of two sides.

What does not belong here: earning more, leaks and protected groups, which ask rows what they earned whatever their
classes are (`evaluation/gate_checks.py`).
"""

import numpy as np

from include.learning.checks import Check
from include.learning.evaluation.gate_checks import GROUPS_LEVEL, check_calibrated, compare, say_number
from include.learning.protocols import Probabilities
from include.learning.several.targets import Targets
from include.stats.bootstrap import Resamples
from include.stats.probabilities import row_log_loss
from include.stats.proportions import holm
from include.stats.reliability import calibration_error, sum_equal_count


def check_calibrated_classes(
    targets: Targets,
    p: Probabilities,
    bound: float,
    champion: Probabilities | None = None,
    tolerance: float = 0.0,
) -> list[Check]:
    """Ask of every class whether its probabilities happen, as of the positive class where there are two.

    Args:
        p: shape (n_rows, n_classes), of the model.
        bound: largest error allowed of a first model, 0..1.
        champion: what the champion said of the same rows; None without one.
        tolerance: how much more than the champion's error is allowed, 0..1.

    Returns:
        one check for each class.
    """
    checks = []
    for place, name in enumerate(targets.classes):
        flags = targets.flags[:, place]
        theirs = None if champion is None else calibration_error(sum_equal_count(flags, champion[:, place]))
        found = check_calibrated(flags, p[:, place], bound, theirs, tolerance)
        detail = f"{name}: {found.detail[0].lower()}{found.detail[1:]}"
        checks.append(Check(f"is_calibrated_{name}", found.is_pass, found.value, found.bound, detail))
    return checks


def check_no_class_pays(
    targets: Targets, p: Probabilities, champion: Probabilities, resamples: Resamples, champion_version: str
) -> list[Check]:
    """Ask of every class whether the new model is surely more surprised by it than the champion.

    More profit over all rows may come from the common classes while a rare one is lost. At 5 % over all classes
    together.

    Args:
        p: shape (n_rows, n_classes), of the model.
        champion: shape (n_rows, n_classes), of the champion, on the same rows.
        resamples: of the rows.

    Returns:
        one check for each class, of its log loss against the rest.

    Source: Holm 1979 for the correction.
    """
    compared = [
        compare(
            row_log_loss(targets.flags[:, place], champion[:, place]),
            row_log_loss(targets.flags[:, place], p[:, place]),
            resamples,
        )
        for place in range(len(targets.classes))
    ]
    sure = [gain.probability_above(0.0) for gain in compared]
    # Where nobody can say, it is not shown that the class is predicted worse.
    p_values = holm(np.array([1.0 if one is None else one for one in sure]))
    return [
        Check(
            f"keeps_{name}",
            bool(p_value > GROUPS_LEVEL),
            gain.mean,
            0.0,
            f"{name} against the rest: {say_number(gain.mean)} nats of log loss less than the champion "
            f"{champion_version} ({gain.interval}); it must not be shown to be predicted worse (p = {p_value:.3f}, "
            f"above {GROUPS_LEVEL:g} is allowed over all classes).",
        )
        for name, gain, p_value in zip(targets.classes, compared, p_values, strict=True)
    ]
