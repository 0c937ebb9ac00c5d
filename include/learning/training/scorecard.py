"""Reads a fitted scorecard the way people read one: what each feature does to the odds, and how sure that is.

What belongs here: odds and multicollinearity of a linear model. What does not: fitting it (`training/estimators.py`).
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer

from include.learning.data.features import build_features
from include.learning.data.leakage_checks import variance_inflation
from include.learning.protocols import LinearClassifier
from include.learning.training.candidates import Scorer


@dataclass(frozen=True)
class Term:
    """One line of a scorecard.

    Attributes:
        feature: column of the problem.
        term: the category; empty for a number.
        odds_ratio: the odds of the positive class are multiplied by this: for one `step` more of a number, for being of
            a category rather than of an average one. Above 0; 1 changes nothing.
        step: one standard deviation of a number, in its own unit; None for a category.
        vif_ratio: how much the other numbers blur this one, at least 1 (10 is much); None for a category, and where
            they give it exactly.
    """

    feature: str
    term: str
    odds_ratio: float
    step: float | None
    vif_ratio: float | None


def read_scorecard(scorer: Scorer, rows: pd.DataFrame) -> list[Term]:
    """List the lines of a fitted scorecard, numbers first, in the order of the problem file.

    Args:
        scorer: the candidate `scorecard`.
        rows: what it was fitted on.
    """
    weights = np.asarray(cast(LinearClassifier, scorer.classifier).coef_, dtype=np.float64).ravel()
    encoder: ColumnTransformer = scorer.encoder
    terms: list[Term] = []
    if scorer.spec.numeric:
        frame = build_features(rows, scorer.spec)
        vif = variance_inflation(frame, scorer.spec.numeric)
        place = encoder.output_indices_["numbers"]
        steps = encoder.named_transformers_["numbers"]["scale"].scale_
        for name, weight, step in zip(scorer.spec.numeric, weights[place], steps, strict=True):
            blur = vif[name] if np.isfinite(vif[name]) else None
            terms.append(Term(name, "", float(np.exp(weight)), float(step), blur))
    if scorer.spec.categories:
        own = weights[encoder.output_indices_["categories"]]
        start = 0
        for name, values in zip(
            scorer.spec.categories, encoder.named_transformers_["categories"].categories_, strict=True
        ):
            part = own[start : start + len(values)]
            start += len(values)
            centred = np.exp(part - part.mean())
            terms += [
                Term(name, "missing" if pd.isna(value) else str(value), float(odds), None, None)
                for value, odds in zip(values, centred, strict=True)
            ]
    return terms
