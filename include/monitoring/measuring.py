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
from include.lake.reading import list_partitions, open_rows
from include.monitoring import alerts, calibration, drift, profile
from include.names import PARTITION_KEY, events_table, predictions_table
from include.problems.schema import Problem
from include.problems.sections.monitor import Monitor

Rows = list[dict[str, Any]]


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
        rows = {row["partition_key"]: row["n_rows"] for row in self.drifts if row["feature"] != profile.P_POSITIVE}
        return sum(rows.values())


def measure(
    definition: Problem,
    monitor: Monitor,
    asked: Sequence[str],
    published: Sequence[str],
    references: Mapping[tuple[str, str], str],
    answers: Rows | None,
    now: datetime,
) -> Measured:
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
    n_scored = profile.count_scored(scores) if scores is not None else {}
    versions: defaultdict[str, list[str]] = defaultdict(list)
    for key, version in n_scored:
        versions[version].append(key)
    reference = reference_of(published, monitor)
    keys = sorted({*asked, *(find_stale(references, reference, versions) & set(published))})
    drifts = measure_features(definition, monitor, reference, keys)
    scored = None
    if scores is not None:
        scored = _of_partitions(scores, keys)
        profile.require_probabilities(scored)
        drifts += measure_scores(definition.name, monitor, scores, reference, versions, keys)
    arm, labelled = ("log", scored) if answers is None else ("random", open_answers(answers, keys))
    own = {pair: n_rows for pair, n_rows in n_scored.items() if pair[0] in set(keys)}
    return Measured(keys, drifts, *measure_calibration(definition.name, arm, own, labelled, now))


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
            (profile.MODEL_VERSION, pa.string()),
            (profile.P_POSITIVE, pa.float64()),
            (profile.IS_POSITIVE, pa.bool_()),
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
        stale |= {key for key in scored if stored.get((key, profile.P_POSITIVE), now) != now}
    return stale


def measure_features(definition: Problem, monitor: Monitor, reference: Reference, keys: Sequence[str]) -> Rows:
    """Compare the watched columns of some partitions with their reference.

    Returns:
        rows of `core.feature_drift`; none for a partition without rows.
    """
    types = {name: str(definition.source.columns[name].type) for name in monitor.features}
    rows = open_rows(events_table(definition.name), sorted({*reference.keys, *keys}))
    return _measure_columns(definition.name, monitor, rows, types, reference, keys)


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
            rows = _of_partitions(scores.filter(scores[profile.MODEL_VERSION] == version), {*own.keys, *wanted})
            found += _measure_columns(problem, monitor, rows, {profile.P_POSITIVE: "number"}, own, wanted)
    return found


def measure_calibration(
    problem: str, arm: str, n_scored: Mapping[profile.Scored, int], labelled: ibis.Table | None, now: datetime
) -> tuple[Rows, Rows]:
    """Compare what the models said with what happened.

    Args:
        arm: whose labels these are: log, or random.
        n_scored: scored rows of each partition and model.
        labelled: rows with `p_positive` and `is_positive`; None when there are none.
        now: the time of the measurement.

    Returns:
        rows of `core.calibration_bin` and of `core.calibration_summary`.
    """
    sums = profile.sum_bins(labelled) if labelled is not None else {}
    bins: Rows = []
    summaries: Rows = []
    for scored in sorted({*n_scored, *sums}):
        own = sums.get(scored, NOTHING)
        key = {"problem": problem, "partition_key": scored[0], "model_version": scored[1]}
        bins += [key | row for row in calibration.reliability_bins(own)]
        figures = calibration.summarise(own)
        n_rows = max(n_scored.get(scored, 0), figures["n_labelled"])
        summaries.append(key | figures | {"label_arm": arm, "n_rows": n_rows, "measured_at_utc": now})
    return bins, summaries


NOTHING = calibration.BinSums(**{name: np.zeros(calibration.N_BINS) for name in profile.SUMS}, n_pairs_won=0.0)


def _measure_columns(
    problem: str,
    monitor: Monitor,
    rows: ibis.Table,
    types: Mapping[str, str],
    reference: Reference,
    keys: Sequence[str],
) -> Rows:
    """Compare each column of each partition with the same column of the reference."""
    bins = profile.read_bins(_of_partitions(rows, reference.keys), types)
    counts = profile.count_bins(rows, bins, types)
    found: Rows = []
    for cut in bins:
        expected = sum((counts[key][cut.feature] for key in reference.keys if key in counts), _no_rows(cut))
        for key in keys:
            if key in counts:
                found.append(_drift_row(problem, key, monitor, cut, counts[key][cut.feature], expected, reference))
    return found


def _drift_row(
    problem: str,
    key: str,
    monitor: Monitor,
    bins: drift.Bins,
    counts: drift.Counts,
    expected: drift.Counts,
    reference: Reference,
) -> dict[str, Any]:
    """Make one row of `core.feature_drift`."""
    measured = drift.compare(counts, expected)
    sides = zip(bins.names, counts.tolist(), expected.tolist(), strict=True)
    return {
        "problem": problem,
        "partition_key": key,
        "feature": bins.feature,
        "reference": reference.text(),
        "is_in_reference": key in reference.keys,
        "verdict": alerts.drift_verdict(
            measured.psi_ratio,
            measured.psi_chance_ratio,
            monitor.psi_alert,
            n_rows=measured.n_rows,
            minimum_rows=monitor.minimum_rows,
        ),
        "bins": [{"name": name, "n_rows": here, "n_reference": there} for name, here, there in sides],
        **asdict(measured),
    }


def _of_partitions(rows: ibis.Table, keys: Iterable[str]) -> ibis.Table:
    """Keep the rows of some partitions."""
    return rows.filter(rows[PARTITION_KEY].isin(sorted(keys)))


def _no_rows(bins: drift.Bins) -> drift.Counts:
    """Counts to start a sum from."""
    return np.zeros(len(bins.names), dtype=np.int64)
