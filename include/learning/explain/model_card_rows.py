"""What a fitted version is like, as rows: reliability, what matters, curves, groups, weak segments, ranges.

What belongs here: held-out rows and a model in, rows without their keys out. What does not: reading and writing them
(`explain/model_card.py`), and the questions themselves (`explain/importances.py`, `evaluation/fairness.py`,
`evaluation/error_slices.py`, ...).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from include.learning.data.columns import BLOCK, IS_POSITIVE, SEGMENT
from include.learning.data.features import FeatureSpec, build_features
from include.learning.errors import CannotExplain
from include.learning.evaluation.error_slices import find_weak_segments, rows_without_loss
from include.learning.evaluation.fairness import MISSING, fairness_by_group
from include.learning.explain import importances
from include.learning.explain.contributions import explain_rows
from include.learning.explain.importances import Importance
from include.learning.explain.model_parts import take_apart
from include.learning.explain.partial_dependence import draw_curve, usual_values
from include.learning.explain.perturbation import FrameView, ModelView, WordView, linear_columns
from include.learning.metrics import estimate_mean
from include.learning.protocols import Flags
from include.learning.training.estimators import positive_probability
from include.names import PARTITION_KEY, ROW_KEY
from include.stats.bootstrap import Resamples, draw_blocks
from include.stats.probabilities import row_log_loss
from include.stats.reliability import N_BINS

N_CURVE_ROWS = 300
MAX_OPTIONS = 60
MINIMUM_ROWS = 20  # below, halves are too small to fit on and to measure on
CONTRIBUTION = "contribution"

Row = dict[str, Any]


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
    bins = np.minimum((p * N_BINS).astype(np.int64), N_BINS - 1)
    return [
        {
            "bin_index": int(index),
            "bin_low": float(index) / N_BINS,
            "bin_high": float(index + 1) / N_BINS,
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
    resamples = draw_blocks(material.blocks, rng)
    view = make_view(material)
    found = importances.permutation_importance(
        view.predict, view.frame, material.is_positive, view.features, resamples, rng
    )
    rows = _ranked(found, n_rows)
    rows += _ranked(
        importances.mutual_information(view.presence, material.is_positive, view.features, resamples), n_rows
    )
    ablated, n_measured, notes = _ablate(view, material, rng)
    rows += _ranked(ablated, n_measured)
    encoded, names = linear_columns(view)
    by_path = importances.l1_path_importance(encoded, material.is_positive, names)
    rows += _ranked([one for one in by_path if one.feature in view.features], n_rows)
    sizes, more = _mean_contributions(material, view, resamples)
    return rows + _ranked(sizes, n_rows), notes + more


def make_view(material: Material) -> ModelView:
    """Choose how a model is asked: by the columns of its frame, or, where it reads text, by its strongest words."""
    frame = build_features(material.rows, material.spec)
    return (WordView if material.spec.text else FrameView)(material.model, frame)


def curves(material: Material) -> list[Row]:
    """Draw how the mean probability moves with each number and category; words have no curve, they have a sign."""
    rng = np.random.default_rng([*material.seed, 2])
    if material.rows.empty:
        return []
    n_rows = len(material.rows)
    places = np.sort(rng.choice(n_rows, min(n_rows, N_CURVE_ROWS), replace=False))
    frame = build_features(material.rows.iloc[places], material.spec)
    resamples = draw_blocks(material.blocks[places], rng)
    names = [*material.spec.numeric, *material.spec.categories]
    return [
        asdict(point)
        for name in names
        for point in draw_curve(lambda asked: positive_probability(material.model, asked), frame, name, resamples)
    ]


def groups(heldout: pd.DataFrame, threshold: float, is_positive: Flags) -> list[Row]:
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
            heldout[BLOCK].to_numpy(dtype=np.int64),
        )
    ]


def weak_segments(rows: pd.DataFrame, spec: FeatureSpec, heldout: pd.DataFrame) -> tuple[list[Row], list[Row]]:
    """Find where the loss is larger than elsewhere: by feature, by partition, and by length where there is text.

    Returns:
        (one row for each segment; a note where the model gave no probability for some rows, which are left out).
    """
    is_positive = heldout[IS_POSITIVE].to_numpy(dtype=np.bool_)
    p, blocks = heldout["p_model"].to_numpy(dtype=np.float64), heldout[BLOCK].to_numpy(dtype=np.int64)
    frame = rows[[*spec.numeric, *spec.categories]].copy()
    for name in spec.text:
        frame[f"characters of {name}"] = rows[name].fillna("").str.len()
    frame["partition"] = rows[PARTITION_KEY]
    loss = row_log_loss(is_positive, p)
    is_left_out = rows_without_loss(loss)
    notes: list[Row] = []
    if is_left_out.any():
        first = rows[ROW_KEY].iloc[int(np.flatnonzero(is_left_out)[0])]
        counted = f"{int(is_left_out.sum()):,} of {len(rows):,} rows have no probability (first: {first})"
        notes.append({"topic": "segments", "note": f"{counted}; no segment has them."})
    return [asdict(one) for one in find_weak_segments(frame, loss, blocks)], notes


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
    resamples = draw_blocks(material.blocks[~is_fit], rng)
    found = importances.ablation_importance(
        lambda name: view.refit_without(name, is_fit, material.is_positive), asked, view.features, resamples
    )
    return found, len(asked), []


def _mean_contributions(
    material: Material, view: ModelView, resamples: Resamples
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
            mean = estimate_mean(size, resamples)
            sizes.append(Importance(CONTRIBUTION, name, mean.value, mean.low, mean.high))
    return sizes, []


def _ranked(found: Sequence[Importance], n_rows: int) -> list[Row]:
    """Give each feature its place by one method; equal values share the mean of their places."""
    largest = {one.feature: one for one in sorted(found, key=lambda one: one.value)}
    kept = list(largest.values())
    places: NDArray[np.float64] = rankdata([-one.value for one in kept])
    return [{**asdict(one), "rank": float(place), "n_rows": n_rows} for one, place in zip(kept, places, strict=True)]
