"""Fits the candidates of several classes, chooses one with its calibrator, and asks about rows that none was fitted on.

What belongs here: frames in, a model and held-out probabilities out. What does not: one model for each label
(`fit_labels.py`), reading rows, storing models, and the verdict (`gate.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.errors import NotEnoughLabels
from include.learning.calibration.selection import N_FOLDS, Choice, fold_blocks
from include.learning.data.columns import BLOCK, IS_RANDOM, P_OF
from include.learning.data.features import FeatureSpec, build_features
from include.learning.data.near_duplicates import group_rows
from include.learning.data.splits import TimeSplit, search_folds, settle_straddlers, teaches
from include.learning.protocols import Classifier, Flags, Numbers, Probabilities
from include.learning.several.class_candidates import (
    Reading,
    fit_one,
    read_all,
    row_loss,
    score_out_of_fold,
    search_settings,
    simplest_of_the_best,
)
from include.learning.several.class_folds import deal_folds, learnable, require_two_classes, shares_of
from include.learning.several.heldout import (
    DUMMY_COLUMN,
    MODEL_COLUMN,
    UNCALIBRATED_COLUMN,
    answer_frame,
    drop_partial,
    mean_feature_auc,
)
from include.learning.several.models import METHODS, ClassesModel, apply_map, fit_map, score_classes, spread
from include.learning.several.refit import refit_classes
from include.learning.several.targets import Targets
from include.learning.training import estimators
from include.learning.training.candidates import train_on_what_teaches
from include.learning.training.fit import N_THREADS
from include.learning.training.refit import say_not_refitted, say_refit
from include.names import PARTITION_KEY
from include.problems.sections.learning import Training


@dataclass(frozen=True)
class SeveralFitted:
    """A model of several classes or labels, and what it and the dummy said about rows they had not seen.

    Attributes:
        model: takes the feature frame, gives calibrated probabilities, a column for each class.
        spec: how the frame is made.
        model_name: the candidate that was chosen.
        calibration: its calibrator.
        heldout: from `heldout.answer_frame`.
        n_train: rows fitted on.
        n_calibrate: rows calibrated on.
        choices: every candidate with every calibrator; the chosen one is marked.
        settings: of the chosen candidate, where a search found better ones.
        n_left_out: rows left out because they belong with rows on another side of the split.
        feature_auc: how well each feature tells one class from the rest all by itself; the best class counts.
        said: sentences about candidates, parts of texts and classes that gave nothing to learn from.
        refit: how the model that serves differs from the one that answered; empty where it is the same one.
    """

    model: Pipeline
    spec: FeatureSpec
    model_name: str
    calibration: str
    heldout: pd.DataFrame
    n_train: int
    n_calibrate: int
    choices: list[Choice]
    settings: Mapping[str, object]
    n_left_out: int
    feature_auc: Mapping[str, float]
    said: list[str]
    refit: str = ""


@dataclass(frozen=True)
class Member:
    """One fitted candidate with its best calibrator."""

    reading: Reading
    settings: estimators.Settings
    model: ClassesModel

    def answer(self, rows: pd.DataFrame, *, is_calibrated: bool = True) -> Probabilities:
        """Ask about rows: shape (n_rows, n_classes)."""
        encoded = self.reading.encoder.transform(build_features(rows, self.reading.spec))
        if is_calibrated:
            return self.model.predict_proba(encoded)
        return spread(score_classes(self.model.estimator, encoded), self.model.shares)


@dataclass(frozen=True)
class Team:
    """All candidates after one fit, and which of them was chosen."""

    members: Mapping[str, Member]
    choices: list[Choice]
    said: list[str]

    @property
    def first(self) -> str:
        """The chosen candidate."""
        return next(choice.candidate for choice in self.choices if choice.is_chosen)


def fit_classes_by_time(rows: pd.DataFrame, targets: Targets, split: TimeSplit, training: Training) -> SeveralFitted:
    """Choose on the earliest partitions and the next, ask about the last, and fit what was chosen on all of them.

    What answers for the last partitions was fitted on all rows before them; what serves, in the same way on all rows.
    With `refit: none` both are the model that was fitted on the earliest partitions and calibrated on the next.

    Args:
        rows: with known labels.
        targets: of the rows.
        split: which partition is for what.

    Raises:
        NotEnoughLabels: a part has rows of one class only.
        BadFeatures: from `data/leakage_checks.py` and `data/features.py`.
    """
    part = np.select([rows[PARTITION_KEY].isin(own) for own in (split.fit, split.calibrate)], [0, 1], 2)
    groups = group_rows(rows, training.features.text, training.group, training.seed)
    stays = settle_straddlers(part, groups, training.seed)
    is_fit, is_calibrate, is_held = (stays & (part == number) for number in range(3))
    for is_own, what_for in ((is_fit, "fit on"), (is_calibrate, "calibrate on"), (is_held, "measure on")):
        require_two_classes(targets.where(is_own), what_for)
    training, idle = train_on_what_teaches(rows[is_fit], training)
    fit_rows, calibrate_rows, own = rows[is_fit], rows[is_calibrate], targets.where(is_fit)
    learned, shares, said = learnable(own)
    with threadpool_limits(N_THREADS):
        is_taught = own.flags[:, learned].any(axis=1)
        taught, codes = fit_rows[is_taught], own.flags[is_taught][:, learned].argmax(axis=1)
        own_groups = groups[is_fit][is_taught]
        folds = search_folds(taught[PARTITION_KEY].to_numpy(dtype=object), own_groups, N_FOLDS, training.seed)
        readings, more = read_all(taught, codes, training)
        asked = targets.where(is_calibrate)
        is_known = asked.flags[:, learned].any(axis=1)
        blocks = calibrate_rows[BLOCK].to_numpy(dtype=np.int64)[is_known]
        settings: dict[str, estimators.Settings] = {
            one.name: search_settings(one, folds, own_groups, training, 1 / len(readings)) for one in readings
        }
        fitted: dict[str, Classifier] = {one.name: fit_one(one, training, settings[one.name]) for one in readings}
        scores: dict[str, Probabilities] = {
            one.name: _score_rows(one, fitted[one.name], calibrate_rows[is_known]) for one in readings
        }
        true = asked.flags[is_known][:, learned].argmax(axis=1)
        team = _choose(readings, settings, fitted, scores, true, blocks, training, targets.classes, shares)
        feature_auc = mean_feature_auc(fit_rows, training.features, own)
        n_train, n_calibrate, told, serving = len(fit_rows), len(calibrate_rows), "", team
        if training.refit == "all" and estimators.is_for(team.members[team.first].reading.name, len(rows)):
            is_before = stays & (part < 2)
            again = _refit_twice(team, rows, targets, groups, is_before, training)
            idle = idle if again else [*idle, say_not_refitted(len(rows))]
            if again:
                team, serving, n_calibrate = again
                own, n_train = targets.where(is_before), len(rows)
                told = say_refit(n_train, int(is_before.sum()), int(is_held.sum()), n_calibrate)
        heldout = _ask(team, rows[is_held], targets.where(is_held), shares_of(own), training)
    fitted_all = _fitted(serving, heldout, n_train, n_calibrate, int((~stays).sum()), feature_auc, idle + said + more)
    return replace(fitted_all, refit=told)


def _refit_twice(
    team: Team, rows: pd.DataFrame, targets: Targets, groups: Numbers, is_before: Flags, training: Training
) -> tuple[Team, Team, int] | None:
    """Fit the chosen candidate on the rows before the held-out ones, and on all, with the rows that calibrated it.

    Returns:
        None where a calibrator would have too little to learn from.
    """
    try:
        earlier, _ = _refit_first(team, rows, targets, groups, is_before, training)
        return earlier, *_refit_first(team, rows, targets, groups, np.ones(len(rows), np.bool_), training)
    except NotEnoughLabels:
        return None


def _refit_first(
    team: Team, rows: pd.DataFrame, targets: Targets, groups: Numbers, is_taken: Flags, training: Training
) -> tuple[Team, int]:
    """Put a fit of the chosen candidate on other rows in its place; give also how many rows calibrated it.

    Raises:
        NotEnoughLabels: from `refit.refit_classes`.
    """
    chosen = team.members[team.first]
    name, method = chosen.reading.name, chosen.model.method
    taken = targets.where(is_taken)
    found = refit_classes(name, chosen.settings, method, rows[is_taken], taken, groups[is_taken], training)
    member = Member(found.reading, chosen.settings, found.model)
    return replace(team, members={**team.members, team.first: member}), found.n_scored


def fit_classes_by_folds(rows: pd.DataFrame, targets: Targets, training: Training) -> SeveralFitted:
    """Fit on all labels of people, and measure out of fold on the ones chosen by chance.

    Args:
        rows: labelled rows.
        targets: of the rows.

    Raises:
        NotEnoughLabels: fewer than two classes have 5 labels chosen by chance.
        BadFeatures: from `data/leakage_checks.py` and `data/features.py`.
    """
    is_random = rows[IS_RANDOM].to_numpy(dtype=np.bool_)
    groups = group_rows(rows, training.features.text, training.group, training.seed)
    folds = deal_folds(targets, is_random, groups, training.seed)
    rows = rows.assign(**{BLOCK: groups})
    training, idle = train_on_what_teaches(rows, training)
    with threadpool_limits(N_THREADS):
        team = _fit_team_by_folds(rows, targets, groups, training)
        parts = []
        for fold in range(N_FOLDS):
            taught = teaches(folds, groups, fold)
            other = _fit_team_by_folds(rows[taught], targets.where(taught), groups[taught], training)
            is_asked = folds == fold
            by_chance = targets.where(taught & is_random)
            parts.append(_ask(other, rows[is_asked], targets.where(is_asked), shares_of(by_chance), training))
        feature_auc = mean_feature_auc(rows, training.features, targets)
    heldout = drop_partial(pd.concat(parts, ignore_index=True))
    return _fitted(team, heldout, len(rows), len(rows), 0, feature_auc, idle + team.said)


def _score_rows(reading: Reading, classifier: Classifier, rows: pd.DataFrame) -> Probabilities:
    """Score rows as the fit left it: shape (n_rows, n_learned)."""
    return score_classes(classifier, reading.encoder.transform(build_features(rows, reading.spec)))


def _fit_team_by_folds(rows: pd.DataFrame, targets: Targets, groups: Numbers, training: Training) -> Team:
    """Fit every candidate on rows that are too few to be split, and choose and calibrate on its out-of-fold scores."""
    learned, shares, said = learnable(targets)
    is_taught: Flags = np.asarray(targets.flags[:, learned].any(axis=1), dtype=np.bool_)
    taught, own_groups = rows[is_taught], groups[is_taught]
    codes = targets.flags[is_taught][:, learned].argmax(axis=1).astype(np.int64)
    own = Targets(tuple(targets.classes[place] for place in learned), targets.flags[is_taught][:, learned], False)
    folds = deal_folds(own, np.ones(len(codes), dtype=np.bool_), own_groups, training.seed)
    readings, more = read_all(taught, codes, training)
    # Of the eleven fits of a training (all rows, and five folds twice) each has its share of the time for searching.
    settings: dict[str, estimators.Settings] = {
        one.name: search_settings(one, folds, own_groups, training, 1 / 6 / len(readings)) for one in readings
    }
    fitted: dict[str, Classifier] = {one.name: fit_one(one, training, settings[one.name]) for one in readings}
    scores: dict[str, Probabilities] = {
        one.name: score_out_of_fold(one, folds, own_groups, training, settings[one.name]) for one in readings
    }
    team = _choose(readings, settings, fitted, scores, codes, own_groups, training, targets.classes, shares)
    return Team(team.members, team.choices, said + more)


def _choose(
    readings: list[Reading],
    settings: Mapping[str, estimators.Settings],
    fitted: Mapping[str, Classifier],
    scores: Mapping[str, Probabilities],
    codes: Numbers,
    blocks: Numbers,
    training: Training,
    classes: tuple[str, ...],
    shares: Probabilities,
) -> Team:
    """Choose the simplest pair of candidate and calibrator that is as good as the best, and one for every candidate.

    Args:
        scores: candidate to shape (n_rows, n_learned), on rows it was not fitted on; simplest candidate first.
        codes: shape (n_rows,), what happened, as a place among the learned classes.
        blocks: shape (n_rows,), day or group of each row; a calibrator is measured on whole blocks.
    """
    folds = fold_blocks(blocks, training.seed)
    methods = METHODS if training.calibration == "choose" else (training.calibration,)
    pairs = [(name, method) for name in scores for method in methods]
    losses = [row_loss(_calibrate_out_of_fold(method, scores[name], codes, folds), codes) for name, method in pairs]
    chosen = simplest_of_the_best(losses)
    choices = [
        Choice(name, method, float(loss.mean()), len(codes), is_chosen=place == chosen)
        for place, ((name, method), loss) in enumerate(zip(pairs, losses, strict=True))
    ]
    members: dict[str, Member] = {}
    for reading in readings:
        name = reading.name
        own = [place for place, pair in enumerate(pairs) if pair[0] == name]
        method = pairs[own[simplest_of_the_best([losses[place] for place in own])]][1]
        score_map = fit_map(method, scores[name], codes)
        model = ClassesModel(fitted[name], list(classes), shares, method, score_map)
        members[name] = Member(reading, settings[name], model)
    return Team(members, choices, [])


def _calibrate_out_of_fold(method: str, p: Probabilities, codes: Numbers, folds: Numbers) -> Probabilities:
    """Map each fold by what was learned on the others."""
    answers = p.copy()
    for fold in np.unique(folds):
        is_held = folds == fold
        if len(np.unique(codes[~is_held])) > 1:
            answers[is_held] = apply_map(fit_map(method, p[~is_held], codes[~is_held]), p[is_held])
    return answers


def _ask(team: Team, rows: pd.DataFrame, targets: Targets, dummy: Probabilities, training: Training) -> pd.DataFrame:
    """Let the candidates and the dummy answer for held-out rows."""
    chosen = team.members[team.first]
    answers = {
        DUMMY_COLUMN: np.tile(dummy, (len(rows), 1)),
        UNCALIBRATED_COLUMN: chosen.answer(rows, is_calibrated=False),
        MODEL_COLUMN: chosen.answer(rows),
    }
    if len(team.members) > 1:
        answers |= {f"{P_OF}{name}": member.answer(rows) for name, member in team.members.items()}
    return answer_frame(rows, targets, answers, [segment.column for segment in training.protected])


def _fitted(
    team: Team,
    heldout: pd.DataFrame,
    n_train: int,
    n_calibrate: int,
    n_left_out: int,
    feature_auc: Mapping[str, float],
    said: list[str],
) -> SeveralFitted:
    """Put together what came out of a fit."""
    chosen = team.members[team.first]
    model = Pipeline([("encode", chosen.reading.encoder), ("classify", chosen.model)])
    return SeveralFitted(
        model,
        chosen.reading.spec,
        team.first,
        chosen.model.method,
        heldout,
        n_train,
        n_calibrate,
        team.choices,
        dict(chosen.settings),
        n_left_out,
        feature_auc,
        said,
    )
