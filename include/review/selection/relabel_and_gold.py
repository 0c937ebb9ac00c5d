"""Finds answered items that are worth asking again: gold, whose answer is known, and relabels.

What belongs here: reading them from the warehouse and the gold file. What does not: how many of a batch they are
(`selection/batch_plan.py`).
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import Connection, func, select

from include.errors import MulgilError
from include.names import Arm
from include.problems.answer_text import Allowed, one_text
from include.problems.schema import Problem
from include.review.batches.assignments import ESCALATE
from include.review.batches.store import OPEN, same_batch, same_item
from include.review.batches.team import LEAD_SKILL, name_leads, read_team
from include.review.row_names import name_rows
from include.review.selection.batch_plan import Again
from include.review.selection.sql_ranking import hash_key
from include.warehouse.newest_answers import OLDEST_FIRST, newest_answers
from include.warehouse.tables.desk import REVIEW_PASS
from include.warehouse.tables.explaining import SUSPECTED_LABEL
from include.warehouse.tables.review import LABEL, REVIEW_BATCH, REVIEW_ITEM
from include.warehouse.trusted_labels import is_given, is_relied_on

GOLD_FILE = "gold.jsonl"
# Where two people agree they are against most of seven in 16 of 100 items; a third, and most of all who answered, are
# rarely so, and one person who always says the same can neither make an answer known nor unmake one.
GOLD_PEOPLE = 3
GOLD_SHARE = 2 / 3
MAX_ASKED_AGAIN = 2  # relabels of one item; whom two more questions do not bring to agree, a third will not
N_LATEST = 50  # relabels that say whether asking again is worth it


@dataclass
class Said:
    """What people said about one item: each one's newest answer."""

    partition_key: str
    by_person: dict[str, str] = field(default_factory=dict)
    by_leads: dict[str, str] = field(default_factory=dict)

    @property
    def votes(self) -> list[tuple[str, int]]:
        """Count the classes, the most frequent first."""
        return Counter(self.by_person.values()).most_common()

    @property
    def margin(self) -> int:
        """Say how many more people gave the first class than the second; 0 for a tie."""
        counts = [count for _, count in self.votes]
        return counts[0] - (counts[1] if len(counts) > 1 else 0)

    @property
    def known_label(self) -> str | None:
        """Give the answer that people can be tested by, or None: the leads', or else that of enough people."""
        if self.by_leads:
            return next(iter(self.by_leads.values())) if len(set(self.by_leads.values())) == 1 else None
        label, count = self.votes[0]
        is_known = count >= GOLD_PEOPLE and count >= GOLD_SHARE * len(self.by_person)
        return label if is_known else None


def read_gold(
    connection: Connection, problem: Problem, folder: Path, salt: str, pii_keys: Sequence[str] = ()
) -> list[Again]:
    """Read items with known answers: from a lead, from three people or more, and those of the gold file.

    The demo reviewer's answers make no gold: recorded truth agrees with itself. Nor does an answer that the newest
    model suspects, or one that everybody of the team has given: nobody would be left to test.

    Args:
        folder: the problem's data folder; its `gold.jsonl` has one object a line with the key columns, `partition_key`
            and `label`. There need not be one.
        salt: of the draw; the same salt gives the same order.
        pii_keys: secrets of the keyed hash for identifiers in the key, the newest first.

    Returns:
        in an order that chance alone decided; nothing that lies in an open batch.

    Raises:
        MulgilError: a line of the gold file is no such object; the first is named.
    """
    said = read_said(connection, problem, demo_counts=False)
    team = read_team(connection, problem.name)
    suspected = {again.item_id for again in _read_suspected(connection, problem.name)}
    gold = {
        item_id: Again(item_id, one.partition_key, gold_label=one.known_label)
        for item_id, one in said.items()
        if one.known_label is not None and item_id not in suspected
    }
    gold |= {item.item_id: item for item in _read_gold_file(folder / GOLD_FILE, problem, pii_keys)}
    is_open = _read_open(connection, problem.name)
    askable = [
        replace(item, is_for_others=True)
        for item_id, item in gold.items()
        if item_id not in is_open and (item_id not in said or team - said[item_id].by_person.keys())
    ]
    return sorted(askable, key=lambda item: hash_key(f"{item.item_id}|{salt}"))


def read_relabels(connection: Connection, problem: Problem, n_suspected: int | None = None) -> list[Again]:
    """Read items to ask once more: what was escalated, what people disagree about, and suspected labels.

    Args:
        n_suspected: suspected labels at most; all when None.

    Returns:
        the longest escalated first, then the most evenly split, then the most suspected; nothing that was asked again
        before, but for ties: those are asked until they are settled, twice at most.
    """
    said = read_said(connection, problem, demo_counts=True)
    team = read_team(connection, problem.name)
    asked = _count_relabels(connection, problem.name)
    is_open = _read_open(connection, problem.name)

    def is_done(again: Again) -> bool:
        is_tied = again.item_id in said and said[again.item_id].margin == 0
        return again.item_id in is_open or asked[again.item_id] >= (MAX_ASKED_AGAIN if is_tied else 1)

    split = sorted((one.margin, item_id) for item_id, one in said.items() if len(one.votes) > 1)
    disputed = [_dispute(item_id, said[item_id]) for _, item_id in split]
    suspected = [again for again in _read_suspected(connection, problem.name) if not is_done(again)]
    escalated = read_escalated(connection, problem.name)
    relabels: dict[str, Again] = {}
    for again in [*escalated, *disputed, *suspected[:n_suspected]]:
        others = team - (said[again.item_id].by_person.keys() if again.item_id in said else set())
        relabels.setdefault(again.item_id, replace(again, is_for_others=bool(others)))
    return [again for again in relabels.values() if not is_done(again)]


def count_suspected(connection: Connection, problem: Problem, budget: int, relabel_share: float) -> int:
    """Say how many suspected labels a batch should ask about: as many as asking again has been worth lately.

    All of the relabel share while at least half of the newest relabels changed a label, fewer in proportion below that;
    one at least, or nobody would notice that suspicions have become right.

    Source: ours; Laplace's rule of succession for the share that changes, which begins at one half.
    """
    n_places = budget * relabel_share
    changed = _read_changed(connection, problem)
    worth = (sum(changed) + 1) / (len(changed) + 2)
    return max(min(1, math.ceil(n_places)), math.floor(n_places * min(1.0, 2 * worth)))


def read_said(connection: Connection, problem: Problem, *, demo_counts: bool) -> dict[str, Said]:
    """Read what each person says about each item: their newest answer; where leads settled a dispute, the newest
    of their words alone.

    Gold questions and what nobody relies on are left out. A lead is whom the problem's file names, and whoever answered
    from an assignment for leads.
    """
    newest = newest_answers(problem.name, *(() if demo_counts else (~LABEL.c.is_demo,))).subquery()
    query = select(newest, REVIEW_ITEM.c.partition_key, REVIEW_ITEM.c.skill).join(
        REVIEW_ITEM,
        (REVIEW_ITEM.c.problem == problem.name)
        & (REVIEW_ITEM.c.batch_id == newest.c.batch_id)
        & (REVIEW_ITEM.c.item_id == newest.c.item_id),
    )
    leads = name_leads(problem)
    found: dict[str, Said] = {}
    for row in connection.execute(query.where(newest.c.counts).order_by(newest.c.item_id, newest.c.labelled_by)):
        said = found.setdefault(row.item_id, Said(row.partition_key))
        said.by_person[row.labelled_by] = row.label
        if row.labelled_by in leads or row.skill == LEAD_SKILL or row.is_last_word:
            said.by_leads[row.labelled_by] = row.label
    return found


def read_escalated(connection: Connection, problem: str) -> list[Again]:
    """Read the items that somebody escalated and nobody has answered since; they are for leads.

    Returns:
        each once, the longest escalated first.
    """
    query = (
        select(REVIEW_PASS, REVIEW_ITEM.c.partition_key)
        .join(REVIEW_ITEM, same_item(REVIEW_PASS, REVIEW_ITEM))
        .where(REVIEW_PASS.c.problem == problem, REVIEW_PASS.c.action == ESCALATE)
        .where(REVIEW_PASS.c.item_id.not_in(select(LABEL.c.item_id).where(LABEL.c.problem == problem, is_given())))
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
    version = SUSPECTED_LABEL.c.model_version
    by_age = (func.length(version).desc(), version.desc())
    newest = select(version).where(of_problem).order_by(*by_age).limit(1).scalar_subquery()
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


def _dispute(item_id: str, said: Said) -> Again:
    """Say who says what about an item."""
    says = ", ".join(f"{count} said {label}" for label, count in sorted(said.votes))
    return Again(item_id, said.partition_key, reason=f"People: {says}.")


def _count_relabels(connection: Connection, problem: str) -> "Counter[str]":
    """Count how often each item was asked again."""
    query = (
        select(REVIEW_ITEM.c.item_id, func.count())
        .where(REVIEW_ITEM.c.problem == problem, REVIEW_ITEM.c.arm == Arm.RELABEL)
        .group_by(REVIEW_ITEM.c.item_id)
    )
    return Counter({row[0]: row[1] for row in connection.execute(query)})


def _read_changed(connection: Connection, problem: Problem) -> list[bool]:
    """Say of the newest relabels of settled items whether the item is settled otherwise, or no more, since."""
    relabelled = select(REVIEW_ITEM.c.item_id).where(
        REVIEW_ITEM.c.problem == problem.name, REVIEW_ITEM.c.arm == Arm.RELABEL
    )
    query = (
        select(LABEL.c.item_id, LABEL.c.labelled_by, LABEL.c.label, LABEL.c.arm)
        .where(LABEL.c.problem == problem.name, LABEL.c.item_id.in_(relabelled), LABEL.c.arm != Arm.GOLD)
        .where(is_relied_on())
        .order_by(*OLDEST_FIRST, LABEL.c.item_id)
    )
    before: dict[str, Said] = defaultdict(lambda: Said(""))
    after: dict[str, Said] = defaultdict(lambda: Said(""))
    order: dict[str, None] = {}
    for item_id, person, label, arm in connection.execute(query):
        after[item_id].by_person[person] = label
        if arm == Arm.RELABEL:
            order.pop(item_id, None)
            order[item_id] = None
        else:
            before[item_id].by_person[person] = label
    settled = [item_id for item_id in order if item_id in before and before[item_id].margin > 0]
    return [
        after[item_id].margin == 0 or after[item_id].votes[0][0] != before[item_id].votes[0][0]
        for item_id in settled[-N_LATEST:]
    ]


def _read_open(connection: Connection, problem: str) -> set[str]:
    """Name the items that lie on the desk."""
    query = (
        select(REVIEW_ITEM.c.item_id)
        .join(REVIEW_BATCH, same_batch(REVIEW_BATCH, REVIEW_ITEM))
        .where(REVIEW_ITEM.c.problem == problem, REVIEW_BATCH.c.status == OPEN)
    )
    return set(connection.scalars(query))


def _read_gold_file(path: Path, problem: Problem, pii_keys: Sequence[str]) -> list[Again]:
    """Read the answers that an expert wrote down.

    Raises:
        MulgilError: a line is no JSON object, lacks a part of the key, or has a label that is no class; it is named.
    """
    if not path.is_file():
        return []
    classes = Allowed(problem.label)
    gold = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line, parse_float=str, parse_int=str)
            names = name_rows(problem.source, pii_keys, record)
            if not names:
                raise ValueError("a part of the key is missing, or not of its column's type")
            label = one_text(record["label"], problem.label)
            if label not in classes:
                raise ValueError(f"the label {record['label']!r} is not one of {list(classes)}")
            gold.append(Again(names[0], str(record["partition_key"]), gold_label=str(label)))
        except (ValueError, KeyError, TypeError) as error:
            raise MulgilError(
                f"{path.name}, line {number}: {type(error).__name__} {error}. A line is one JSON object with "
                f"{', '.join(problem.source.key)}, partition_key and label."
            ) from error
    return gold
