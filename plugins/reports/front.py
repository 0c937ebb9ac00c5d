"""The front page of Reports: for each problem a card to each of four questions, as far as it has something to say.

What does not belong here: SQL (`include/warehouse/front_queries.py`), words (`front_texts.py`), what a card looks like.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from include.problems.schema import Problem
from include.warehouse import front_queries
from include.warehouse.page_parts import PageParts
from reports import front_cards
from reports.front_cards import Asked, Card

Row = dict[str, Any]
PARTS: dict[str, Callable[[Connection, Sequence[str]], list[Row]]] = {
    "arrivals": front_queries.arrivals,
    "waiting": front_queries.waiting,
    "honesty": front_queries.honesty,
    "classes": front_queries.class_honesty,
    "quantities": front_queries.quantities,
    "alerts": front_queries.alerts,
    "profits": front_queries.profits,
    "experiments": front_queries.experiments,
    "batches": front_queries.open_batches,
    "approvals": front_queries.approvals,
    "ties": front_queries.ties,
}
QUESTIONS = (front_cards.arriving, front_cards.honest, front_cards.pays, front_cards.waits_for_me)


@dataclass
class Findings:
    """What the warehouse says of one problem.

    Attributes:
        rows: of each part, those about the problem.
        missing: names of the parts that could not be read.
    """

    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in PARTS})
    missing: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Entry:
    """One problem on the front page.

    Attributes:
        needs_a_look: whether something on one of its cards is not as it should be.
    """

    problem: Problem
    cards: Sequence[Card]
    needs_a_look: bool


def read_findings(connection: Connection, names: Sequence[str]) -> dict[str, Findings]:
    """Ask each question once about all problems; one that fails is asked of each, so that others keep their answer.

    Returns:
        what was found, by problem.

    Raises:
        SQLAlchemyError: the warehouse could not be reached.
    """
    found = {name: Findings() for name in names}
    together = PageParts(connection, "all problems")
    for part, query in PARTS.items():
        rows = together.read(part, query, [], names) if names else []
        if part in together.missing:
            for name in names:
                alone = PageParts(connection, name)
                rows += alone.read(part, query, [], [name])
                found[name].missing += alone.missing
        for row in rows:
            found[row["problem"]].rows[part].append(row)
    return found


def arrange(
    problems: Sequence[Problem],
    found: Mapping[str, Findings],
    words: Mapping[str, str],
    language: str,
    may_answer: Callable[[str], bool],
) -> list[Entry]:
    """Put what was found of each problem on its cards; a question that its file does not raise has none."""
    entries = []
    for problem in problems:
        own = found[problem.name]
        asked = Asked(problem, own.rows, own.missing, words, language, may_answer(problem.name))
        cards = [card for question in QUESTIONS if (card := question(asked)) is not None]
        entries.append(Entry(problem, cards, any(card.is_bad for card in cards)))
    return entries
