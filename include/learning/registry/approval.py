"""Writes what a person reads before approving a version.

What belongs here: text out of the registry's rows. What does not: asking (Airflow does), reading the answer
(`include/handover.py`), and what it leads to (`registry/promotion.py`).
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection, select

from include.learning.contracts import Question
from include.learning.registry import versions
from include.names import MODELS_PAGE
from include.problems.schema import Problem
from include.warehouse.tables.explaining import MODEL_NOTE
from include.warehouse.tables.learning import GATE_CHECK, MODEL_METRIC

_METRICS = ("expected_profit", "auc", "log_loss", "brier", "ece")

Row = Mapping[str, Any]


def write_question(connection: Connection, problem: Problem, waiting: Sequence[str]) -> Question:
    """Write the question about some versions: what they are, how they compare, and every check they passed.

    Args:
        waiting: versions that wait for a person, oldest first.

    Returns:
        the question about them.
    """
    parts = [_card(connection, problem, version) for version in waiting]
    champion = versions.list_promoted(connection, problem.name)
    serves = f"`{champion[-1]['model_version']}` serves until then" if champion else "No model serves until then"
    ask = f"**Approve** puts {'it' if len(parts) == 1 else 'them'} into production, **Reject** does not. {serves}."
    subject = f"{problem.title}: may {', '.join(waiting)} serve?"
    return Question(tuple(waiting), subject, "\n\n".join([problem.why.strip(), ask, *parts]), n_rows=len(waiting))


def _card(connection: Connection, problem: Problem, version: str) -> str:
    """Describe one version."""
    row = versions.read_version(connection, problem.name, version)
    head = (
        f"### {version}\n\n{row['model_name']}, calibrated by {row['calibration']}; fitted on {row['n_train']:,} rows, "
        f"calibrated on {row['n_calibrate']:,}, measured on {row['n_evaluate']:,}; data to {row['trained_through']}, "
        f"labels known at {row['labels_as_of_utc']:%Y-%m-%d %H:%M} UTC."
    )
    about = (MODEL_NOTE.c.problem == problem.name, MODEL_NOTE.c.model_version == version)
    told = select(MODEL_NOTE.c.note).where(*about, MODEL_NOTE.c.topic.in_(["first", "refit"])).order_by("topic")
    head = " ".join([head, *connection.execute(told).scalars()])
    where = (MODEL_METRIC.c.problem == problem.name, MODEL_METRIC.c.model_version == version)
    metrics = [dict(metric) for metric in connection.execute(select(MODEL_METRIC).where(*where)).mappings()]
    checks = connection.execute(
        select(GATE_CHECK.c.detail)
        .where(GATE_CHECK.c.problem == problem.name, GATE_CHECK.c.model_version == version)
        .order_by(GATE_CHECK.c.check_name)
    ).scalars()
    address = urlencode({"problem": problem.name, "version": version})
    card = (
        f"[The whole card]({MODELS_PAGE}/card?{address}): what moves it, which groups it treats worse, its weak spots."
    )
    return "\n\n".join([head, _table(metrics), "\n".join(f"- {detail}" for detail in checks), card])


def _table(metrics: Sequence[Row]) -> str:
    """Lay metrics out by candidate, best earner first, each with its interval."""
    cells: dict[str, dict[str, Row]] = {}
    for row in metrics:
        cells.setdefault(row["candidate"], {})[row["metric"]] = row
    earned = {name: own["expected_profit"]["value"] for name, own in cells.items() if "expected_profit" in own}
    lines = ["| candidate | " + " | ".join(_METRICS) + " |", "|---" * (len(_METRICS) + 1) + "|"]
    names = sorted(cells, key=lambda name: -earned.get(name, float("-inf")))
    lines += [
        f"| {name} | " + " | ".join(_cell(cells[name].get(metric)) for metric in _METRICS) + " |" for name in names
    ]
    return "\n".join(lines)


def _cell(row: Row | None) -> str:
    """Write one metric with its interval."""
    if row is None:
        return "–"
    span = "" if row["low"] is None else f" [{row['low']:.3f}, {row['high']:.3f}]"
    return f"{row['value']:.3f}{span}"
