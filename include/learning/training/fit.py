"""Fits the candidates and the baselines they must beat, and asks all of them about rows that none was fitted on.

What belongs here: frames in, a model and held-out probabilities out. What does not: reading rows, storing models, and
the verdict (`evaluation/gate_checks.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.errors import NotEnoughLabels
from include.learning.calibration.calibrators import Calibrated, apply_map
from include.learning.calibration.selection import N_FOLDS, Choice, best_method, calibrate, choose
from include.learning.data.columns import BLOCK as BLOCK
from include.learning.data.columns import IS_KNOWN as IS_KNOWN
from include.learning.data.columns import IS_POSITIVE as IS_POSITIVE
from include.learning.data.columns import IS_RANDOM as IS_RANDOM
from include.learning.data.columns import IS_RULE as IS_RULE
from include.learning.data.columns import P_OF, P_RECALIBRATED, SEGMENT
from include.learning.data.features import FeatureSpec
from include.learning.data.leakage_checks import require_both_classes, single_feature_auc
from include.learning.data.near_duplicates import group_rows
from include.learning.data.splits import TimeSplit, assign_folds, search_folds, settle_straddlers, teaches
from include.learning.protocols import Flags, Numbers, Probabilities
from include.learning.training import candidates, estimators
from include.learning.training.candidates import (
    Scorer,
    encode_all,
    fit_scorer,
    score_out_of_fold,
    train_on_what_teaches,
)
from include.learning.training.refit import Refit, answer_later, refit, refit_with_later, say_not_refitted, say_refit
from include.learning.training.scorecard import Term, read_scorecard
from include.names import PARTITION_KEY, ROW_KEY
from include.problems.sections.learning import Training

# Airflow runs several tasks on one machine; one thread each wastes less than six tasks that fight for two cores.
N_THREADS = 1


@dataclass(frozen=True)
class Fitted:
    """A model, and what it and the baselines said about rows they had not seen.

    Attributes:
        model: takes the feature frame, gives calibrated probabilities.
        spec: how the frame is made.
        heldout: columns _row_key, _partition_key, _block, _is_positive, _is_rule, p_dummy, p_rule, p_uncalibrated,
            p_model (of the chosen candidate), p_recalibrated (the same, where it was refitted), p_of_<name> (of each
            other one) and segment_<column> (protected ones).
        n_train: rows fitted on.
        n_calibrate: rows calibrated on.
        choices: every candidate with every calibrator; the chosen one is marked.
        settings: of the chosen candidate, where a search found better ones.
        n_left_out: rows left out because they belong with rows on another side of the split.
        feature_auc: how well each feature ranks the fitted rows all by itself.
        scorecard: the lines of the scorecard, where one was a candidate.
        heldout_random_only: for labels from people, the same rows asked of a model that only labels chosen by chance
            taught; None else.
        n_random: labels chosen by chance; 0 where people give none.
        left_out: features, candidates, and parts of texts, that these rows gave nothing to learn from; a sentence each.
        refit: how the model that serves differs from the one that answered; empty where it is the same one.
    """

    model: Pipeline
    spec: FeatureSpec
    heldout: pd.DataFrame
    n_train: int
    n_calibrate: int
    choices: list[Choice]
    settings: estimators.Settings = field(default_factory=dict)
    n_left_out: int = 0
    feature_auc: Mapping[str, float] = field(default_factory=dict)
    scorecard: list[Term] = field(default_factory=list)
    heldout_random_only: pd.DataFrame | None = None
    n_random: int = 0
    left_out: list[str] = field(default_factory=list)
    refit: str = ""

    @property
    def chosen(self) -> Choice:
        """The candidate and map that serve."""
        return next(choice for choice in self.choices if choice.is_chosen)


@dataclass(frozen=True)
class Team:
    """All candidates after one fit, each with its best map, and which of them was chosen."""

    scorers: Mapping[str, Scorer]
    calibrated: Mapping[str, Calibrated]
    choices: list[Choice]
    left_out: list[str]

    @property
    def first(self) -> str:
        """The chosen candidate."""
        return next(choice.candidate for choice in self.choices if choice.is_chosen)

    def with_first(self, fitted: Refit) -> "Team":
        """Put a fit of the chosen candidate on other rows in its place."""
        return replace(
            self,
            scorers={**self.scorers, self.first: fitted.scorer},
            calibrated={**self.calibrated, self.first: fitted.model},
        )

    def to_model(self) -> Pipeline:
        """Make the model that serves: encoder and calibrated classifier in one."""
        return Pipeline([("encode", self.scorers[self.first].encoder), ("classify", self.calibrated[self.first])])


def fit_by_time(rows: pd.DataFrame, split: TimeSplit, training: Training) -> Fitted:
    """Choose on the earliest partitions and the next, ask about the last, and fit what was chosen on all of them.

    What answers for the last partitions was fitted on all rows before them; what serves, in the same way on all rows.
    With `refit: none` both are the model that was fitted on the earliest partitions and calibrated on the next.

    Args:
        rows: training rows with known labels; columns of the problem and the ones named above.
        split: which partition is for what.

    Raises:
        NotEnoughLabels: a part has rows of one class only.
        BadFeatures: from `data/leakage_checks.py` and `data/features.py`.
    """
    part = np.select([rows[PARTITION_KEY].isin(part) for part in (split.fit, split.calibrate)], [0, 1], 2)
    groups = group_rows(rows, training.features.text, training.group, training.seed)
    stays = settle_straddlers(part, groups, training.seed)
    fit_rows, calibrate_rows, heldout = (rows[stays & (part == number)] for number in range(3))
    for own, name in ((fit_rows, "fit on"), (calibrate_rows, "calibrate on"), (heldout, "measure on")):
        require_both_classes(_flags(own, IS_POSITIVE), name)
    training, left_out = train_on_what_teaches(fit_rows, training)
    with threadpool_limits(N_THREADS):
        team = _fit_team_by_time(fit_rows, groups[stays & (part == 0)], calibrate_rows, training)
        feature_auc = single_feature_auc(fit_rows, training.features, _flags(fit_rows, IS_POSITIVE))
        fitted = Fitted(
            team.to_model(),
            team.scorers[team.first].spec,
            pd.DataFrame(),
            len(fit_rows),
            len(calibrate_rows),
            team.choices,
            team.scorers[team.first].settings,
            int((~stays).sum()),
            feature_auc,
            _scorecard_of(team, fit_rows),
            left_out=[*left_out, *team.left_out],
        )
        if training.refit == "all" and estimators.is_for(team.scorers[team.first].name, len(rows)):
            is_before = stays & (part < 2)
            try:
                return _refit_on_all(fitted, team, rows, rows[is_before], groups[is_before], heldout, training)
            except NotEnoughLabels:
                fitted = replace(fitted, left_out=[*fitted.left_out, say_not_refitted(len(rows))])
        return replace(fitted, heldout=_ask(team, fit_rows, heldout, training).reset_index(drop=True))


def _refit_on_all(
    fitted: Fitted,
    team: "Team",
    rows: pd.DataFrame,
    before: pd.DataFrame,
    groups: Numbers,
    heldout: pd.DataFrame,
    training: Training,
) -> Fitted:
    """Let the chosen candidate answer after a fit on all earlier rows, and make what serves from all rows.

    Args:
        before: rows before the held-out ones.
        groups: shape (n_before,).

    Raises:
        NotEnoughLabels: from `refit.refit_folds`.
    """
    earlier = refit(team.scorers[team.first], team.calibrated[team.first].method, before, groups, training)
    answers = _ask(team.with_first(earlier), before, heldout, training)
    scores = answers["p_uncalibrated"].to_numpy(dtype=np.float64)
    answers[P_RECALIBRATED] = answer_later(earlier, heldout, scores, training.seed)
    last = refit_with_later(earlier, heldout, scores, rows, training)
    serving = team.with_first(last)
    return replace(
        fitted,
        model=serving.to_model(),
        spec=last.scorer.spec,
        heldout=answers.reset_index(drop=True),
        n_train=len(rows),
        n_calibrate=len(last.scores),
        scorecard=_scorecard_of(serving, rows) if team.first == "scorecard" else fitted.scorecard,
        refit=say_refit(len(rows), len(before), len(heldout), len(last.scores)),
    )


def fit_by_folds(rows: pd.DataFrame, training: Training) -> Fitted:
    """Fit on all labels, and measure out of fold on the ones chosen by chance.

    Labels chosen by uncertainty teach, but are never measured on: they are harder than the rows that the model will
    meet. Candidate, map and settings are chosen anew for every fold, without it.

    Args:
        rows: labelled rows; columns of the problem and the ones named above.

    Raises:
        NotEnoughLabels: fewer than 5 of one class among the labels chosen by chance.
        BadFeatures: from `data/leakage_checks.py` and `data/features.py`.
    """
    is_random, is_positive = _flags(rows, IS_RANDOM), _flags(rows, IS_POSITIVE)
    groups = group_rows(rows, training.features.text, training.group, training.seed)
    folds = assign_folds(is_positive, is_random, N_FOLDS, training.seed, groups)
    rows = rows.assign(**{BLOCK: groups})  # what hangs together is resampled together
    training, left_out = train_on_what_teaches(rows, training)
    with threadpool_limits(N_THREADS):
        team = _fit_team_by_folds(rows, groups, training)
        heldout = _ask_out_of_fold(rows, groups, folds, training, lambda fold: teaches(folds, groups, fold))
        # Without labels chosen by uncertainty both questions are the same one.
        random_only = (
            heldout
            if is_random.all()
            else _ask_out_of_fold(rows, groups, folds, training, lambda fold: is_random & teaches(folds, groups, fold))
        )
    return Fitted(
        team.to_model(),
        team.scorers[team.first].spec,
        heldout,
        len(rows),
        len(rows),
        team.choices,
        team.scorers[team.first].settings,
        feature_auc=single_feature_auc(rows, training.features, is_positive),
        scorecard=_scorecard_of(team, rows),
        heldout_random_only=random_only,
        n_random=int(is_random.sum()),
        left_out=[*left_out, *team.left_out],
    )


def _fit_team_by_time(
    fit_rows: pd.DataFrame, groups: Numbers, calibrate_rows: pd.DataFrame, training: Training
) -> Team:
    """Fit every candidate on the earlier rows, and choose and calibrate on the later ones."""
    folds = search_folds(fit_rows[PARTITION_KEY].to_numpy(dtype=object), groups, N_FOLDS, training.seed)
    encodings, left_out = encode_all(fit_rows, training)
    scorers: dict[str, Scorer] = {}
    for encoding in encodings:
        settings = candidates.search_settings(encoding, folds, groups, training, 1 / len(encodings))
        scorers[encoding.name] = fit_scorer(encoding, training, settings)
    scores = {name: scorer.score(calibrate_rows) for name, scorer in scorers.items()}
    is_positive, blocks = _flags(calibrate_rows, IS_POSITIVE), calibrate_rows[BLOCK].to_numpy(dtype=np.int64)
    return _choose(scorers, scores, is_positive, blocks, training, left_out)


def _fit_team_by_folds(rows: pd.DataFrame, groups: Numbers, training: Training, share: float = 1 / 11) -> Team:
    """Fit every candidate on rows that are too few to be split, and choose and calibrate on its out-of-fold scores.

    Args:
        share: of the time for searching; of the eleven fits of a training (all rows, and five folds twice) one.

    Raises:
        NotEnoughLabels: fewer than 2 of the rarer class.
    """
    is_positive = _flags(rows, IS_POSITIVE)
    n_rarest = min(len(np.unique(groups[is_positive == kind])) for kind in (True, False))
    if n_rarest < 2:
        raise NotEnoughLabels(
            f"{n_rarest} of {len(rows)} labels to calibrate on are of the rarer class (rows that belong together count "
            "once); 2 are the least. Label more items."
        )
    every = np.ones(len(rows), dtype=np.bool_)
    folds = assign_folds(is_positive, every, min(N_FOLDS, n_rarest), training.seed, groups)
    encodings, left_out = encode_all(rows, training)
    scorers: dict[str, Scorer] = {}
    scores: dict[str, Probabilities] = {}
    for encoding in encodings:
        settings = candidates.search_settings(encoding, folds, groups, training, share / len(encodings))
        scores[encoding.name] = score_out_of_fold(encoding, folds, groups, training, settings)
        scorers[encoding.name] = fit_scorer(encoding, training, settings)
    return _choose(scorers, scores, is_positive, groups, training, left_out)


def _choose(
    scorers: Mapping[str, Scorer],
    scores: Mapping[str, Probabilities],
    is_positive: Flags,
    blocks: Numbers,
    training: Training,
    left_out: list[str],
) -> Team:
    """Choose candidate and map by log loss, and give every candidate its own best map."""
    choices = choose(scores, is_positive, blocks, training.calibration, training.seed)
    calibrated = {
        name: calibrate(scorer.classifier, best_method(choices, name), scores[name], is_positive)
        for name, scorer in scorers.items()
    }
    return Team(scorers, calibrated, choices, left_out)


def _ask_out_of_fold(
    rows: pd.DataFrame,
    groups: Numbers,
    folds: Numbers,
    training: Training,
    is_teaching: Callable[[int], Flags],
) -> pd.DataFrame:
    """Ask about each fold a team that was fitted, chosen and calibrated without it."""
    parts = []
    for fold in range(N_FOLDS):
        taught = is_teaching(fold)
        team = _fit_team_by_folds(rows[taught], groups[taught], training)
        parts.append(_ask(team, rows[taught], rows[folds == fold], training))
    answers = pd.concat(parts).sort_values(ROW_KEY, ignore_index=True)
    # A candidate that could not be fitted without some fold has not answered for every row, and is not compared.
    others = [name for name in map(str, answers.columns) if name.startswith(P_OF)]
    answers = answers.drop(columns=[name for name in others if answers[name].isna().any()])
    # A fold with few positives leaves more of them to teach: rates of single folds would rank rows backwards.
    return answers.assign(
        p_dummy=answers["p_dummy"].mean(), p_rule=answers.groupby(IS_RULE)["p_rule"].transform("mean")
    )


def _ask(team: Team, teaching: pd.DataFrame, held: pd.DataFrame, training: Training) -> pd.DataFrame:
    """Let the candidates and the baselines answer for held-out rows.

    The baselines learn their rates from the labels chosen by chance alone: uncertainty picks positives more often than
    they happen, and a baseline that believed it would be too easy to beat.
    """
    by_chance = teaching[_flags(teaching, IS_RANDOM)]
    taught, is_rule = _flags(by_chance, IS_POSITIVE), _flags(by_chance, IS_RULE)
    scores = {name: scorer.score(held) for name, scorer in team.scorers.items()}
    said = {name: apply_map(model.score_map, scores[name]) for name, model in team.calibrated.items()}
    segments = {f"{SEGMENT}{segment.column}": held[segment.column].astype("string") for segment in training.protected}
    return held[[ROW_KEY, PARTITION_KEY, BLOCK, IS_POSITIVE, IS_RULE]].assign(
        p_dummy=estimators.base_rate(taught),
        p_rule=estimators.rule_probability(_flags(held, IS_RULE), estimators.rule_rates(is_rule, taught)),
        p_uncalibrated=scores[team.first],
        p_model=said[team.first],
        **{f"{P_OF}{name}": p for name, p in said.items() if len(said) > 1},
        **segments,
    )


def _scorecard_of(team: Team, rows: pd.DataFrame) -> list[Term]:
    """Read the scorecard where one was a candidate."""
    return read_scorecard(team.scorers["scorecard"], rows) if "scorecard" in team.scorers else []


def _flags(rows: pd.DataFrame, column: str) -> Flags:
    """Read a yes-or-no column."""
    return rows[column].to_numpy(dtype=np.bool_)
