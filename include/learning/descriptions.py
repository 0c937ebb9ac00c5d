"""What a fitted version is like, as rows: reliability, what matters, curves, groups, weak segments, ranges.

What belongs here: held-out rows and a model in, rows without their keys out. What does not: reading and writing them
(`describing.py`), and the questions themselves (`importances.py`, `fairness.py`, `weak_segments.py`, ...).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from include.learning import importances, metrics
from include.learning.anatomy import take_apart
from include.learning.columns import SEGMENT
from include.learning.contributions import explain_rows
from include.learning.fairness import MISSING, fairness_by_group
from include.learning.features import FeatureSpec, build_features
from include.learning.importances import Importance
from include.learning.models import positive_probability
from include.learning.partial_dependence import draw_curve, usual_values
from include.learning.refusals import CannotExplain
from include.learning.views_of_models import FrameView, ModelView, WordView, linear_columns
from include.learning.weak_segments import find_weak_segments
from include.names import PARTITION_KEY

N_RESAMPLES = 100
N_CURVE_ROWS = 300
MAX_OPTIONS = 60
MINIMUM_ROWS = 20  # below, halves are too small to fit on and to measure on
CONTRIBUTION = "contribution"

Row = dict[str, Any]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Material:
    """A model, and rows to ask it about.

    Attributes:
        model: takes the feature frame, gives calibrated probabilities.
        spec: how the frame is made.
        rows: typed rows that the model is asked about.
        is_positive: shape (n_rows,), what happened.
        blocks: shape (n_rows,), day of each row; whole days are resampled and halved.
        seed: fixes shuffles and resamples.
    """

    model: Any
    spec: FeatureSpec
    rows: pd.DataFrame
    is_positive: Flags
    blocks: NDArray[np.int64]
    seed: Sequence[int]


def reliability_bins(is_positive: Flags, p: NDArray[np.float64]) -> list[Row]:
    """Count what happened in each tenth of the probabilities; empty bins have no row."""
    bins = np.minimum((p * metrics.N_BINS).astype(np.int64), metrics.N_BINS - 1)
    return [
        {
            "bin_index": int(index),
            "bin_low": float(index) / metrics.N_BINS,
            "bin_high": float(index + 1) / metrics.N_BINS,
            "n_rows": int((bins == index).sum()),
            "n_positive": int(is_positive[bins == index].sum()),
            "mean_predicted_ratio": float(p[bins == index].mean()),
        }
        for index in np.unique(bins)
    ]


def rank_features(material: Material) -> tuple[list[Row], list[Row]]:
    """Ask five questions about what matters to a model.

    Returns:
        (rows of method, feature, rank, value, low, high, n_rows; notes about what could not be asked).
    """
    n_rows = len(material.rows)
    if n_rows < MINIMUM_ROWS or material.is_positive.all() or not material.is_positive.any():
        note = f"{n_rows} rows, {int(material.is_positive.sum())} of them positive, are too few to say what matters."
        return [], [{"topic": "importance", "note": f"{note} {MINIMUM_ROWS} rows of both classes are needed."}]
    rng = np.random.default_rng([*material.seed, 1])
    codes = np.unique(material.blocks, return_inverse=True)[1]
    weights = metrics.draw_weights(n_rows, N_RESAMPLES, rng, codes)
    view = make_view(material)
    found = importances.permutation_importance(
        view.predict, view.frame, material.is_positive, view.features, weights, rng
    )
    rows = _ranked(found, n_rows)
    rows += _ranked(importances.mutual_information(view.presence, material.is_positive, view.features, weights), n_rows)
    ablated, n_measured, notes = _ablate(view, material, rng)
    rows += _ranked(ablated, n_measured)
    encoded, names = linear_columns(view)
    by_path = importances.l1_path_importance(encoded, material.is_positive, names)
    rows += _ranked([one for one in by_path if one.feature in view.features], n_rows)
    sizes, more = _mean_contributions(material, view, weights)
    return rows + _ranked(sizes, n_rows), notes + more


def make_view(material: Material) -> ModelView:
    """Choose how a model is asked: by the columns of its frame, or, where it reads text, by its strongest words."""
    frame = build_features(material.rows, material.spec)
    return (WordView if material.spec.text else FrameView)(material.model, frame)


def curves(material: Material) -> list[Row]:
    """Draw how the mean probability moves with each number and category; words have no curve, they have a sign."""
    rng = np.random.default_rng([*material.seed, 2])
    rows = material.rows
    if len(rows) > N_CURVE_ROWS:
        rows = rows.iloc[np.sort(rng.choice(len(rows), N_CURVE_ROWS, replace=False))]
    if rows.empty:
        return []
    frame = build_features(rows, material.spec)
    weights = metrics.draw_weights(len(frame), N_RESAMPLES, rng)
    names = [*material.spec.numeric, *material.spec.categories]
    return [
        asdict(point)
        for name in names
        for point in draw_curve(lambda asked: positive_probability(material.model, asked), frame, name, weights)
    ]


def groups(heldout: pd.DataFrame, threshold: float, is_positive: Flags, weights: NDArray[Any]) -> list[Row]:
    """Compare the groups of every protected column; none where the problem names none."""
    p = heldout["p_model"].to_numpy(dtype=np.float64)
    return [
        {"group_name": str(name).removeprefix(SEGMENT), **asdict(one)}
        for name in heldout.columns
        if str(name).startswith(SEGMENT)
        for one in fairness_by_group(
            heldout[name].astype("object").fillna(MISSING).to_numpy(dtype=np.str_),
            p >= threshold,
            is_positive,
            p,
            weights,
        )
    ]


def weak_segments(rows: pd.DataFrame, spec: FeatureSpec, is_positive: Flags, p: NDArray[np.float64]) -> list[Row]:
    """Find where the loss is larger than elsewhere: by feature, by partition, and by length where there is text."""
    frame = rows[[*spec.numeric, *spec.categories]].copy()
    for name in spec.text:
        frame[f"characters of {name}"] = rows[name].fillna("").str.len()
    frame["partition"] = rows[PARTITION_KEY]
    loss = np.asarray(metrics.row_log_loss(is_positive, p), dtype=np.float64)
    return [asdict(one) for one in find_weak_segments(frame, loss)]


def feature_ranges(rows: pd.DataFrame, spec: FeatureSpec) -> list[Row]:
    """Say what each feature looks like: what-if questions start from its middle."""
    frame = build_features(rows, spec)
    found: list[Row] = []
    for name in spec.numeric:
        known = frame[name].dropna()
        middle = f"{float(known.median()):.6g}" if len(known) else ""
        ends = (float(known.min()), float(known.max())) if len(known) else (None, None)
        found.append({"feature": name, "kind": "number", "low": ends[0], "high": ends[1], "middle": middle})
    for name, values in spec.categories.items():
        usual = usual_values(frame[name])
        options = [*usual, *(value for value in values if value not in usual)][:MAX_OPTIONS]
        found.append({"feature": name, "kind": "category", "middle": usual[0] if usual else "", "options": options})
    found += [{"feature": name, "kind": "text", "middle": ""} for name in spec.text]
    return [{"low": None, "high": None, "options": None} | row for row in found]


def _ablate(view: ModelView, material: Material, rng: np.random.Generator) -> tuple[list[Importance], int, list[Row]]:
    """Refit the classifier on the earlier half of the rows without each feature, and measure on the later half."""
    is_fit = material.blocks <= np.median(material.blocks)
    if is_fit.all() or not view.can_refit:
        is_fit = np.arange(len(is_fit)) % 2 == 0
    fit_classes, asked = material.is_positive[is_fit], material.is_positive[~is_fit]
    if not view.can_refit or fit_classes.all() or not fit_classes.any():
        why = (
            "a model of this kind takes too long to fit again" if not view.can_refit else "one half has one class only"
        )
        return [], 0, [{"topic": "ablation", "note": f"No feature was left out for a try: {why}."}]
    weights = metrics.draw_weights(len(asked), N_RESAMPLES, rng)
    found = importances.ablation_importance(
        lambda name: view.refit_without(name, is_fit, material.is_positive), asked, view.features, weights
    )
    return found, len(asked), []


def _mean_contributions(
    material: Material, view: ModelView, weights: NDArray[Any]
) -> tuple[list[Importance], list[Row]]:
    """Average the size of each feature's contribution, where the model has exact ones."""
    try:
        found = explain_rows(take_apart(material.model), build_features(material.rows, material.spec))
    except CannotExplain as error:
        return [], [{"topic": "contributions", "note": str(error)}]
    sizes = []
    for place, name in enumerate(found.features):
        if name in view.features:
            size = np.abs(found.values[:, [place]].toarray().ravel())
            low, high = metrics.interval(metrics.weighted_mean(size, weights))
            sizes.append(Importance(CONTRIBUTION, name, float(size.mean()), low, high))
    return sizes, []


def _ranked(found: Sequence[Importance], n_rows: int) -> list[Row]:
    """Give each feature its place by one method; equal values share the mean of their places."""
    largest = {one.feature: one for one in sorted(found, key=lambda one: one.value)}
    kept = list(largest.values())
    places: NDArray[np.float64] = rankdata([-one.value for one in kept])
    return [{**asdict(one), "rank": float(place), "n_rows": n_rows} for one, place in zip(kept, places, strict=True)]
