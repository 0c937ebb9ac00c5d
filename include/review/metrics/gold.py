"""How people answer questions whose answer is known.

What belongs here: which answers are a test, and each person's share of right ones. What does not: what makes an answer
known (`selection/relabel_and_gold.py`).
"""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, exists, func, select

from include.names import Arm
from include.review.batches import store as batches
from include.review.metrics.agreement import AgreementRow
from include.stats.wilson import wilson_interval
from include.warehouse.tables.review import LABEL, REVIEW_BATCH, REVIEW_ITEM
from include.warehouse.trusted_labels import is_given

GOLD_RATIO = "gold_ratio"


def is_test() -> ColumnElement[bool]:
    """Select answers to gold items, beside their `core.review_item`, that test the person who gave them.

    Who has answered the item before, when nobody knew its answer, may have made it known: that tests nothing. A
    correction comes after, and takes no failed test away.
    """
    own = LABEL.alias("own")
    has_answered = exists().where(
        own.c.problem == LABEL.c.problem,
        own.c.item_id == LABEL.c.item_id,
        own.c.labelled_by == LABEL.c.labelled_by,
        own.c.arm.not_in((Arm.GOLD, Arm.CORRECTION)),
    )
    return REVIEW_ITEM.c.gold_label.is_not(None) & ~has_answered


def measure_gold(connection: Connection, problem: str) -> Iterator[AgreementRow]:
    """Count, for each person and finished batches only, the gold questions answered as they are known.

    Recorded truth is no person.

    Returns:
        rows of `core.agreement` without problem and time, with Wilson's interval.
    """
    is_right = LABEL.c.label == REVIEW_ITEM.c.gold_label
    query = (
        select(LABEL.c.labelled_by, func.count().label("n_items"), func.count().filter(is_right).label("n_right"))
        .join(REVIEW_ITEM, batches.same_item(LABEL, REVIEW_ITEM))
        .join(REVIEW_BATCH, batches.same_batch(LABEL, REVIEW_BATCH))
        .where(LABEL.c.problem == problem, is_test(), ~LABEL.c.is_demo, REVIEW_BATCH.c.status == batches.ANSWERED)
        .where(is_given())
        .group_by(LABEL.c.labelled_by)
        .order_by(LABEL.c.labelled_by)
    )
    for person, n_items, n_right in connection.execute(query):
        low, high = wilson_interval(n_right, n_items)
        yield {
            "scope": "reviewer",
            "subject": person,
            "statistic": GOLD_RATIO,
            "n_items": n_items,
            "value": n_right / n_items,
            "low": low,
            "high": high,
        }
