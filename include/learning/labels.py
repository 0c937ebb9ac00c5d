"""What people answered, one label for each item.

What belongs here: reading answers and settling disagreement. What does not: choosing what people see (review room).
"""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from include.errors import NotEnoughLabels
from include.learning.refusals import BadLabels
from include.names import Arm
from include.problems.sections.learning import Label
from include.warehouse.tables.review import LABEL, REVIEW_BATCH

# Share of items without a majority from which on the labels as a whole are in doubt, 0..1.
MAX_TORN = 0.2


def read_answers(connection: Connection, problem: str, through_batch: str) -> pd.DataFrame:
    """Read the answers given up to one batch, later batches left out, so that an old training can be repeated.

    Who was asked twice about an item is believed the second time. Answers to gold items test people and teach nothing.

    Returns:
        columns item_id, label, arm (what chose the item first: asked again, it stays chosen by chance or by doubt); one
        row for each item and person, in a fixed order.
    """
    columns = ["item_id", "label", "arm"]
    first_arm = func.first_value(LABEL.c.arm).over(partition_by=LABEL.c.item_id, order_by=LABEL.c.batch_id)
    query = (
        select(LABEL.c.item_id, LABEL.c.label, first_arm.label("arm"))
        .ext(distinct_on(LABEL.c.item_id, LABEL.c.labelled_by))
        .where(LABEL.c.problem == problem, LABEL.c.batch_id <= through_batch, LABEL.c.arm != Arm.GOLD)
        .order_by(LABEL.c.item_id, LABEL.c.labelled_by, LABEL.c.batch_id.desc())
    )
    return pd.DataFrame(connection.execute(query).mappings().all(), columns=columns)


def labels_as_of(connection: Connection, problem: str, through_batch: str) -> datetime:
    """Say when the newest answer up to one batch was known: its own time, or the time its batch was closed.

    Raises:
        NotEnoughLabels: there is no answer.
    """
    labelled = select(func.max(LABEL.c.labelled_at_utc)).where(
        LABEL.c.problem == problem, LABEL.c.batch_id <= through_batch
    )
    closed = select(func.max(REVIEW_BATCH.c.answered_at_utc)).where(
        REVIEW_BATCH.c.problem == problem, REVIEW_BATCH.c.batch_id <= through_batch
    )
    moments = [connection.execute(query).scalar_one() for query in (labelled, closed)]
    known: list[datetime] = [moment for moment in moments if moment is not None]
    if not known:
        raise NotEnoughLabels(f"{problem}: nobody has answered anything up to {through_batch}.")
    return max(known)


def settle_answers(answers: pd.DataFrame, label: Label) -> pd.DataFrame:
    """Give each item the label that most people gave it; an item without a majority teaches nothing and is left out.

    Args:
        answers: columns item_id, label, arm; one row for each item and person.

    Returns:
        columns item_id, is_positive, is_random; one row for each item, in the order of the items. An item counts as
        chosen by chance only if all its answers do.

    Raises:
        BadLabels: an answer is not one of the problem's classes.
    """
    _require_classes(answers["label"].tolist(), answers["item_id"].tolist(), label)
    votes = answers.assign(
        vote=(answers["label"] == label.positive).astype("int64") * 2 - 1, is_random=answers["arm"] == Arm.RANDOM
    )
    settled = (
        votes.groupby("item_id", sort=True).agg(vote=("vote", "sum"), is_random=("is_random", "all")).reset_index()
    )
    settled = settled[settled["vote"] != 0]
    is_positive = settled["vote"] > 0
    return settled.assign(is_positive=is_positive)[["item_id", "is_positive", "is_random"]].reset_index(drop=True)


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


def require_agreement(answers: pd.DataFrame, settled: pd.DataFrame) -> None:
    """Refuse answers that contradict each other too often: a few items without a majority are only left out.

    Args:
        answers: columns item_id, label.
        settled: from `settle_answers`.

    Raises:
        BadLabels: more than one item in five has no majority; names the first.
    """
    items = answers["item_id"].drop_duplicates().sort_values()
    torn = items[~items.isin(settled["item_id"])]
    if len(torn) > MAX_TORN * len(items):
        raise BadLabels(
            f"{len(torn)} of {len(items)} items have as many people for as against the positive class (first: "
            f"{torn.iloc[0]!r}); at most one in five may. Let somebody settle them at the desk, or say more "
            "clearly what each class means."
        )


def _require_classes(labels: Sequence[str], items: Sequence[str], label: Label) -> None:
    """Refuse answers outside the declared classes."""
    bad = [(item, given) for item, given in zip(items, labels, strict=True) if given not in label.classes]
    if bad:
        raise BadLabels(
            f"{len(bad)} of {len(labels)} labels are not among the classes {label.classes} "
            f"(first: item {bad[0][0]!r} is {bad[0][1]!r}). Correct the label, or add the class to the problem file."
        )
