"""A warehouse that holds what life holds: zero bounds, missing figures, endless names, two versions of everything."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from sqlalchemy import Engine, Table
from sqlalchemy.dialects.postgresql import insert

from include.warehouse.tables import METADATA

PROBLEM = "edges"
NOW = datetime(2013, 7, 1, tzinfo=UTC)
LONG = "an endless name | with bars, 'quotes' and 한국어 " * 4 + "a_name_without_a_single_space_" * 6
VERSIONS = ("v001", "v002")
# Words that a view looks for; any other text is a name.
WORDS: dict[str, tuple[str, ...]] = {
    "problem": (PROBLEM,),
    "model_version": VERSIONS,
    "partition_key": ("2013-06", "2013-07"),
    "batch_id": ("round-001", "round-002"),
    "stage": ("ingest", "land"),
    "status": ("answered", "open", "done", "waiting", "candidate"),
    "verdict": ("moved", "published", "too_few_rows", "refused"),
    "event": ("promoted", "awaiting_approval"),
    "metric": ("auc", "expected_profit", "positive_ratio"),
    "subject": ("drift", LONG),
    "feature": ("age", LONG),
    "item_id": ("mail-1", LONG),
    "candidate": ("linear", "champion"),
    "model_name": ("linear",),
    "kind": ("number", "category", "text"),
    "arm": ("entropy", "random", "gold"),
    "state": ("open", "passed"),
    "action": ("skip", "escalate"),
    "decision": ("winner", "continue"),
    "experiment": ("campaign",),
    "result": ("done", "refused"),
}
NUMBERS: tuple[float, ...] = (0.0, 0.5, -1.5, 1e9, 1e-300)
COUNTS = (0, 1, 1_000_000)


def fill(engine: Engine, problem: str = PROBLEM) -> None:
    """Put edge rows about a problem into every table of `core`."""
    with engine.begin() as connection:
        for table in METADATA.sorted_tables:
            rows = rows_of(table).values()
            about = [row | {"problem": problem} for row in rows if "problem" in row]
            connection.execute(insert(table).on_conflict_do_nothing(), about)  # some are keyed without the problem


def rows_of(table: Table) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Make rows of a table by their keys: every combination of key words, each with another edge."""
    keys = [column.name for column in table.primary_key]
    choices = [_values(table, name)[:3] for name in keys]
    rows = {}
    for number, key in enumerate(product(*choices)):
        row = {column.name: _edge(table, column.name, number) for column in table.columns}
        rows[key] = row | dict(zip(keys, key, strict=True))
    if table.name == "partition_audit":  # the warehouse itself refuses counts that do not add up
        for row in rows.values():
            row |= dict.fromkeys(("n_in", "n_published", "n_quarantined", "n_duplicate", "n_refused", "n_withdrawn"), 0)
    return rows


def _edge(table: Table, name: str, number: int) -> Any:
    column = table.columns[name]
    if column.nullable and number % 3 == 0:
        return None
    values = _values(table, name)
    return values[number % len(values)]


def _values(table: Table, name: str) -> tuple[Any, ...]:
    kind = type(table.columns[name].type).__name__
    if kind in {"Integer", "BigInteger"}:
        return COUNTS
    if kind == "Float":
        return NUMBERS
    if kind == "Boolean":
        return (True, False)
    if kind == "DateTime":
        return (NOW, NOW + timedelta(days=1))
    if kind == "Date":
        return (NOW.date(),)
    if (table.name, name) == ("experiment_plan", "plan"):
        return ({}, {"reward": LONG})
    if kind == "JSONB":
        reason = {"reason": LONG, "n_lines": 0, "first_line": None}
        return ([], [reason]) if (table.name, name) == ("label_file", "reasons") else ([], ["a", LONG])
    return WORDS.get(name, ("a", LONG))
