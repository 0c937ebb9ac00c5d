"""What the pages show of a problem's experiments.

What belongs here: questions to the views of experiments. What does not: drawing the answers.
"""

from datetime import datetime

from sqlalchemy import Connection, func, select, text

from include.warehouse.tables.experiments import EXPERIMENT_QUESTION

Row = dict[str, object]
N_EXCLUSIONS = 20
# What stands below an experiment on a page, each about one problem.
PARTS = {
    "variants": "SELECT * FROM bi.experiment_variant WHERE problem = :problem ORDER BY NOT is_control, variant",
    "metrics": """
        SELECT * FROM bi.experiment_metric WHERE problem = :problem
        ORDER BY
            CASE role WHEN 'primary' THEN 0 WHEN 'guardrail' THEN 1 ELSE 2 END,
            metric,
            NOT is_control,
            variant
    """,
    "checks": """
        SELECT * FROM bi.experiment_check WHERE problem = :problem
        ORDER BY CASE verdict WHEN 'hold' THEN 0 WHEN 'warn' THEN 1 ELSE 2 END, check_name
    """,
    "exclusions": """
        SELECT
            experiment,
            reason,
            variant,
            MIN(seen_on) AS first_day,
            MAX(seen_on) AS last_day,
            SUM(n_rows) AS n_rows
        FROM bi.experiment_exclusion
        WHERE problem = :problem
        GROUP BY
            experiment,
            reason,
            variant
        ORDER BY
            SUM(n_rows) DESC,
            reason,
            variant
    """,
}


def experiments(connection: Connection, problem: str) -> list[Row]:
    """Read each experiment: what was decided, with its variants, checks and what was left out.

    Returns:
        one per experiment that has a window, by name: the columns of `bi.experiment_result`, and under `variants`,
        `metrics`, `checks` and `exclusions` lists of rows; of the exclusions the 20 largest. `answer_by_utc` is until
        when a person may answer who is being asked about it; None where nobody is.
    """
    found = _rows(
        connection, "SELECT * FROM bi.experiment_result WHERE problem = :problem ORDER BY experiment", problem
    )
    rows = {part: _rows(connection, query, problem) for part, query in PARTS.items()}
    asked = _read_deadlines(connection, problem)
    for one in found:
        one["answer_by_utc"] = asked.get(str(one["experiment"]))
        for part, its_rows in rows.items():
            own = [row for row in its_rows if row["experiment"] == one["experiment"]]
            one[part] = own[:N_EXCLUSIONS] if part == "exclusions" else own
    return found


def _read_deadlines(connection: Connection, problem: str) -> dict[str, datetime]:
    """Read of each experiment that a person is being asked about until when there is time to answer."""
    questions = EXPERIMENT_QUESTION.c
    query = (
        select(questions.experiment, func.max(questions.answer_by_utc).label("until"))
        .where(questions.problem == problem, questions.is_approved.is_(None))
        .where(questions.answer_by_utc > func.now())
        .group_by(questions.experiment)
    )
    return {row.experiment: row.until for row in connection.execute(query)}


def _rows(connection: Connection, query: str, problem: str) -> list[Row]:
    """Ask a query about a problem."""
    return [dict(row) for row in connection.execute(text(query), {"problem": problem}).mappings()]
