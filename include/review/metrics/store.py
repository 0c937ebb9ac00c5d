"""Measures people and choosing after every round, and keeps the figures for the views.

A store file around `metrics/agreement.py`, `metrics/prevalence.py` and `metrics/label_efficiency.py`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, RowMapping, func, select, union
from sqlalchemy.dialects.postgresql import distinct_on

from include.errors import MulgilError
from include.names import Arm
from include.problems.answer_text import is_answer, read_labels
from include.problems.schema import Problem
from include.problems.sections.learning import Label
from include.review.batches import store as batches
from include.review.batches.assignments import ESCALATE
from include.review.metrics import agreement, people
from include.review.metrics.agreement import AgreementRow
from include.review.metrics.gold import measure_gold
from include.review.metrics.label_efficiency import Curve, Gained, LabelsNeeded, labels_needed, quality_gained
from include.review.metrics.prevalence import Estimate, estimate_share
from include.review.selection.heldout_gain import AUC_GAINED
from include.review.selection.relabel_and_gold import read_said
from include.stats.truth_inference import settle_items
from include.warehouse.loading import replace_rows
from include.warehouse.locks import lock_until_commit
from include.warehouse.newest_answers import OLDEST_FIRST
from include.warehouse.tables.desk import REVIEW_PASS
from include.warehouse.tables.learning import LEARNING_CURVE, MODEL_VERSION
from include.warehouse.tables.review import AGREEMENT, LABEL, REVIEW_ESTIMATE, REVIEW_ITEM
from include.warehouse.trusted_labels import is_given, is_relied_on

SIDES = ("False", "True")
ALL, CLASS, REVIEWER = "all", "class", "reviewer"
# item id to person to class: each person's newest answer.
Answers = Mapping[str, Mapping[str, str]]


class RoundFigure(TypedDict):
    """What one finished round's labels say about everything, as `core.review_estimate` keeps it."""

    batch_id: str
    quantity: str
    value: float | None
    low: float | None
    high: float | None
    n_labels: int


def measure_review(connection: Connection, problem: Problem, now: datetime) -> None:
    """Measure agreement, and what each finished round's labels say about everything, in the caller's transaction.

    What cannot be measured yet has no row. Nobody's answers wait meanwhile: the desk is not held, only these figures.
    """
    lock_until_commit(connection, "review figures", problem.name)
    said, rng = _read_answers(connection, problem.name, is_given()), np.random.default_rng(0)
    label = problem.label
    if label is not None and label.multiple:
        rows = list(measure_label_agreement(said, label, rng))
    else:
        classes = label.classes if label else []
        rows = list(measure_agreement(said, classes, rng))
        found = people.weigh_people(said, classes)
        if found is not None:
            rows += people.rows_of_people(found)
            people.flag_people(connection, problem.name, found, now)
        # People are judged by all that they gave; items are settled by what is relied on, from this moment on.
        relied_on = _read_answers(connection, problem.name, is_relied_on())
        counted = found if relied_on == said else people.weigh_people(relied_on, classes)
        people.keep_settled(connection, problem.name, counted, classes, now)
    rows += measure_gold(connection, problem.name)
    key = {"problem": problem.name}
    replace_rows(connection, AGREEMENT, key, [{**key, **row, "measured_at_utc": now} for row in rows])
    # How many of everything are positive is a question about two sides.
    has_two_sides = label is None or label.kind == "two_classes"
    positives = _estimate_positives(connection, problem) if has_two_sides else ()
    figures = [*positives, *_measure_efficiency(connection, problem.name)]
    replace_rows(connection, REVIEW_ESTIMATE, key, [{**key, **row, "measured_at_utc": now} for row in figures])


def measure_agreement(answers: Answers, classes: Sequence[str], rng: np.random.Generator) -> Iterator[AgreementRow]:
    """Measure how people agree: over all, about each class, and each person with the others.

    Args:
        answers: item id to person to class; items that one person answered are left out.
        classes: the problem's classes.
        rng: of the intervals.

    Returns:
        rows of `core.agreement` without problem and time: Krippendorff's alpha over all and by class (against the
        rest), Fleiss' kappa over items that exactly two people answered, and Cohen's kappa of each person with the
        majority of the others. Where there are too few items, the row counts them and has no figure.
    """
    place = {label: index for index, label in enumerate(classes)}
    # Who was asked before a class was taken out of the file said something that is none any more.
    known = ({name: label for name, label in said.items() if label in place} for said in answers.values())
    shared = [said for said in known if len(said) > 1]
    if not shared:
        return
    counts = np.zeros((len(shared), len(classes)), np.int64)
    for row, said in enumerate(shared):
        for label in said.values():
            counts[row, place[label]] += 1
    yield _row(ALL, "", "krippendorff_alpha", len(counts), agreement.estimate_alpha(counts, rng))
    two = counts[counts.sum(axis=1) == 2]
    if len(two):
        yield _row(ALL, "", "fleiss_kappa", len(two), agreement.estimate_fleiss(two, rng))
    for index, label in enumerate(classes if len(classes) > 1 else []):
        alpha = agreement.estimate_alpha(agreement.one_against_rest(counts, index), rng)
        yield _row(CLASS, label, "krippendorff_alpha", len(counts), alpha)
    tables = _tables_with_others(shared, place)
    kappas = agreement.estimate_kappas(np.array(list(tables.values())).reshape(-1, len(place), len(place)), rng)
    for (person, table), kappa in zip(tables.items(), kappas, strict=True):
        yield _row(REVIEWER, person, "cohen_kappa", int(table.sum()), kappa)


def measure_label_agreement(answers: Answers, label: Label, rng: np.random.Generator) -> Iterator[AgreementRow]:
    """Measure how people agree about several labels of an item: about all of them at once, and about each by itself.

    Args:
        answers: item id to person to the text of their labels.
        label: the problem's.
        rng: of the intervals.

    Returns:
        rows as of `measure_agreement`: over all and of each person people agree where they name the same labels, about
        a label where both name it or neither.
    """
    named = {
        item: {person: read_labels(text, label) for person, text in said.items() if is_answer(text, label)}
        for item, said in answers.items()
    }
    texts = {item: {person: ", ".join(names) for person, names in said.items()} for item, said in named.items()}
    together = sorted({text for said in texts.values() for text in said.values()})
    yield from (row for row in measure_agreement(texts, together, rng) if row["scope"] != CLASS)
    for name in label.classes:
        sides = {item: {who: str(name in names) for who, names in said.items()} for item, said in named.items()}
        for row in measure_agreement(sides, ["True", "False"], rng):
            if row["scope"] == ALL and row["statistic"] == "krippendorff_alpha":
                yield AgreementRow(**{**row, "scope": CLASS, "subject": name})


def _tables_with_others(shared: Sequence[Mapping[str, str]], place: Mapping[str, int]) -> dict[str, NDArray[np.int64]]:
    """Count each person's answers beside what most of the others said; where those are split, nobody is right."""
    tables: dict[str, NDArray[np.int64]] = {}
    for said in shared:
        votes = Counter(said.values())
        for person, label in said.items():
            others = (votes - Counter([label])).most_common(2)
            if len(others) == 1 or others[0][1] > others[1][1]:
                table = tables.setdefault(person, np.zeros((len(place), len(place)), np.int64))
                table[place[label], place[others[0][0]]] += 1
    return dict(sorted(tables.items()))


def _row(scope: str, subject: str, statistic: str, n_items: int, estimate: Estimate) -> AgreementRow:
    """Write down one coefficient; what is no figure is missing, not 0."""
    value, low, high = (
        figure if np.isfinite(figure) else None for figure in (estimate.value, estimate.low, estimate.high)
    )
    return AgreementRow(
        scope=scope, subject=subject, statistic=statistic, n_items=n_items, value=value, low=low, high=high
    )


def _read_answers(connection: Connection, problem: str, which: ColumnElement[bool]) -> dict[str, dict[str, str]]:
    """Read each person's newest answer of some; recorded truth is nobody's, gold counts apart."""
    query = (
        select(LABEL.c.item_id, LABEL.c.labelled_by, LABEL.c.label)
        .where(LABEL.c.problem == problem, LABEL.c.arm != Arm.GOLD, ~LABEL.c.is_demo, which)
        .order_by(*OLDEST_FIRST, LABEL.c.item_id, LABEL.c.labelled_by)
    )
    answers: dict[str, dict[str, str]] = defaultdict(dict)
    for item_id, person, label in connection.execute(query):
        answers[item_id][person] = label
    return answers


def _estimate_positives(connection: Connection, problem: Problem) -> Iterator[RoundFigure]:
    """Estimate, after each finished round, how many of everything published are positive.

    What nobody can decide (a tie of equals, an escalation without an answer) is neither: it is taken out of its
    round's pool and of all before, so that the control arms of all rounds stand for one population.
    """
    rounds = [row for row in batches.read_batches(connection, problem.name) if row["status"] == batches.ANSWERED]
    places = {row["batch_id"]: index for index, row in enumerate(rounds)}
    asked = [row for row in _read_first_asked(connection, problem.name) if row["batch_id"] in places]
    verdicts = _read_verdicts(connection, problem)
    decided = [row for row in asked if verdicts.get(row["item_id"]) is not None]
    undecided = [places[row["batch_id"]] for row in asked if verdicts.get(row["item_id"]) is None]
    values = np.array([verdicts[row["item_id"]] for row in decided], dtype=np.bool_)
    round_index = np.array([places[row["batch_id"]] for row in decided], dtype=np.int64)
    is_random = np.array([row["arm"] == Arm.RANDOM for row in decided], dtype=np.bool_)
    n_pool = np.array([row["n_pool"] for row in rounds], dtype=np.int64)
    n_undecided = np.bincount(np.array(undecided, dtype=np.int64), minlength=len(rounds))
    for batch_id, index in places.items():
        until = round_index <= index
        # What a round could not decide lay in its own pool and in those before.
        decidable = n_pool[: index + 1] - np.cumsum(n_undecided[: index + 1][::-1])[::-1]
        try:
            mean = estimate_share(values[until], round_index[until], is_random[until], decidable)
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


def _read_first_asked(connection: Connection, problem: str) -> Sequence[RowMapping]:
    """Read which batch took each item out of the pool, by an answer or by an escalation, and what chose it there.

    Later answers take it out no second time; answers that were withdrawn never did.
    """
    columns = (REVIEW_ITEM.c.item_id, REVIEW_ITEM.c.batch_id, REVIEW_ITEM.c.arm)
    items = select(*columns).where(REVIEW_ITEM.c.problem == problem)
    answered = items.join(LABEL, batches.same_item(REVIEW_ITEM, LABEL)).where(is_given())
    escalated = items.join(REVIEW_PASS, batches.same_item(REVIEW_ITEM, REVIEW_PASS)).where(
        REVIEW_PASS.c.action == ESCALATE
    )
    taken = union(answered, escalated).subquery()
    query = (
        select(taken)
        .ext(distinct_on(taken.c.item_id))
        .order_by(taken.c.item_id, func.length(taken.c.batch_id), taken.c.batch_id)
    )
    return connection.execute(query).mappings().all()


def _read_verdicts(connection: Connection, problem: Problem) -> dict[str, bool | None]:
    """Say of each item whether it is settled as positive, as for training; None where nobody can say."""
    positive = problem.label.positive if problem.label else None
    said = read_said(connection, problem, demo_counts=True)
    answers = [
        (item, who, str(label == positive)) for item, one in said.items() for who, label in one.by_person.items()
    ]
    if not answers:
        return {}
    items, who, sides = zip(*answers, strict=True)
    places = settle_items(items, who, sides, SIDES)
    return {item: None if place < 0 else SIDES[place] == "True" for item, place in places.items()}


def _measure_efficiency(connection: Connection, problem: str) -> Iterator[RoundFigure]:
    """Say, after each finished round with a model, what choosing gained in AUC and what chance would need for it."""
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
    points = connection.execute(query).mappings().all()
    by_chance = _curve([row for row in points if row["arm"] == Arm.RANDOM])
    if not by_chance.n_labels.size:
        return
    answered = [row for row in batches.read_batches(connection, problem) if row["status"] == batches.ANSWERED]
    batch_after = {row["batch_id"]: after for row, after in pairwise(answered)}
    for batch in answered:
        batch_id = batch["batch_id"]
        learned = [row for row in points if row["arm"] == ALL and _learned_from(row, batch, batch_after.get(batch_id))]
        if learned:
            rng, newest = np.random.default_rng(batch["round_number"]), learned[-1]
            needed = labels_needed(_curve([newest]), by_chance, rng)
            yield _figure(batch_id, "labels_needed_by_random", newest["n_labels"], needed)
            known = [row for row in points if row["labels_as_of_utc"] <= newest["labels_as_of_utc"]]
            curves = [_curve([row for row in known if row["arm"] == arm]) for arm in (ALL, Arm.RANDOM)]
            gained = quality_gained(curves[0], curves[1], rng)
            if gained is not None:
                yield _figure(batch_id, AUC_GAINED, gained.n_labels, gained)


def _figure(batch_id: str, quantity: str, n_labels: int, found: LabelsNeeded | Gained) -> RoundFigure:
    """Write down a figure with its interval."""
    return {
        "batch_id": batch_id,
        "quantity": quantity,
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "n_labels": n_labels,
    }


def _learned_from(point: RowMapping, batch: RowMapping, after: RowMapping | None) -> bool:
    """Tell whether a model learned from a batch and not yet from the one after it."""
    as_of = point["labels_as_of_utc"]
    return bool(as_of >= batch["answered_at_utc"] and (after is None or as_of < after["answered_at_utc"]))


def _curve(points: Sequence[RowMapping]) -> Curve:
    """Put the points of a learning curve into arrays."""
    n_labels, value, low, high = (
        np.array([row[name] for row in points], dtype=np.float64) for name in ("n_labels", "value", "low", "high")
    )
    return Curve(n_labels, value, low, high)
