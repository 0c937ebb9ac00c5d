"""Keeps what views need to know of a problem's file, whichever stage of it runs first."""

from datetime import datetime

from sqlalchemy import Connection

from include.problems.schema import Problem
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.monitoring import PROBLEM


def describe_problem(connection: Connection, definition: Problem, now: datetime) -> None:
    """Write what the views need to know of the problem's file."""
    row = {
        "problem": definition.name,
        "title": definition.title,
        "owner": definition.owner,
        "grain": definition.source.grain,
        "positive_label": definition.label.positive if definition.label else None,
        "label_kind": definition.label.kind if definition.label else None,
        "value_unit": definition.value.unit if definition.value else None,
        "minimum_rows": definition.monitor.minimum_rows if definition.monitor else 1,
        "seen_at_utc": now,
    }
    upsert_rows(connection, PROBLEM, [row])
