"""Measures people and choosing after every round, and keeps the figures for the views.

A store file around `agreement.py`, `estimating.py` and `efficiency.py`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Integer, RowMapping, cast, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from include.errors import MulgilError
from include.names import Arm
from include.problems.schema import Problem
from include.review import agreement, batches
from include.review.efficiency import Curve, labels_needed
from include.review.estimating import estimate_mean
from include.warehouse.loading import replace_rows
from include.warehouse.tables.learning import LEARNING_CURVE, MODEL_VERSION
from include.warehouse.tables.review import AGREEMENT, LABEL, REVIEW_BATCH, REVIEW_ESTIMATE, REVIEW_ITEM

ALL, CLASS, REVIEWER = "all", "class", "reviewer"
GOLD_RATIO = "gold_ratio"
# item id to person to class: each person's newest answer.
Answers = Mapping[str, Mapping[str, str]]


def measure_review(connection: Connection, problem: Problem, now: datetime) -> None:
    """Measure agreement, and what each finished round's labels say about everything, in the caller's transaction.

    What cannot be measured yet has no row.
    """
    classes = problem.label.classes if problem.label else []
    rows = list(measure_agreement(_read_answers(connection, problem.name), classes, np.random.default_rng(0)))
    rows += _measure_gold(connection, problem.name)
    key = {"problem": problem.name}
    replace_rows(connection, AGREEMENT, key, [key | row | {"measured_at_utc": now} for row in rows])
    figures = [*_estimate_positives(connection, problem), *_measure_efficiency(connection, problem.name)]
    replace_rows(connection, REVIEW_ESTIMATE, key, [key | row | {"measured_at_utc": now} for row in figures])


def measure_agreement(answers: Answers, classes: Sequence[str], rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Measure how people agree: over all, about each class, and each person with the others.

    Args:
        answers: item id to person to class; items that one person answered are left out.
        classes: the problem's classes.
        rng: of the intervals.

    Returns:
        rows of `core.agreement` without problem and time: Krippendorff's alpha over all and by class (against the
        rest), Fleiss' kappa over items that exactly two people answered, and Cohen's kappa of each person with the
        majority of the others.
    """
    shared = {item: said for item, said in answers.items() if len(said) > 1}
    if not shared:
        return
    counts = np.array([[list(said.values()).count(label) for label in classes] for said in shared.values()], np.int64)
    yield _row(ALL, "", "krippendorff_alpha", agreement.krippendorff_alpha, counts, rng)
    two = counts[counts.sum(axis=1) == 2]
    if len(two):
        yield _row(ALL, "", "fleiss_kappa", agreement.fleiss_kappa, two, rng)
    for index, label in enumerate(classes if len(classes) > 1 else []):
        of_class = agreement.one_against_rest(counts, index)
        yield _row(CLASS, label, "krippendorff_alpha", agreement.krippendorff_alpha, of_class, rng)
    for person in sorted({person for said in shared.values() for person in said}):
        pairs = _pairs_with_others(shared, person, classes)
        if len(pairs):
            yield _row(REVIEWER, person, "cohen_kappa", _kappa_of_pairs(len(classes)), pairs, rng)


def _pairs_with_others(shared: Answers, person: str, classes: Sequence[str]) -> NDArray[np.int64]:
    """Pair a person's answers with what most of the others said; where those are split, nobody can say who is right."""
    pairs = []
    for said in shared.values():
        others = Counter(label for name, label in said.items() if name != person).most_common()
        if person in said and (len(others) == 1 or others[0][1] > others[1][1]):
            pairs.append((classes.index(said[person]), classes.index(others[0][0])))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _kappa_of_pairs(n_classes: int) -> Any:
    """Give Cohen's kappa of a list of pairs."""

    def kappa(pairs: NDArray[np.int64]) -> float:
        table = np.bincount(pairs[:, 0] * n_classes + pairs[:, 1], minlength=n_classes**2)
        return agreement.cohen_kappa(table.reshape(n_classes, n_classes))

    return kappa


def _row(
    scope: str, subject: str, name: str, statistic: Any, counts: NDArray[np.int64], rng: np.random.Generator
) -> dict[str, Any]:
    """Measure one coefficient; what is no figure is missing, not 0."""
    estimate = agreement.with_interval(statistic, counts, rng)
    figures = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    known = {key: float(figure) if np.isfinite(figure) else None for key, figure in figures.items()}
    return {"scope": scope, "subject": subject, "statistic": name, "n_items": len(counts)} | known


def _read_answers(connection: Connection, problem: str) -> dict[str, dict[str, str]]:
    """Read each person's newest answer; recorded truth is nobody's, gold questions are counted apart."""
    query = (
        select(LABEL.c.item_id, LABEL.c.labelled_by, LABEL.c.label)
        .where(LABEL.c.problem == problem, LABEL.c.arm != Arm.GOLD, ~LABEL.c.is_demo)
        .order_by(LABEL.c.batch_id, LABEL.c.item_id, LABEL.c.labelled_by)
    )
    answers: dict[str, dict[str, str]] = defaultdict(dict)
    for item_id, person, label in connection.execute(query):
        answers[item_id][person] = label
    return answers


def _measure_gold(connection: Connection, problem: str) -> list[dict[str, Any]]:
    """Count, for each person and finished batches only, the gold questions answered as they are known.

    Recorded truth is no person.
    """
    is_right = func.avg(cast(LABEL.c.label == REVIEW_ITEM.c.gold_label, Integer))
    query = (
        select(LABEL.c.labelled_by, func.count().label("n_items"), is_right.label("value"))
        .join(REVIEW_ITEM, batches.same_item(LABEL, REVIEW_ITEM))
        .join(REVIEW_BATCH, batches.same_batch(LABEL, REVIEW_BATCH))
        .where(LABEL.c.problem == problem, REVIEW_ITEM.c.gold_label.is_not(None), ~LABEL.c.is_demo)
        .where(REVIEW_BATCH.c.status == batches.ANSWERED)
        .group_by(LABEL.c.labelled_by)
        .order_by(LABEL.c.labelled_by)
    )
    rows = []
    for person, n_items, value in connection.execute(query):
        low, high = _wilson(float(value), n_items)
        rows.append(
            {"scope": REVIEWER, "subject": person, "statistic": GOLD_RATIO, "n_items": n_items}
            | {"value": float(value), "low": low, "high": high}
        )
    return rows


def _wilson(share: float, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Give the 95 % interval of a share, right for few items and at 0 and 1 (Wilson 1927)."""
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return float(middle - half), float(middle + half)


def _estimate_positives(connection: Connection, problem: Problem) -> Iterator[dict[str, Any]]:
    """Estimate, after each finished round, how many of everything published are positive."""
    positive = problem.label.positive if problem.label else None
    n_positive = func.count().filter(LABEL.c.label == positive)
    query = (
        select(REVIEW_BATCH.c.batch_id, REVIEW_ITEM.c.arm, (2 * n_positive > func.count()).label("is_positive"))
        .join(REVIEW_ITEM, batches.same_batch(REVIEW_BATCH, REVIEW_ITEM))
        .join(LABEL, batches.same_item(REVIEW_ITEM, LABEL))
        .where(REVIEW_BATCH.c.problem == problem.name, REVIEW_BATCH.c.status == batches.ANSWERED)
        .group_by(REVIEW_BATCH.c.batch_id, REVIEW_ITEM.c.item_id, REVIEW_ITEM.c.arm)
        # Its first label takes an item out of the pool, whatever asked for it; later ones take it out no second time.
        .ext(distinct_on(REVIEW_ITEM.c.item_id))
        .order_by(REVIEW_ITEM.c.item_id, REVIEW_BATCH.c.batch_id)
    )
    answers = connection.execute(query).all()
    rounds = [row for row in batches.read_batches(connection, problem.name) if row["status"] == batches.ANSWERED]
    places = {row["batch_id"]: index for index, row in enumerate(rounds)}
    values = np.array([row.is_positive for row in answers], dtype=np.float64)
    round_index = np.array([places[row.batch_id] for row in answers], dtype=np.int64)
    is_random = np.array([row.arm == Arm.RANDOM for row in answers], dtype=np.bool_)
    n_pool = np.array([row["n_pool"] for row in rounds], dtype=np.int64)
    for batch_id, index in places.items():
        until = round_index <= index
        try:
            mean = estimate_mean(values[until], round_index[until], is_random[until], n_pool[: index + 1])
        except MulgilError:  # nobody answered an item that chance chose: no figure, rather than a wrong one
            continue
        yield {
            "batch_id": batch_id,
            "quantity": "positive_ratio",
            "value": mean.value,
            "low": max(mean.low, 0.0),
            "high": min(mean.high, 1.0),
            "n_labels": int(until.sum()),
        }


def _measure_efficiency(connection: Connection, problem: str) -> Iterator[dict[str, Any]]:
    """Say, after each finished round with a model, how many labels chance would have needed for the same AUC."""
    query = (
        select(MODEL_VERSION.c.labels_as_of_utc, LEARNING_CURVE)
        .join(
            LEARNING_CURVE,
            (MODEL_VERSION.c.problem == LEARNING_CURVE.c.problem)
            & (MODEL_VERSION.c.model_version == LEARNING_CURVE.c.model_version),
        )
        .where(LEARNING_CURVE.c.problem == problem, LEARNING_CURVE.c.metric == "auc")
        .order_by(LEARNING_CURVE.c.n_labels)
    )
    points: list[Mapping[str, Any]] = [dict(row) for row in connection.execute(query).mappings()]
    by_chance = _curve([row for row in points if row["arm"] == Arm.RANDOM])
    if not by_chance.n_labels.size:
        return
    answered = [row for row in batches.read_batches(connection, problem) if row["status"] == batches.ANSWERED]
    batch_after = {row["batch_id"]: after for row, after in pairwise(answered)}
    for batch in answered:
        batch_id = batch["batch_id"]
        learned = [row for row in points if row["arm"] == ALL and _learned_from(row, batch, batch_after.get(batch_id))]
        if learned:
            needed = labels_needed(_curve(learned[-1:]), by_chance, np.random.default_rng(batch["round_number"]))
            yield {
                "batch_id": batch_id,
                "quantity": "labels_needed_by_random",
                "value": needed.value,
                "low": needed.low,
                "high": needed.high,
                "n_labels": learned[-1]["n_labels"],
            }


def _learned_from(point: Mapping[str, Any], batch: RowMapping, after: RowMapping | None) -> bool:
    """Tell whether a model learned from a batch and not yet from the one after it."""
    as_of = point["labels_as_of_utc"]
    return bool(as_of >= batch["answered_at_utc"] and (after is None or as_of < after["answered_at_utc"]))


def _curve(points: Sequence[Mapping[str, Any]]) -> Curve:
    """Put the points of a learning curve into arrays."""
    n_labels, value, low, high = (
        np.array([row[name] for row in points], dtype=np.float64) for name in ("n_labels", "value", "low", "high")
    )
    return Curve(n_labels, value, low, high)
