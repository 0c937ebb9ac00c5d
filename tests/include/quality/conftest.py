"""A small problem and its staged rows, for tests that change one thing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.problems.schema import Problem

SCHEMA = pa.schema(
    {
        "ride_id": pa.string(),
        "started_at": pa.timestamp("us", tz="UTC"),
        "distance_miles": pa.float64(),
        "seats": pa.int64(),
        "origin": pa.string(),
        "email": pa.string(),
        "is_shared": pa.bool_(),
        "_row_key": pa.string(),
        "_object_key": pa.string(),
        "_line_number": pa.int64(),
        "_partition_key": pa.string(),
        "_unknown_fields": pa.string(),
    }
)


@pytest.fixture
def make_problem() -> Callable[..., Problem]:
    def make(*expectations: dict[str, Any], **quality: Any) -> Problem:
        columns = {
            "ride_id": {"type": "string"},
            "started_at": {"type": "timestamp"},
            "distance_miles": {"type": "number"},
            "seats": {"type": "integer"},
            "origin": {"type": "string"},
            "email": {"type": "string", "pii": "contact"},
            "is_shared": {"type": "boolean"},
        }
        source = {
            "landing": "rides",
            "grain": "day",
            "key": ["ride_id"],
            "event_time": "started_at",
            "earliest": datetime(2013, 1, 1, tzinfo=UTC),
            "latest": datetime(2014, 1, 1, tzinfo=UTC),
            "columns": columns,
        }
        people = {"title": "Rides", "why": "For tests.", "owner": "nobody", "escalation": "nobody"}
        section = {"quality": {"expectations": list(expectations), **quality}} if expectations else {}
        return Problem.model_validate({"name": "rides", **people, "source": source, **section})

    return make


@pytest.fixture
def stage(tmp_path: Path) -> Callable[..., Path]:
    """Write rides as ingest would: `stage(n_rows, column=[...])` gives good rows with one column replaced."""

    def write(n_rows: int = 10, *, name: str = "part-0.parquet", **replaced: list[Any]) -> Path:
        numbers = range(n_rows)
        columns: dict[str, list[Any]] = {
            "ride_id": [f"{name}-{n}" for n in numbers],
            "started_at": [datetime(2013, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in numbers],
            "distance_miles": [100.0 + n for n in numbers],
            "seats": [1 + n % 4 for n in numbers],
            "origin": [["EWR", "JFK", "LGA"][n % 3] for n in numbers],
            "email": [f"j{n}***@example.org" for n in numbers],
            "is_shared": [n % 2 == 0 for n in numbers],
        }
        columns = columns | replaced
        columns["_row_key"] = columns["ride_id"]
        columns |= {"_object_key": [name] * n_rows, "_line_number": [n + 1 for n in numbers]}
        columns |= {"_partition_key": ["2013-01-01"] * n_rows, "_unknown_fields": [None] * n_rows}
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns, schema=SCHEMA), path)
        return path

    return write
