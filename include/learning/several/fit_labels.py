"""Fits one calibrated model for each label of an item: the candidates of two sides, asked about each label by itself.

What does not belong here: classes of which a row has exactly one (`fit_classes.py`), reading rows, and the verdict.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from include.errors import NotEnoughLabels
from include.learning.calibration.selection import Choice
from include.learning.data.columns import IS_POSITIVE, P_OF
from include.learning.data.features import FeatureSpec
from include.learning.data.splits import TimeSplit
from include.learning.several.fit_classes import SeveralFitted
from include.learning.several.heldout import DUMMY_COLUMN, MODEL_COLUMN, UNCALIBRATED_COLUMN, answer_frame
from include.learning.several.models import LabelsModel
from include.learning.several.targets import Targets
from include.learning.training.fit import Fitted, fit_by_folds, fit_by_time
from include.names import PARTITION_KEY, ROW_KEY
from include.problems.sections.learning import Training

# Name of the candidate that is one model for each label, each of them chosen by itself.
EACH = "one_for_each_label"


def fit_labels_by_time(rows: pd.DataFrame, targets: Targets, split: TimeSplit, training: Training) -> SeveralFitted:
    """Fit each label on the earliest partitions, calibrate it on the next, ask about the last.

    Raises:
        NotEnoughLabels: no label has rows with and without it in each part.
        BadFeatures: from `data/leakage_checks.py` and `data/features.py`.
    """
    return _fit_each(rows, targets, lambda own: fit_by_time(own, split, training), training)


def fit_labels_by_folds(rows: pd.DataFrame, targets: Targets, training: Training) -> SeveralFitted:
    """Fit each label on all answers of people, and measure out of fold on the ones chosen by chance.

    Raises:
        NotEnoughLabels: no label has 5 answers with and 5 without it among those chosen by chance.
        BadFeatures: from `data/leakage_checks.py` and `data/features.py`.
    """
    return _fit_each(rows, targets, lambda own: fit_by_folds(own, training), training)


def _fit_each(
    rows: pd.DataFrame, targets: Targets, fit: Callable[[pd.DataFrame], Fitted], training: Training
) -> SeveralFitted:
    """Fit one label after the other; one that gives nothing to learn gets its share, and is said."""
    found: dict[int, Fitted] = {}
    refused: dict[int, str] = {}
    for place, name in enumerate(targets.classes):
        try:
            found[place] = fit(rows.assign(**{IS_POSITIVE: targets.flags[:, place]}))
        except NotEnoughLabels as error:
            refused[place] = f"{name!r} has no model of its own: {error}"
    if not found:
        raise NotEnoughLabels(f"None of {len(targets.classes)} labels can be learned. {next(iter(refused.values()))}")
    shares = np.where([place in found for place in range(len(targets.classes))], 0.0, shares_of_labels(targets))
    said = [f"{text} Every row gets its share, {shares[place]:.4f}." for place, text in refused.items()]
    first = next(iter(found.values()))
    models = [found[place].model if place in found else None for place in range(len(targets.classes))]
    columns = [found[place].spec.names if place in found else [] for place in range(len(targets.classes))]
    model = LabelsModel(models, list(targets.classes), shares, columns)
    return SeveralFitted(
        Pipeline([("encode", FunctionTransformer()), ("classify", model)]),
        _whole_spec([one.spec for one in found.values()]),
        EACH,
        "for each label",
        _heldout(rows, targets, found, shares, [segment.column for segment in training.protected]),
        first.n_train,
        first.n_calibrate,
        [_named(choice, targets.classes[place]) for place, one in found.items() for choice in one.choices],
        {targets.classes[place]: dict(one.settings) for place, one in found.items() if one.settings},
        first.n_left_out,
        _mean_auc([one.feature_auc for one in found.values()]),
        said + list(dict.fromkeys(text for one in found.values() for text in one.left_out)),
        first.refit,
    )


def shares_of_labels(targets: Targets) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Say how often each label happens, with one row of either side added."""
    return np.asarray((targets.flags.sum(axis=0) + 1) / (len(targets.flags) + 2), dtype=np.float64)


def _named(choice: Choice, label: str) -> Choice:
    """Say whose choice it was."""
    return replace(choice, candidate=f"{label}: {choice.candidate}")


def _whole_spec(specs: list[FeatureSpec]) -> FeatureSpec:
    """Put together what all models read: the rows and so the categories are the same, texts are for some."""
    return max(specs, key=lambda spec: len(spec.columns))


def _mean_auc(each: list[Mapping[str, float]]) -> dict[str, float]:
    """Average how well each feature ranks, over the labels."""
    return {name: float(np.mean([one[name] for one in each])) for name in each[0]}


def _heldout(
    rows: pd.DataFrame, targets: Targets, found: dict[int, Fitted], shares: object, segments: list[str]
) -> pd.DataFrame:
    """Put the labels' answers about the same rows side by side."""
    place = [PARTITION_KEY, ROW_KEY]
    first = next(iter(found.values())).heldout
    order = pd.MultiIndex.from_frame(first[place])
    at = pd.Series(np.arange(len(rows)), index=pd.MultiIndex.from_frame(rows[place])).loc[order].to_numpy()
    constant = np.broadcast_to(np.asarray(shares, dtype=np.float64), (len(first), len(targets.classes)))

    def table(column: str) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
        answers = constant.copy()
        for label, one in found.items():
            own = one.heldout.set_index(pd.MultiIndex.from_frame(one.heldout[place]))[column]
            answers[:, label] = own.loc[order].to_numpy(dtype=np.float64)
        return answers

    everywhere = [name for name in first.columns if name.startswith(P_OF)]
    everywhere = [name for name in everywhere if all(name in one.heldout for one in found.values())]
    columns = [DUMMY_COLUMN, UNCALIBRATED_COLUMN, MODEL_COLUMN, *everywhere]
    beside = first.join(pd.DataFrame({name: rows[name].to_numpy()[at] for name in segments if name not in first}))
    return answer_frame(beside, targets.where(at), {column: table(column) for column in columns}, segments)
