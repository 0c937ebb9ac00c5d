"""The quality audit, 15 expectations on 1,000,000 rows, beside one DuckDB query that computes the same numbers.

    python -m bench.audit

Both read the same Parquet file, in turn, in one process; Great Expectations is imported, and has audited once, before
the clock starts, as in a worker that has been up for a while. Prints one table, and fails where the bar is missed or
the two disagree about a number.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from include.problems.schema import Problem

N_ROWS, N_ROUNDS, BAR = 1_000_000, 5, 4.0

ROWS = f"""
    SELECT
        'f' || lpad(i::VARCHAR, 9, '0') AS flight_id,
        TIMESTAMPTZ '2013-01-01 00:00:00+00' + INTERVAL (i * 2) SECOND AS scheduled_at,
        ['AA', 'UA', 'DL', 'B6', 'EV'][1 + i % 5] AS carrier,
        ['EWR', 'JFK', 'LGA'][(1 + hash(i) % 3)::INT] AS origin,
        (hash(i * 7) % 4960 + 42)::DOUBLE AS distance_miles,
        (hash(i * 11) % 24)::BIGINT AS scheduled_hour_local,
        CASE WHEN i % 50 > 0 THEN ((hash(i * 13) % 200)::BIGINT - 30)::DOUBLE END AS arr_delay_minutes,
        (hash(i * 17) % 40)::DOUBLE AS wind_speed_mph,
        CASE WHEN i % 100 > 0 THEN (hash(i * 19) % 100)::DOUBLE END AS temperature_f
    FROM range({N_ROWS}) AS numbers(i)
"""
COLUMNS = {
    "flight_id": "string",
    "scheduled_at": "timestamp",
    "carrier": "string",
    "origin": "string",
    "distance_miles": "number",
    "scheduled_hour_local": "integer",
    "arr_delay_minutes": "number",
    "wind_speed_mph": "number",
    "temperature_f": "number",
}
# Each with the number that it comes down to, as a person would ask for it: a count of rows, or what is measured.
QUESTIONS: list[tuple[str, str | None, dict[str, Any], str]] = [
    ("ExpectTableRowCountToBeBetween", None, {"min_value": 1}, "count(*)"),
    ("ExpectColumnValuesToNotBeNull", "flight_id", {}, "count(*) FILTER (flight_id IS NULL)"),
    ("ExpectColumnValuesToBeUnique", "flight_id", {}, "count(flight_id) - count(DISTINCT flight_id)"),
    ("ExpectColumnValuesToNotBeNull", "scheduled_at", {}, "count(*) FILTER (scheduled_at IS NULL)"),
    (
        "ExpectColumnValuesToBeInSet",
        "origin",
        {"value_set": ["EWR", "JFK"]},
        "count(*) FILTER (origin NOT IN ('EWR', 'JFK'))",
    ),
    (
        "ExpectColumnValuesToBeBetween",
        "distance_miles",
        {"min_value": 50, "max_value": 4990},
        "count(*) FILTER (distance_miles NOT BETWEEN 50 AND 4990)",
    ),
    (
        "ExpectColumnValuesToBeBetween",
        "scheduled_hour_local",
        {"min_value": 0, "max_value": 23},
        "count(*) FILTER (scheduled_hour_local NOT BETWEEN 0 AND 23)",
    ),
    (
        "ExpectColumnValuesToBeBetween",
        "arr_delay_minutes",
        {"min_value": -20, "max_value": 160},
        "count(*) FILTER (arr_delay_minutes NOT BETWEEN -20 AND 160)",
    ),
    (
        "ExpectColumnValuesToBeBetween",
        "wind_speed_mph",
        {"min_value": 0, "max_value": 38},
        "count(*) FILTER (wind_speed_mph NOT BETWEEN 0 AND 38)",
    ),
    ("ExpectColumnValuesToNotBeNull", "temperature_f", {"mostly": 0.95}, "count(*) FILTER (temperature_f IS NULL)"),
    ("ExpectColumnMeanToBeBetween", "arr_delay_minutes", {"max_value": 300}, "avg(arr_delay_minutes)"),
    ("ExpectColumnMaxToBeBetween", "distance_miles", {"max_value": 6000}, "max(distance_miles)"),
    ("ExpectColumnMinToBeBetween", "distance_miles", {"min_value": 10}, "min(distance_miles)"),
    ("ExpectColumnStdevToBeBetween", "arr_delay_minutes", {"min_value": 1}, "stddev_samp(arr_delay_minutes)"),
    ("ExpectColumnUniqueValueCountToBeBetween", "carrier", {"max_value": 20}, "count(DISTINCT carrier)"),
]


def make_problem() -> Problem:
    """Write the questions as a problem's quality section."""
    expectations = [
        {"expect": name, "severity": "warn", "arguments": arguments, **({"column": column} if column else {})}
        for name, column, arguments, _ in QUESTIONS
    ]
    source = {
        "landing": "flights",
        "grain": "month",
        "key": ["flight_id"],
        "event_time": "scheduled_at",
        "earliest": "2013-01-01T00:00:00Z",
        "latest": "2014-01-01T00:00:00Z",
        "columns": {name: {"type": kind} for name, kind in COLUMNS.items()},
    }
    about = {"name": "flights", "title": "Flights", "why": "To measure.", "owner": "nobody", "escalation": "nobody"}
    return Problem.model_validate({**about, "source": source, "quality": {"expectations": expectations}})


def ask_great_expectations(problem: Problem, file: Path) -> list[float]:
    """Audit a file as ingest does.

    Returns:
        of each question its number.
    """
    from include.quality.audit import audit_files

    results = audit_files(problem, [file]).results
    return [float(r.n_unexpected if r.n_unexpected is not None else r.observed or "nan") for r in results]


def ask_bare(file: Path) -> list[float]:
    """Ask DuckDB for all numbers in one query."""
    numbers = ", ".join(number for *_, number in QUESTIONS)
    with duckdb.connect() as connection:
        return [
            float(n) for n in connection.execute(f"SELECT {numbers} FROM read_parquet(?)", [str(file)]).fetchall()[0]
        ]


def timed(ask: Callable[..., list[float]], *arguments: Any) -> tuple[list[float], float, float]:
    """Give an answer with its seconds by the clock and of the processor."""
    started, started_cpu = time.perf_counter(), time.process_time()
    answer = ask(*arguments)
    return answer, time.perf_counter() - started, time.process_time() - started_cpu


def main() -> int:
    """Measure, print the table, and say by the exit code whether the bar was met."""
    problem = make_problem()
    with tempfile.TemporaryDirectory(prefix="mulgil-bench-") as folder:
        file = Path(folder) / "flights.parquet"
        duckdb.sql(f"COPY ({ROWS}) TO '{file}' (FORMAT parquet, COMPRESSION zstd)")
        expected, answer = ask_bare(file), ask_great_expectations(problem, file)
        rounds = [(timed(ask_great_expectations, problem, file), timed(ask_bare, file)) for _ in range(N_ROUNDS)]
    differing = [i for i, pair in enumerate(zip(answer, expected, strict=True)) if abs(pair[0] - pair[1]) > 1e-6]
    if differing:
        name, column, _, _ = QUESTIONS[differing[0]]
        print(f"{len(differing)} of {len(QUESTIONS)} numbers differ, the first is {name} of {column}.", file=sys.stderr)
        return 1
    ours, bare = ([statistics.median(run[who][i] for run in rounds) for i in (1, 2)] for who in (0, 1))
    ratios = [mine / theirs for mine, theirs in zip(ours, bare, strict=True)]
    is_met = max(ratios) <= BAR
    print(
        f"| {len(QUESTIONS)} expectations on {N_ROWS:,} rows | s, median of {N_ROUNDS} | processor s | bar | verdict |"
    )
    print("|---|---|---|---|---|")
    print(f"| audit by Great Expectations | {ours[0]:.2f} | {ours[1]:.2f} | | |")
    print(f"| one DuckDB query, the same numbers | {bare[0]:.2f} | {bare[1]:.2f} | | |")
    print(f"| ratio | {ratios[0]:.2f} | {ratios[1]:.2f} | <= {BAR:.0f} | {'met' if is_met else 'MISSED'} |")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
