"""Reads people's answers about several classes beside what the model had said before they were given.

A store file: queries of `core`, no figure.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import ColumnElement, Connection, RowMapping, Table, and_, select

from include.names import CLASS_NAME, PARTITION_KEY, Arm
from include.problems.answer_text import read_labels
from include.problems.sections.learning import Label
from include.warehouse.tables.desk import REVIEW_CONTENT
from include.warehouse.tables.review import LABEL, REVIEW_BATCH, REVIEW_ITEM


def read_class_answers(connection: Connection, problem: str, label: Label) -> list[dict[str, object]]:
    """Read the answers from which a desk problem's models can be judged fairly: of items that chance chose.

    Of several answers to one item the class with the most counts, or each label that more than half named; a tie is no
    answer.

    Returns:
        `_partition_key`, `model_version`, `class_name`, `p_positive` and `is_positive`, one for each item and class.
    """
    query = (
        select(
            REVIEW_ITEM.c.batch_id,
            REVIEW_ITEM.c.item_id,
            REVIEW_ITEM.c.partition_key,
            REVIEW_BATCH.c.model_version,
            REVIEW_CONTENT.c.class_probabilities,
            LABEL.c.label,
        )
        .join(REVIEW_BATCH, _is_of_item(REVIEW_BATCH, "problem", "batch_id"))
        .join(REVIEW_CONTENT, _is_of_item(REVIEW_CONTENT, "problem", "batch_id", "item_id"))
        .join(LABEL, _is_of_item(LABEL, "problem", "batch_id", "item_id"))
        .where(REVIEW_ITEM.c.problem == problem, REVIEW_ITEM.c.arm == Arm.RANDOM)
        .where(REVIEW_BATCH.c.model_version.is_not(None))
        .order_by(REVIEW_ITEM.c.batch_id, REVIEW_ITEM.c.item_id, LABEL.c.labelled_by)
    )
    answers = connection.execute(query).mappings().all()
    found: list[dict[str, object]] = []
    for _, rows in groupby(answers, key=lambda row: (row["batch_id"], row["item_id"])):
        found += _compare(list(rows), label)
    return found


def _compare(rows: "Sequence[RowMapping]", label: Label) -> list[dict[str, object]]:
    """Put what most people said of one item beside what the model had said; nothing where either is missing."""
    first = rows[0]
    true = settle([read_labels(row["label"], label) for row in rows], label)
    if true is None or not first["class_probabilities"]:
        return []
    return [
        {
            PARTITION_KEY: first["partition_key"],
            "model_version": first["model_version"],
            CLASS_NAME: name,
            "p_positive": float(first["class_probabilities"].get(name, 0.0)),
            "is_positive": name in true,
        }
        for name in label.classes
    ]


def settle(votes: list[tuple[str, ...]], label: Label) -> tuple[str, ...] | None:
    """Give what most people said of one item; None for a tie."""
    n_of = Counter(name for vote in votes for name in vote)
    if label.multiple:
        is_torn = any(2 * n_of[name] == len(votes) for name in label.classes)
        return None if is_torn else tuple(name for name in label.classes if 2 * n_of[name] > len(votes))
    most = max(n_of.values(), default=0)
    leaders = [name for name, n in n_of.items() if n == most]
    return (leaders[0],) if len(leaders) == 1 else None


def _is_of_item(table: Table, *columns: str) -> ColumnElement[bool]:
    """Say that a row is about the same item."""
    return and_(*(table.c[name] == REVIEW_ITEM.c[name] for name in columns))
