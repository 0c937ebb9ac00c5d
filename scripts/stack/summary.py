"""The end of `make run`: what the loop found, read from the views that everybody else reads, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import psycopg

from scripts.stack.errors import StackError

MAX_WIDTH = 46


@dataclass(frozen=True)
class Question:
    """One table of the summary: a sentence above it, and the query that fills it."""

    title: str
    query: str


QUESTIONS: tuple[Question, ...] = ()


def format_value(value: object) -> str:
    """Return a value as a person reads it: thousands apart, no more digits than mean something."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float | Decimal):
        number = float(value)
        return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    text = " ".join(str(value).split())
    return text if len(text) <= MAX_WIDTH else f"{text[: MAX_WIDTH - 1]}…"


def format_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return an aligned table: words to the left, numbers to the right."""
    texts = [[format_value(value) for value in row] for row in rows]
    heads = [column.replace("_", " ") for column in columns]
    widths = [max([len(head), *(len(row[i]) for row in texts)]) for i, head in enumerate(heads)]
    is_number = [
        all(isinstance(row[i], int | float | Decimal | None) and not isinstance(row[i], bool) for row in rows)
        for i in range(len(heads))
    ]
    lines = [heads, ["-" * width for width in widths], *texts]
    return "\n".join(
        "  "
        + "  ".join(
            cell.rjust(w) if n else cell.ljust(w) for cell, w, n in zip(line, widths, is_number, strict=True)
        ).rstrip()
        for line in lines
    )


def answer(connection: psycopg.Connection, question: Question) -> str:
    """Return one question's title and table.

    Raises:
        StackError: the view does not answer; the message names the question.
    """
    try:
        cursor = connection.execute(question.query)
        rows = cursor.fetchall()
    except psycopg.Error as error:
        raise StackError(
            f"The summary could not be read ({question.title}): {str(error).strip()}. "
            "Does the warehouse have its views? They are made when make run starts."
        ) from error
    columns = [column.name for column in cursor.description or ()]
    table = format_table(columns, rows) if rows else "  nothing yet"
    return f"{question.title}\n{table}"


def summarise(warehouse_url: str, questions: Sequence[Question] = QUESTIONS) -> str:
    """Return all of the summary.

    Args:
        warehouse_url: SQLAlchemy URL of the warehouse.
        questions: what to ask, in order.

    Raises:
        StackError: a view does not answer.
    """
    with psycopg.connect(warehouse_url.replace("+psycopg", ""), autocommit=True) as connection:
        return "\n\n".join(answer(connection, question) for question in questions)
