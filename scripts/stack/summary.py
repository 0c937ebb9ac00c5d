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


QUESTIONS: tuple[Question, ...] = (
    Question(
        "Is the data complete, and where not, why?",
        """SELECT problem, count(*) AS partitions, sum(n_in) AS rows_in, sum(n_published) AS published,
               sum(n_quarantined) AS quarantined, sum(n_duplicate) AS duplicates, max(first_reason) AS a_reason
        FROM bi.data_completeness GROUP BY problem ORDER BY problem""",
    ),
    Question(
        "Which model is in production, and what does it earn per row?",
        """SELECT m.problem, m.model_version, c.candidate, c.expected_profit, c.expected_profit_low AS low,
               c.expected_profit_high AS high, c.value_unit AS unit, c.auc_ratio AS auc
        FROM bi.model_in_production AS m JOIN bi.model_comparison AS c USING (problem, model_version)
        WHERE m.is_in_production AND c.candidate <> 'champion' AND c.candidate NOT LIKE '%uncalibrated'
        ORDER BY m.problem, c.expected_profit DESC""",
    ),
    Question(
        "Does what the model says happen? (of 100)",
        """SELECT problem, month, n_labelled AS known_rows, round(100 * mean_predicted_ratio::numeric, 1) AS said,
               round(100 * observed_ratio::numeric, 1) AS happened
        FROM bi.calibration_monthly WHERE n_labelled >= 100
        UNION ALL
        SELECT problem, 'all months', sum(n_labelled),
               round(100 * (sum(n_labelled * mean_predicted_ratio) / sum(n_labelled))::numeric, 1),
               round(100 * (sum(n_labelled * observed_ratio) / sum(n_labelled))::numeric, 1)
        FROM bi.calibration_monthly GROUP BY problem ORDER BY problem, month""",
    ),
    Question(
        "What moved most, against the reference months?",
        """SELECT problem, feature, max(psi_ratio) AS largest_psi,
               (array_agg(partition_key ORDER BY psi_ratio DESC))[1] AS in_partition,
               count(*) FILTER (WHERE verdict = 'moved') AS partitions_moved, count(*) AS partitions
        FROM bi.drift_by_feature WHERE verdict <> 'too_few_rows' GROUP BY problem, feature
        HAVING count(*) FILTER (WHERE verdict = 'moved') > 0 ORDER BY problem, largest_psi DESC LIMIT 8""",
    ),
    Question(
        "Did asking the right questions pay?",
        """SELECT problem, round_number AS round, n_labels_all AS labels,
               round(positive_per_100_chosen) AS found_by_choice_of_100,
               round(positive_per_100_random) AS found_by_chance_of_100,
               auc_all_ratio AS auc_all_labels, n_labels_random AS random_labels, auc_random_ratio AS auc_random_labels
        FROM bi.review_efficiency ORDER BY problem, round_number""",
    ),
    Question(
        "Which variant won, what did it promise, what did it really add? (of 100)",
        """SELECT problem, decision, winner, best_probability, round(100 * promised_lift_ratio::numeric) AS promised,
               round(100 * realised_lift_ratio::numeric) AS realised, round(100 * realised_low::numeric) AS at_least,
               round(100 * realised_high::numeric) AS at_most
        FROM bi.experiment_result ORDER BY problem""",
    ),
)


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
        StackError: the warehouse, or a view, does not answer.
    """
    try:
        connected = psycopg.connect(warehouse_url.replace("+psycopg", ""), autocommit=True)
    except psycopg.Error as error:
        raise StackError(f"The summary could not be read: the warehouse does not answer ({error}).") from error
    with connected as connection:
        return "\n\n".join(answer(connection, question) for question in questions)
