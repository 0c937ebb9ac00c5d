"""Turns what the engine counted into rows of the warehouse.

What belongs here: which rows are compared with which. What does not: formulas, expressions, transactions.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.lake.reading import list_partitions, open_events, open_rows
from include.monitoring import aggregates, alerts, calibration, drift, estimates
from include.monitoring.drift import ColumnCounts
from include.names import PARTITION_KEY, predictions_table
from include.problems.decision_policy import earning_policy
from include.problems.schema import Problem
from include.problems.sections.monitor import Monitor
from include.stats import shift
from include.stats.column_bins import ColumnBins

Rows = list[dict[str, Any]]

# Before what models say of a quantity, to tell it from the columns of the log.
OF_NUMBERS = "said: "


@dataclass(frozen=True)
class Reference:
    """The partitions that others are compared with, and how people read that."""

    keys: tuple[str, ...]
    n_wanted: int
    scored_by: str = ""  # model whose scores these are; empty for the columns of the log

    def text(self) -> str:
        """Say which partitions these are; what falls short of the wish, or belongs to one model, is said too."""
        span = self.keys[0] if len(self.keys) == 1 else f"{self.keys[0]}..{self.keys[-1]}"
        short = f" ({len(self.keys)} of {self.n_wanted})" if len(self.keys) < self.n_wanted else ""
        return span + short + (f" scored by {self.scored_by}" if self.scored_by else "")


def is_of_a_model(feature: str) -> bool:
    """Say whether a feature is what models say; of several classes each has one, of a quantity number and width."""
    return feature == aggregates.P_POSITIVE or feature.startswith((f"{aggregates.P_POSITIVE}: ", OF_NUMBERS))


@dataclass(frozen=True)
class Measured:
    """What was measured of some partitions, as rows of the warehouse.

    Attributes:
        keys: the partitions, also those that turned out to have no rows.
        drifts: rows of `core.feature_drift`.
        bins: rows of `core.calibration_bin`.
        summaries: rows of `core.calibration_summary`.
    """

    keys: Sequence[str]
    drifts: Rows
    bins: Rows
    summaries: Rows

    @property
    def n_rows(self) -> int:
        """Count the rows of the lake that were measured."""
        rows = {row["partition_key"]: row["n_rows"] for row in self.drifts if not is_of_a_model(row["feature"])}
        return sum(rows.values())


@dataclass(frozen=True)
class MeasuredTwoSides(Measured):
    """What was measured of some partitions of a problem with two classes.

    Attributes:
        curves: rows of `core.calibration_curve`.
        estimates: rows of `core.performance_estimate`.
    """

    curves: Rows
    estimates: Rows


def measure(
    definition: Problem,
    monitor: Monitor,
    asked: Sequence[str],
    published: Sequence[str],
    references: Mapping[tuple[str, str], str],
    answers: Rows | None,
    now: datetime,
) -> MeasuredTwoSides:
    """Measure some partitions, and those whose reference has changed since they were measured.

    Args:
        asked: the partitions this run is for.
        published: all partitions with rows in the lake, oldest first.
        references: what was compared with what; see `find_stale`.
        answers: a desk problem's answers; None where the log knows the labels.
        now: the time of the measurement.

    Raises:
        BadProbabilities: a score is not a probability.
    """
    scores = open_scored(definition.name, published)
    n_scored = aggregates.count_scored(scores) if scores is not None else {}
    reference = reference_of(published, monitor)
    keys, versions = partitions_to_measure(asked, published, references, reference, n_scored)
    drifts = measure_features(definition, monitor, reference, keys)
    scored = None
    if scores is not None:
        scored = of_partitions(scores, keys)
        aggregates.require_probabilities(scored)
        drifts += measure_scores(definition.name, monitor, scores, reference, versions, keys)
    drifts = correct_for_columns(drifts)
    arm, labelled = ("log", scored) if answers is None else ("random", open_answers(answers, keys))
    own = {pair: n_rows for pair, n_rows in n_scored.items() if pair[0] in set(keys)}
    bins, summaries, curves = measure_calibration(definition.name, arm, own, labelled, now)
    return MeasuredTwoSides(keys, drifts, bins, summaries, curves, _estimate(definition, arm, scored, labelled))


def _estimate(definition: Problem, arm: str, scored: ibis.Table | None, labelled: ibis.Table | None) -> Rows:
    """Estimate from scores what labels will say, and hold it against those that are there."""
    if scored is None and labelled is None:
        return []
    value = definition.value
    policy = earning_policy(value, has_reviewers=definition.review is not None) if value is not None else None
    rows = estimates.measure_estimates(definition.name, scored, labelled, value, policy)
    return [row | {"label_arm": arm} for row in rows]


def partitions_to_measure(
    asked: Sequence[str],
    published: Sequence[str],
    references: Mapping[tuple[str, str], str],
    reference: Reference,
    scored: Iterable[tuple[str, str]],
) -> tuple[list[str], dict[str, list[str]]]:
    """Name the partitions to measure: those asked for, and those whose reference has changed since.

    Args:
        scored: (partition, version) pairs that have predictions.

    Returns:
        partitions, oldest first; and version to the partitions that it scored.
    """
    versions: defaultdict[str, list[str]] = defaultdict(list)
    for key, version in scored:
        versions[version].append(key)
    return sorted({*asked, *(find_stale(references, reference, versions) & set(published))}), versions


def reference_of(published: Sequence[str], monitor: Monitor) -> Reference:
    """Take the first published partitions as what is normal."""
    return Reference(tuple(sorted(published)[: monitor.reference_partitions]), monitor.reference_partitions)


def reference_of_scores(reference: Reference, version: str, scored: Sequence[str]) -> Reference:
    """Choose what a model's scores are compared with: always scores of the same model.

    Two models may say different things of the same rows, so scores of another model are no reference. Where this model
    has scored the reference partitions, those; else the first partition it scored.
    """
    if set(reference.keys) <= set(scored):
        return Reference(reference.keys, reference.n_wanted, version)
    return Reference((min(scored),), 1, version)


def open_scored(problem: str, partitions: Sequence[str]) -> ibis.Table | None:
    """Open the predictions of some partitions; None while no model has ever scored anything."""
    table = predictions_table(problem)
    return open_rows(table, partitions) if list_partitions(table) else None


def open_answers(answers: Rows, keys: Sequence[str]) -> ibis.Table | None:
    """Open people's answers about some partitions as scored rows; None when there are none."""
    answers = [row for row in answers if row[PARTITION_KEY] in keys]
    if not answers:
        return None
    schema = pa.schema(
        [
            (PARTITION_KEY, pa.string()),
            (aggregates.MODEL_VERSION, pa.string()),
            (aggregates.P_POSITIVE, pa.float64()),
            (aggregates.IS_POSITIVE, pa.bool_()),
        ]
    )
    return relation_of_arrow(open_engine(), pa.Table.from_pylist(answers, schema))


def find_stale(
    stored: Mapping[tuple[str, str], str], reference: Reference, versions: Mapping[str, Sequence[str]]
) -> set[str]:
    """Name the partitions that were compared with something else than they would be now.

    Partitions arrive in any order, so that a reference may still change after others were compared with it.

    Args:
        stored: partition and either "" or `p_positive` to the text of the reference it was compared with.
        reference: of the columns of the log, as it is now.
        versions: model version to all partitions it has scored.
    """
    stale = {key for (key, subject), text in stored.items() if not subject and text != reference.text()}
    for version, scored in versions.items():
        now = reference_of_scores(reference, version, scored).text()
        stale |= {key for key in scored if stored.get((key, aggregates.P_POSITIVE), now) != now}
    return stale


def measure_features(definition: Problem, monitor: Monitor, reference: Reference, keys: Sequence[str]) -> Rows:
    """Compare the watched columns of some partitions with their reference.

    Returns:
        rows of `core.feature_drift`; none for a partition without rows.
    """
    types = {name: str(definition.columns[name].type) for name in monitor.features}
    rows = open_events(definition, sorted({*reference.keys, *keys}))
    return measure_columns(definition.name, monitor, rows, types, reference, keys)


def measure_scores(
    problem: str,
    monitor: Monitor,
    scores: ibis.Table,
    reference: Reference,
    versions: Mapping[str, Sequence[str]],
    keys: Sequence[str],
) -> Rows:
    """Compare what the models say of some partitions with what the same model said of its reference.

    Args:
        scores: the predictions of all published partitions.
        reference: of the columns of the log.
        versions: model version to all partitions it has scored.
        keys: the partitions to measure.

    Returns:
        rows of `core.feature_drift` for the feature `p_positive`.
    """
    found: Rows = []
    for version, scored in versions.items():
        own = reference_of_scores(reference, version, scored)
        wanted = sorted(set(keys) & set(scored))
        if wanted:
            rows = of_partitions(scores.filter(scores[aggregates.MODEL_VERSION] == version), {*own.keys, *wanted})
            found += measure_columns(problem, monitor, rows, {aggregates.P_POSITIVE: "number"}, own, wanted)
    return found


def measure_calibration(
    problem: str, arm: str, n_scored: Mapping[aggregates.Scored, int], labelled: ibis.Table | None, now: datetime
) -> tuple[Rows, Rows, Rows]:
    """Compare what the models said with what happened.

    Args:
        arm: whose labels these are: log, or random.
        n_scored: scored rows of each partition and model.
        labelled: rows with `p_positive` and `is_positive`; None when there are none.
        now: the time of the measurement.

    Returns:
        rows of `core.calibration_bin`, of `core.calibration_summary` and of `core.calibration_curve`.
    """
    sums = aggregates.sum_scores(labelled) if labelled is not None else {}
    bins: Rows = []
    summaries: Rows = []
    curves: Rows = []
    for scored in sorted({*n_scored, *sums}):
        own = sums.get(scored, calibration.NOTHING)
        key = {"problem": problem, "partition_key": scored[0], "model_version": scored[1]}
        bins += [key | row for row in calibration.reliability_bins(own.by_width)]
        curves += [key | row for row in calibration.curve_points(own, "/".join(key.values()))]
        figures = calibration.summarise(own)
        n_rows = max(n_scored.get(scored, 0), int(own.by_width.n_rows.sum()))
        summaries.append(key | figures | {"label_arm": arm, "n_rows": n_rows, "measured_at_utc": now})
    return bins, summaries, curves


def measure_columns(
    problem: str,
    monitor: Monitor,
    rows: ibis.Table,
    types: Mapping[str, str],
    reference: Reference,
    keys: Sequence[str],
) -> Rows:
    """Compare each column of each partition with the same column of the reference."""
    usual = of_partitions(rows, reference.keys)
    bins = aggregates.read_bins(usual, types)
    counts = aggregates.count_bins(rows, bins, types, usual)
    found: Rows = []
    for cut in bins:
        parts = [counts[key][cut.feature].bins for key in reference.keys if key in counts]
        expected = ColumnCounts(sum(parts, np.zeros(len(cut.names), dtype=np.int64)), 0)
        for key in keys:
            if key in counts:
                found.append(_drift_row(problem, key, monitor, cut, counts[key][cut.feature], expected, reference))
    return found


def correct_for_columns(rows: Rows) -> Rows:
    """Correct the p-values of each partition for all its columns, what models say of it among them."""
    families: defaultdict[str, Rows] = defaultdict(list)
    for row in rows:
        families[row["partition_key"]].append(row)
    for family in families.values():
        corrected = shift.adjust_p_values([row["chi_square_p_value"] for row in family])
        for row, q_value in zip(family, corrected, strict=True):
            row["chi_square_q_value"] = q_value
    return rows


def _drift_row(
    problem: str,
    key: str,
    monitor: Monitor,
    bins: ColumnBins,
    counts: ColumnCounts,
    expected: ColumnCounts,
    reference: Reference,
) -> dict[str, Any]:
    """Make one row of `core.feature_drift`."""
    measured = drift.compare(bins, counts, expected, is_in_reference=key in reference.keys)
    sides = zip(bins.names, counts.bins.tolist(), expected.bins.tolist(), strict=True)
    return {
        "problem": problem,
        "partition_key": key,
        "feature": bins.feature,
        "reference": reference.text(),
        "is_in_reference": key in reference.keys,
        "verdict": alerts.drift_verdict(measured, alerts.thresholds_of(monitor)),
        "bins": [{"name": name, "n_rows": here, "n_reference": there} for name, here, there in sides],
        **asdict(measured),
    }


def of_partitions(rows: ibis.Table, keys: Iterable[str]) -> ibis.Table:
    """Keep the rows of some partitions."""
    return rows.filter(rows[PARTITION_KEY].isin(sorted(keys)))
