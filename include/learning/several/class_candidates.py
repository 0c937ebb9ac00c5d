"""Fits single candidates of several classes, lets them score rows they have not seen, and looks for their settings.

What does not belong here: which rows are for what (`fit_classes.py`), and what a candidate is made of
(`training/estimators.py`).
"""

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning

from include.learning.data.features import FeatureSpec, build_features, learn_features
from include.learning.data.splits import teaches
from include.learning.errors import BadFeatures, NothingToRead
from include.learning.protocols import Classifier, Encoded, Encoder, Flags, Numbers, Probabilities
from include.learning.several.models import apply_map, fit_map, score_classes
from include.learning.several.targets import Targets, row_surprise
from include.learning.training import estimators
from include.learning.training.candidates import contestants, minimise
from include.problems.sections.learning import ModelName, Training

log = logging.getLogger(__name__)

# Tried without a search, the defaults first; `C` is the inverse of how strongly weights are held.
FEW_SETTINGS: Mapping[str, Sequence[estimators.Settings]] = {
    "scorecard": ({}, {"C": 10.0}),
    "text_logistic": ({}, {"C": 10.0}, {"C": 1.0}),
    "text_pieces": ({}, {"C": 3.0}, {"C": 10.0}),
    "text_characters": ({}, {"C": 10.0}, {"C": 1.0}),
}


@dataclass(frozen=True)
class Reading:
    """Training rows as one candidate reads them: `encoder` never saw a label, `codes` are places among `learned`."""

    name: ModelName
    spec: FeatureSpec
    encoder: Encoder
    encoded: Encoded
    codes: Numbers

    def rows_where(self, is_taken: Flags) -> Encoded:
        """Take some of the encoded rows."""
        return self.encoded[is_taken if isinstance(self.encoded, pd.DataFrame) else np.flatnonzero(is_taken)]


def read_all(rows: pd.DataFrame, codes: Numbers, training: Training) -> tuple[list[Reading], list[str]]:
    """Read rows the way each candidate does, simplest first; what finds nothing to read is left out and said.

    Raises:
        NotEnoughLabels: from `candidates.contestants`.
        BadFeatures: from `data/features.py`, or no candidate finds anything to read.
    """
    readings: list[Reading] = []
    said: list[str] = []
    for name in contestants(training, len(rows)):
        spec = estimators.spec_of(name, learn_features(rows, training.features))
        frame = build_features(rows, spec)
        try:
            encoder = estimators.make_encoder(name, spec, frame)
        except NothingToRead as error:
            said.append(f"{name} is left out. {error}")
            continue
        readings.append(Reading(name, spec, encoder, encoder.fit_transform(frame), np.asarray(codes, dtype=np.int64)))
        said += [
            f"{name} does without {part}: no text of {len(rows):,} holds one."
            for part in estimators.missing_parts(name, spec, encoder)
        ]
    for sentence in said:
        log.warning("%s", sentence)
    if not readings:
        raise BadFeatures(f"No candidate finds anything to learn from. {' '.join(said)}")
    return readings, said


def fit_one(
    reading: Reading, training: Training, settings: estimators.Settings, is_teaching: Flags | None = None
) -> Classifier:
    """Fit one candidate on the rows that it has read, or on some of them."""
    classifier = estimators.make_classifier(reading.name, reading.spec, training.features, training.seed, settings)
    taught = np.ones(len(reading.codes), dtype=np.bool_) if is_teaching is None else is_teaching
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return classifier.fit(reading.rows_where(taught), reading.codes[taught])


def score_out_of_fold(
    reading: Reading, folds: Numbers, groups: Numbers, training: Training, settings: estimators.Settings
) -> Probabilities:
    """Let each fold be scored by a classifier that was fitted without it.

    Returns:
        shape (n_rows, n_learned); NaN for rows that only teach. A class that a fold's classifier has not seen gets the
        least probability there is.
    """
    n_learned = int(reading.codes.max()) + 1
    scores = np.full((len(reading.codes), n_learned), np.nan)
    for fold in range(int(folds.max()) + 1):
        is_teaching, is_asked = teaches(folds, groups, fold), folds == fold
        seen = np.unique(reading.codes[is_teaching])
        own = np.full((int(is_asked.sum()), n_learned), 1 / (int(is_teaching.sum()) + n_learned))
        if len(seen) > 1:
            classifier = fit_one(reading, training, settings, is_teaching)
            own[:, seen] = score_classes(classifier, reading.rows_where(is_asked))
        else:
            own[:, seen] = 1.0
        scores[is_asked] = own / own.sum(axis=1, keepdims=True)
    return scores


def search_settings(
    reading: Reading, folds: Numbers, groups: Numbers, training: Training, share_of_budget: float
) -> estimators.Settings:
    """Look for settings that are less surprised by rows they were not fitted on than the defaults are.

    How strongly weights are held is looked for even where the file asks for no search: what is right for two classes
    that words tell apart is far too weak where several classes are hard to tell. The loss is that of calibrated scores,
    because they will be.
    """
    search = training.search
    if reading.name == "gaussian_process":
        return {}
    is_held = folds >= 0
    codes = reading.codes[is_held]

    def loss_of(settings: estimators.Settings) -> float:
        scores = score_out_of_fold(reading, folds, groups, training, settings)[is_held]
        return mean_loss(apply_map(fit_map("temperature", scores, codes), scores), codes)

    if search is None:
        few = [dict(settings) for settings in FEW_SETTINGS.get(reading.name, ({},))]
        return min(few, key=loss_of) if len(few) > 1 else few[0]
    return minimise(reading.name, loss_of, search, training.seed, search.budget * share_of_budget)


def mean_loss(p: Probabilities, codes: Numbers) -> float:
    """Average the surprise at what happened, in nats."""
    return float(row_loss(p, codes).mean())


def row_loss(p: Probabilities, codes: Numbers) -> Probabilities:
    """Give each row's surprise at what happened: shape (n_rows,), in nats."""
    flags = np.eye(p.shape[1], dtype=np.bool_)[codes]
    return row_surprise(Targets(tuple(map(str, range(p.shape[1]))), flags, False), p)


def simplest_of_the_best(losses: Sequence[Probabilities]) -> int:
    """Choose the first of what is within one standard error of the least surprised.

    Few rows that happen to be told apart perfectly would choose whatever is most certain of them.

    Args:
        losses: of each pair of candidate and calibrator, simplest first; shape (n_rows,), the same rows.

    Returns:
        its place.

    Source: the one-standard-error rule, Breiman, Friedman, Olshen and Stone 1984, section 3.4.3, on paired rows.
    """
    best = losses[int(np.argmin([loss.mean() for loss in losses]))]
    for place, loss in enumerate(losses):
        difference = loss - best
        if difference.mean() <= difference.std() / np.sqrt(len(best)):
            return place
    return 0
