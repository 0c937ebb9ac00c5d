"""Writes what a person reads before approving a version, and reads the answer.

What belongs here: text out of the registry's rows. What does not: asking (Airflow does), and what an answer leads to
(`promotions.py`).
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Connection, select

from include.learning import registry
from include.names import MODELS_PAGE
from include.problems.schema import Problem
from include.warehouse.tables.learning import GATE_CHECK, MODEL_METRIC

APPROVE = "Approve"  # as Airflow's ApprovalOperator calls it
_METRICS = ("expected_profit", "auc", "log_loss", "brier", "ece")

Row = Mapping[str, Any]


def write_question(connection: Connection, problem: Problem, versions: Sequence[str]) -> dict[str, str]:
    """Write the question about some versions: what they are, how they compare, and every check they passed.

    Args:
        versions: that wait for a person, oldest first.

    Returns:
        subject (one line) and body (Markdown).
    """
    parts = [_card(connection, problem, version) for version in versions]
    champion = registry.list_promoted(connection, problem.name)
    serves = f"`{champion[-1]['model_version']}` serves until then" if champion else "No model serves until then"
    ask = f"**Approve** puts {'it' if len(parts) == 1 else 'them'} into production, **Reject** does not. {serves}."
    return {
        "subject": f"{problem.title}: may {', '.join(versions)} serve?",
        "body": "\n\n".join([f"{problem.why.strip()}", ask, *parts]),
    }


def read_answer(answer: Mapping[str, Any] | None, fallback_actor: str) -> tuple[bool | None, str, str]:
    """Read what a person answered.

    Args:
        answer: as Airflow keeps it: chosen_options, responded_by_user (none where time ran out); None where nobody was
            asked or the asking failed.

    Returns:
        (yes, no, or None where there is no answer; who; the reason as history shows it).
    """
    if not answer or not answer.get("chosen_options"):
        return None, fallback_actor, "There is no answer; the version keeps waiting, and the champion serves."
    is_approved = list(answer["chosen_options"]) == [APPROVE]
    user = answer.get("responded_by_user")
    if not user or answer.get("timedout"):
        return False, fallback_actor, "Nobody answered in time, which is the same as no."
    name = str(user.get("name") or user.get("id"))
    return is_approved, name, f"{name} {'approved' if is_approved else 'refused'} it."


def _card(connection: Connection, problem: Problem, version: str) -> str:
    """Describe one version."""
    row = registry.read_version(connection, problem.name, version)
    head = (
        f"### {version}\n\n{row['model_name']}, calibrated by {row['calibration']}; fitted on {row['n_train']:,} rows, "
        f"calibrated on {row['n_calibrate']:,}, measured on {row['n_evaluate']:,}; data to {row['trained_through']}, "
        f"labels known at {row['labels_as_of_utc']:%Y-%m-%d %H:%M} UTC."
    )
    where = (MODEL_METRIC.c.problem == problem.name, MODEL_METRIC.c.model_version == version)
    metrics = [dict(metric) for metric in connection.execute(select(MODEL_METRIC).where(*where)).mappings()]
    checks = connection.execute(
        select(GATE_CHECK.c.detail)
        .where(GATE_CHECK.c.problem == problem.name, GATE_CHECK.c.model_version == version)
        .order_by(GATE_CHECK.c.check_name)
    ).scalars()
    address = urlencode({"problem": problem.name, "version": version})
    card = f"[The whole card]({MODELS_PAGE}/card?{address}): what moves it, whom it wrongs, where it is weak."
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
