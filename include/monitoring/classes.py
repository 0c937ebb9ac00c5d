"""Turns what the engine counted into rows of the warehouse, where a problem has several classes or labels.

What belongs here: each class against the rest, and how often each is the likeliest. What does not: two sides
(`measurements.py`), whose comparisons these are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import ibis
import pyarrow as pa

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.monitoring import aggregates, calibration
from include.monitoring.measurements import (
    Measured,
    Reference,
    Rows,
    correct_for_columns,
    measure_columns,
    measure_features,
    of_partitions,
    open_scored,
    partitions_to_measure,
    reference_of,
    reference_of_scores,
)
from include.names import CLASS_NAME, PARTITION_KEY, ROW_KEY
from include.problems.schema import Problem
from include.problems.sections.learning import Label
from include.problems.sections.monitor import Monitor

# Before the name of a class: what models say of it is a feature of its own.
OF_CLASS = f"{aggregates.P_POSITIVE}: "
LIKELIEST = f"{OF_CLASS}likeliest class"


@dataclass(frozen=True)
class MeasuredClasses(Measured):
    """What was measured of some partitions, the classes among it.

    Attributes:
        by_class: rows of `core.class_calibration`.
    """

    by_class: Rows


def measure(
    definition: Problem,
    label: Label,
    monitor: Monitor,
    asked: Sequence[str],
    published: Sequence[str],
    references: Mapping[tuple[str, str], str],
    answers: Rows | None,
    now: datetime,
) -> MeasuredClasses:
    """Measure some partitions, and those whose reference has changed since they were measured.

    Args:
        asked: the partitions this run is for.
        published: all partitions with rows in the lake, oldest first.
        references: what was compared with what.
        answers: a desk problem's answers, a row for each item and class; None where the log knows the labels.
        now: the time of the measurement.

    Raises:
        BadProbabilities: a score is not a probability.
    """
    scores = open_scored(definition.name, published)
    n_scored = _count_rows(scores) if scores is not None else {}
    reference = reference_of(published, monitor)
    keys, versions = partitions_to_measure(asked, published, references, reference, n_scored)
    drifts = measure_features(definition, monitor, reference, keys)
    scored = None
    if scores is not None:
        scored = of_partitions(scores, keys)
        aggregates.require_probabilities(scored)
        drifts += _measure_scores(definition.name, label, monitor, scores, reference, versions, keys)
    arm, labelled = ("log", scored) if answers is None else ("random", open_answers(answers, keys))
    own = {pair: n_rows for pair, n_rows in n_scored.items() if pair[0] in set(keys)}
    by_class = _measure_calibration(definition.name, label, arm, own, labelled, now)
    return MeasuredClasses(keys, correct_for_columns(drifts), [], [], by_class)


def open_answers(answers: Rows, keys: Sequence[str]) -> ibis.Table | None:
    """Open people's answers about some partitions as scored rows, one for each class; None when there are none."""
    own = [row for row in answers if row[PARTITION_KEY] in keys]
    if not own:
        return None
    schema = pa.schema(
        [
            (PARTITION_KEY, pa.string()),
            (aggregates.MODEL_VERSION, pa.string()),
            (CLASS_NAME, pa.string()),
            (aggregates.P_POSITIVE, pa.float64()),
            (aggregates.IS_POSITIVE, pa.bool_()),
        ]
    )
    return relation_of_arrow(open_engine(), pa.Table.from_pylist(own, schema))


def _count_rows(scores: ibis.Table) -> dict[aggregates.Scored, int]:
    """Count the scored rows of each partition and model: predictions have a row for each class."""
    rows = scores.select(PARTITION_KEY, ROW_KEY, aggregates.MODEL_VERSION).distinct()
    return aggregates.count_scored(rows)


def _measure_scores(
    problem: str,
    label: Label,
    monitor: Monitor,
    scores: ibis.Table,
    reference: Reference,
    versions: Mapping[str, Sequence[str]],
    keys: Sequence[str],
) -> Rows:
    """Compare what the models say of some partitions with what the same model said of its reference, by class.

    Returns:
        rows of `core.feature_drift` for the probability of each class, and for which class is the likeliest.
    """
    found: Rows = []
    for version, scored in versions.items():
        own = reference_of_scores(reference, version, scored)
        wanted = sorted(set(keys) & set(scored))
        if not wanted:
            continue
        rows = of_partitions(scores.filter(scores[aggregates.MODEL_VERSION] == version), {*own.keys, *wanted})
        for name in label.classes:
            one = rows.filter(rows[CLASS_NAME] == name)
            feature = f"{OF_CLASS}{name}"
            one = one.select(PARTITION_KEY, **{feature: one[aggregates.P_POSITIVE]})
            found += measure_columns(problem, monitor, one, {feature: "number"}, own, wanted)
        if not label.multiple:
            likeliest = rows[CLASS_NAME].argmax(rows[aggregates.P_POSITIVE])
            best = rows.group_by([PARTITION_KEY, ROW_KEY]).aggregate(**{LIKELIEST: likeliest})
            found += measure_columns(problem, monitor, best, {LIKELIEST: "string"}, own, wanted)
    return found


def _measure_calibration(
    problem: str,
    label: Label,
    arm: str,
    n_scored: Mapping[aggregates.Scored, int],
    labelled: ibis.Table | None,
    now: datetime,
) -> Rows:
    """Compare what the models said of each class with what happened: rows of `core.class_calibration`."""
    found: Rows = []
    for name in label.classes:
        own = labelled.filter(labelled[CLASS_NAME] == name) if labelled is not None else None
        sums = aggregates.sum_scores(own) if own is not None else {}
        for scored in sorted({*n_scored, *sums}):
            of_one = sums.get(scored, calibration.NOTHING)
            n_rows = max(n_scored.get(scored, 0), int(of_one.by_width.n_rows.sum()))
            key = {"problem": problem, "partition_key": scored[0], "model_version": scored[1], "class_name": name}
            found.append(
                key | calibration.summarise(of_one) | {"label_arm": arm, "n_rows": n_rows, "measured_at_utc": now}
            )
    return found
