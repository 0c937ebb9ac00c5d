"""Finds answered items that are worth asking again: those whose answer is known, and those whose answer is doubted.

What belongs here: reading them from the warehouse and the gold file. What does not: how many of a batch they are
(`planning.py`).
"""

import json
from collections import Counter, defaultdict
from pathlib import Path

from sqlalchemy import Connection, func, select

from include.errors import MulgilError
from include.names import Arm
from include.problems.schema import Problem
from include.review.batches import OPEN, same_batch, same_item
from include.review.planning import Again
from include.review.ranking import hash_key
from include.review.seats import ESCALATE
from include.warehouse.tables.desk import REVIEW_PASS
from include.warehouse.tables.explaining import SUSPECTED_LABEL
from include.warehouse.tables.review import LABEL, REVIEW_BATCH, REVIEW_ITEM

GOLD_FILE = "gold.jsonl"


def read_gold(connection: Connection, problem: Problem, folder: Path, salt: str) -> list[Again]:
    """Read items with known answers: where at least two people agreed and nobody differed, and those of the gold file.

    The demo reviewer's answers make no gold: recorded truth agrees with itself.

    Args:
        folder: the problem's data folder; its `gold.jsonl` has one object a line with the key columns, `partition_key`
            and `label`. There need not be one.
        salt: of the draw; the same salt gives the same order.

    Returns:
        in an order that chance alone decided; nothing that lies in an open batch.

    Raises:
        MulgilError: a line of the gold file is no such object; the first is named.
    """
    gold = {item.item_id: item for item in _read_agreed(connection, problem.name)}
    gold |= {item.item_id: item for item in _read_gold_file(folder / GOLD_FILE, problem)}
    for item_id in _read_open(connection, problem.name):
        gold.pop(item_id, None)
    return sorted(gold.values(), key=lambda item: hash_key(f"{item.item_id}|{salt}"))


def read_doubted(connection: Connection, problem: str) -> list[Again]:
    """Read items to ask once more: what was escalated, what people disagree about, and suspected labels.

    Returns:
        nothing that was asked again before; the longest escalated first, then the most evenly split, then the most
        suspected.
    """
    split = []
    for item_id, (partition_key, votes) in _read_votes(connection, problem, demo_counts=True).items():
        if len(votes) > 1:
            counted = votes.most_common()
            says = ", ".join(f"{count} said {label}" for label, count in sorted(votes.items()))
            split.append(
                (counted[0][1] - counted[1][1], item_id, Again(item_id, partition_key, reason=f"People: {says}."))
            )
    asked_again = set(
        connection.scalars(
            select(REVIEW_ITEM.c.item_id).where(REVIEW_ITEM.c.problem == problem, REVIEW_ITEM.c.arm == Arm.RELABEL)
        )
    )
    left_out = asked_again | _read_open(connection, problem)
    doubted = {again.item_id: again for again in read_escalated(connection, problem)}
    for again in [again for _, _, again in sorted(split, key=lambda row: row[:2])]:
        doubted.setdefault(again.item_id, again)
    for again in _read_suspected(connection, problem):
        doubted.setdefault(again.item_id, again)
    return [again for item_id, again in doubted.items() if item_id not in left_out]


def read_escalated(connection: Connection, problem: str) -> list[Again]:
    """Read the items that somebody escalated and nobody has answered since; they are for leads.

    Returns:
        each once, the longest escalated first.
    """
    query = (
        select(REVIEW_PASS, REVIEW_ITEM.c.partition_key)
        .join(REVIEW_ITEM, same_item(REVIEW_PASS, REVIEW_ITEM))
        .where(REVIEW_PASS.c.problem == problem, REVIEW_PASS.c.action == ESCALATE)
        .where(REVIEW_PASS.c.item_id.not_in(select(LABEL.c.item_id).where(LABEL.c.problem == problem)))
        .order_by(REVIEW_PASS.c.passed_at_utc, REVIEW_PASS.c.item_id)
    )
    found: dict[str, Again] = {}
    for row in connection.execute(query).mappings():
        reason = f"{row['person']} escalated it: {row['reason']}"
        found.setdefault(row["item_id"], Again(row["item_id"], row["partition_key"], reason=reason))
    return list(found.values())


def _read_suspected(connection: Connection, problem: str) -> list[Again]:
    """Read the labels that the newest examined model would not have given, the most suspicious first."""
    of_problem = SUSPECTED_LABEL.c.problem == problem
    newest = select(func.max(SUSPECTED_LABEL.c.model_version)).where(of_problem).scalar_subquery()
    query = (
        select(SUSPECTED_LABEL)
        .where(of_problem, SUSPECTED_LABEL.c.model_version == newest)
        .order_by(SUSPECTED_LABEL.c.rank)
    )
    return [
        Again(
            row["item_id"],
            row["partition_key"],
            reason=f"People said {row['given_label']}; the model, not shown this answer, gives that "
            f"{row['given_ratio']:.0%}.",
        )
        for row in connection.execute(query).mappings()
    ]


def _read_agreed(connection: Connection, problem: str) -> list[Again]:
    """Read the items on which at least two people agree."""
    return [
        Again(item_id, partition_key, gold_label=next(iter(votes)))
        for item_id, (partition_key, votes) in _read_votes(connection, problem, demo_counts=False).items()
        if len(votes) == 1 and votes.total() > 1
    ]


def _read_votes(connection: Connection, problem: str, *, demo_counts: bool) -> dict[str, tuple[str, "Counter[str]"]]:
    """Count who says what about each item: each person's newest answer, gold questions left out."""
    query = (
        select(LABEL.c.item_id, LABEL.c.labelled_by, LABEL.c.label, REVIEW_ITEM.c.partition_key)
        .join(REVIEW_ITEM, same_item(LABEL, REVIEW_ITEM))
        .where(LABEL.c.problem == problem, LABEL.c.arm != Arm.GOLD)
        .order_by(LABEL.c.batch_id)
    )
    if not demo_counts:
        query = query.where(~LABEL.c.is_demo)
    newest: dict[str, dict[str, str]] = defaultdict(dict)
    where = {}
    for item_id, person, label, partition_key in connection.execute(query):
        newest[item_id][person] = label
        where[item_id] = partition_key
    return {item_id: (where[item_id], Counter(said.values())) for item_id, said in newest.items()}


def _read_open(connection: Connection, problem: str) -> set[str]:
    """Name the items that lie on the desk."""
    query = (
        select(REVIEW_ITEM.c.item_id)
        .join(REVIEW_BATCH, same_batch(REVIEW_BATCH, REVIEW_ITEM))
        .where(REVIEW_ITEM.c.problem == problem, REVIEW_BATCH.c.status == OPEN)
    )
    return set(connection.scalars(query))


def _read_gold_file(path: Path, problem: Problem) -> list[Again]:
    """Read the answers that an expert wrote down."""
    if not path.is_file():
        return []
    classes = problem.label.classes if problem.label else []
    gold = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            record = json.loads(line)
            item_id = "|".join(str(record[name]) for name in problem.source.key)
            if record["label"] not in classes:
                raise ValueError(f"the label {record['label']!r} is not one of {classes}")
            gold.append(Again(item_id, str(record["partition_key"]), gold_label=record["label"]))
        except (ValueError, KeyError, TypeError) as error:
            raise MulgilError(
                f"{path.name}, line {number}: {type(error).__name__} {error}. A line is one JSON object with "
                f"{', '.join(problem.source.key)}, partition_key and label."
            ) from error
    return gold
