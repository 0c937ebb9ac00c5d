"""What people answered, one label for each item.

What belongs here: reading answers and settling disagreement. What does not: choosing what people see (review room).
"""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
from sqlalchemy import ColumnElement, Connection, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on

from include.errors import NotEnoughLabels
from include.learning.errors import BadLabels
from include.names import Arm
from include.partition_keys import sort_key
from include.problems.sections.learning import Label
from include.stats.truth_inference import settle_items
from include.warehouse.newest_answers import newest_answers
from include.warehouse.tables.review import LABEL, REVIEW_BATCH
from include.warehouse.trusted_labels import is_relied_on

# Share of items without a majority from which on the question itself is unclear, 0..1.
MANY_UNDECIDED = 0.2
SIDES = ("False", "True")


def read_answers(connection: Connection, problem: str, through_batch: str) -> pd.DataFrame:
    """Read the answers given up to one batch, later batches left out, so that an old training can be repeated.

    Who was asked twice about an item is believed the second time; where leads have settled a dispute, the newest of
    their words counts alone (`warehouse/newest_answers.py`).
    Answers to gold items test people and teach nothing; those that a lead has not accepted yet teach nothing either.

    Returns:
        columns item_id, label, arm (what chose the item first: asked again, it stays chosen by chance or by
        uncertainty), labelled_by; one row for each item and person, in a fixed order.
    """
    columns = ["item_id", "label", "arm", "labelled_by"]
    until = up_to(LABEL.c.batch_id, through_batch)
    said = newest_answers(problem, until).subquery()
    first = (
        select(LABEL.c.item_id, LABEL.c.arm)
        .ext(distinct_on(LABEL.c.item_id))
        .where(LABEL.c.problem == problem, until, LABEL.c.arm != Arm.GOLD, is_relied_on())
        .order_by(LABEL.c.item_id, func.length(LABEL.c.batch_id), LABEL.c.batch_id, LABEL.c.labelled_by)
        .subquery()
    )
    query = (
        select(said.c.item_id, said.c.label, first.c.arm, said.c.labelled_by)
        .join(first, first.c.item_id == said.c.item_id)
        .where(said.c.counts)
        .order_by(said.c.item_id, said.c.labelled_by)
    )
    return pd.DataFrame([tuple(row) for row in connection.execute(query)], columns=columns)


def up_to(batch_id: ColumnElement[str], through_batch: str) -> ColumnElement[bool]:
    """Say in SQL whether a batch is not later than another: round 999 is before round 1000, as in `sort_key`."""
    length, text = sort_key(through_batch)
    return tuple_(func.length(batch_id), batch_id) <= tuple_(literal(length), literal(text))


def newest_batch(connection: Connection, problem: str) -> str:
    """Name the latest batch that anybody has answered in; empty before there is one."""
    age = (func.length(LABEL.c.batch_id).desc(), LABEL.c.batch_id.desc())
    query = select(LABEL.c.batch_id).where(LABEL.c.problem == problem).order_by(*age).limit(1)
    return connection.scalar(query) or ""


def labels_as_of(connection: Connection, problem: str, through_batch: str) -> datetime:
    """Say when the newest answer up to one batch was known: its own time, or the time its batch was closed.

    Raises:
        NotEnoughLabels: there is no answer.
    """
    labelled = select(func.max(LABEL.c.labelled_at_utc)).where(
        LABEL.c.problem == problem, up_to(LABEL.c.batch_id, through_batch)
    )
    closed = select(func.max(REVIEW_BATCH.c.answered_at_utc)).where(
        REVIEW_BATCH.c.problem == problem, up_to(REVIEW_BATCH.c.batch_id, through_batch)
    )
    moments = [connection.execute(query).scalar_one() for query in (labelled, closed)]
    known: list[datetime] = [moment for moment in moments if moment is not None]
    if not known:
        raise NotEnoughLabels(f"{problem}: nobody has answered anything up to {through_batch}.")
    return max(known)


def settle_answers(answers: pd.DataFrame, label: Label) -> pd.DataFrame:
    """Give each item the label that most people gave it, unless those who are more often right are sure of another.

    Whom people are weighed by, and how sure that must be, is in `stats/truth_inference.py`; where all are alike it is
    the majority. An item that neither decides teaches nothing and is left out.

    Args:
        answers: columns item_id, label, arm, labelled_by; one row for each item and person.

    Returns:
        columns item_id, is_positive, is_random; one row for each item, in the order of the items. An item counts as
        chosen by chance only if all its answers do.

    Raises:
        BadLabels: an answer is not one of the problem's classes.
    """
    _require_classes(answers["label"].tolist(), answers["item_id"].tolist(), label)
    said = answers.assign(is_random=answers["arm"] == Arm.RANDOM)
    settled = said.groupby("item_id", sort=True).agg(is_random=("is_random", "all")).reset_index()
    side = pd.Series(settle_by_people(answers, (answers["label"] == label.positive).map(str).tolist(), SIDES))
    settled = settled.assign(side=settled["item_id"].map(side).to_numpy())
    settled = settled[settled["side"] >= 0]
    is_positive = settled["side"] == SIDES.index("True")
    return settled.assign(is_positive=is_positive)[["item_id", "is_positive", "is_random"]].reset_index(drop=True)


def settle_by_people(answers: pd.DataFrame, labels: Sequence[str], classes: Sequence[str]) -> dict[str, int]:
    """Say of each item the place of the class that it is settled as, -1 where nobody can say.

    Args:
        answers: columns item_id, labelled_by.
        labels: what each of them says, of the classes.
        classes: two and more.
    """
    return settle_items(answers["item_id"].tolist(), answers["labelled_by"].tolist(), labels, classes)


def require_every_class(settled: pd.DataFrame, label: Label) -> None:
    """Refuse labels in which a declared side never occurs: a model cannot learn what nobody has ever seen.

    Args:
        settled: from `settle_answers`.

    Raises:
        NotEnoughLabels: names the class that has no label.
    """
    n_positive = int(settled["is_positive"].sum())
    others = [name for name in label.classes if name != label.positive]
    unseen = [label.positive] if n_positive == 0 else others if n_positive == len(settled) else []
    if unseen:
        names = ", ".join(map(repr, unseen))
        raise NotEnoughLabels(
            f"{names} of label.classes {list(label.classes)} has 0 of {len(settled)} labels: fewer classes with "
            "labels than classes to learn. Label more items, or mend label.classes and label.positive."
        )


def say_undecided(
    answers: pd.DataFrame,
    settled: pd.DataFrame,
    why: str = "have as many people for as against the positive class",
) -> str:
    """Say how many items people do not agree about; they teach nothing, and hold nothing up.

    Args:
        answers: columns item_id, label.
        settled: column item_id, of what is agreed on.
        why: what is the matter with the others, said of several items.

    Returns:
        a sentence with the share and the first item, and what to do where it is more than one in five; empty where
        every item has a majority.
    """
    items = answers["item_id"].drop_duplicates().sort_values()
    undecided = items[~items.isin(settled["item_id"])]
    if undecided.empty:
        return ""
    share = len(undecided) / len(items)
    advice = " Say more clearly what each class means." if share > MANY_UNDECIDED else ""
    return (
        f"{len(undecided):,} of {len(items):,} items ({share:.0%}) {why} and are left out "
        f"(first: {undecided.iloc[0]!r}).{advice}"
    )


def say_merged_classes(label: Label) -> str:
    """Say what a model of two sides makes of more than two classes; empty where there are two."""
    others = [name for name in label.classes if name != label.positive]
    if len(others) < 2:
        return ""
    return (
        f"label.classes has {len(label.classes)} classes; the model tells {label.positive!r} from the other "
        f"{len(others)} together, and says nothing about which of those a row is."
    )


def _require_classes(labels: Sequence[str], items: Sequence[str], label: Label) -> None:
    """Refuse answers outside the declared classes.

    Raises:
        BadLabels: there are some; the first is named.
    """
    bad = [(item, given) for item, given in zip(items, labels, strict=True) if given not in label.classes]
    if bad:
        raise BadLabels(
            f"{len(bad)} of {len(labels)} labels are not among the classes {label.classes} "
            f"(first: item {bad[0][0]!r} is {bad[0][1]!r}). Correct the label, or add the class to the problem file."
        )
