"""What grows with the number of problems, partitions and coverage rows: the figures below docs/scale.md.

    python -m bench.scale [parsing | coverage | lake]

* parsing: all DAG files in one process, with 3 to 200 problems, each with every stage of `flight_delay`;
* coverage: what steps and pages ask `core.coverage`, with up to a million partitions of ten problems;
* lake: publishing one partition more, and reading one, of a table of up to 10,000 partitions.

Processor time of the measuring process, except where PostgreSQL does the work. Prints tables; nothing is a bar but the
parsing of 200 problems.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, text

from bench.house import open_house
from bench.parse_dags import LOADER, REPOSITORY
from include.names import Stage

N_PROBLEMS = (3, 50, 200)
BAR_PARSE_S = 30.0  # all DAGs of 200 problems
N_COVERAGE = (10_000, 100_000, 1_000_000)
N_PARTITIONS = (100, 1_000, 10_000)
N_IN_A_COMMIT = 500
N_ROWS = 10
START = datetime(2000, 1, 1, tzinfo=UTC)


def spent(act: Callable[[], object]) -> tuple[float, float]:
    """Give wall and processor seconds of one call."""
    wall, processor = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - wall, time.process_time() - processor


# ---------------------------------------------------------------- problems


def parse(n_problems: int, home: Path) -> dict[str, float]:
    """Parse all DAG files, each time in a fresh process: the first one binds the SQL of every file.

    Returns:
        n_dags; processor seconds: first_s, parse_s of every later time, task_s of one file that a task reads again to
        find its DAG; megabytes of the process.
    """
    folder = home / "problems"
    folder.mkdir(parents=True)
    example = (REPOSITORY / "include" / "problems" / "flight_delay.yaml").read_text()
    for number in range(n_problems):
        name = f"problem_{number:03d}"
        written = example.replace("name: flight_delay", f"name: {name}").replace(
            "landing: flight_delay", f"landing: {name}"
        )
        (folder / f"{name}.yaml").write_text(written)
    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(home / "airflow"),
        "PYTHONPATH": str(REPOSITORY),
        "MULGIL_HOME": str(home),
        "MULGIL_PROBLEMS_DIR": str(folder),
    }
    first, later = load(environment), load(environment)
    task = load(environment | {"_AIRFLOW_PARSING_CONTEXT_DAG_ID": "problem_000__ingest"})
    return {
        "n_dags": len(first["dags"]),
        "first_s": first["parse_cpu_s"],
        "parse_s": later["parse_cpu_s"],
        "task_s": task["parse_cpu_s"] / task["n_files"],
        "megabytes": later["peak_mb"],
    }


def load(environment: dict[str, str]) -> dict[str, Any]:
    """Parse all DAG files in a fresh process, and give what it says of itself."""
    command = [sys.executable, str(LOADER), str(REPOSITORY)]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    loaded: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    if loaded["import_errors"]:
        raise SystemExit(f"The DAG files cannot be measured, they do not load: {loaded['import_errors']}")
    return loaded


def measure_parsing() -> bool:
    """Print how parsing grows with problems, and say whether the bar was met."""
    print("| problems | DAGs | first parse, processor s | every later one | one file, by a task | memory, MB |")
    print("|---|---|---|---|---|---|")
    for n_problems in N_PROBLEMS:
        with TemporaryDirectory(prefix="mulgil-bench-") as home:
            found = parse(n_problems, Path(home))
        print(
            f"| {n_problems} | {found['n_dags']} | {found['first_s']:.1f} | {found['parse_s']:.1f} "
            f"| {found['task_s']:.2f} | {found['megabytes']:.0f} |",
            flush=True,
        )
    return found["first_s"] <= BAR_PARSE_S


# ---------------------------------------------------------------- partitions that are known


def fill_coverage(connection: Connection, n_rows: int) -> None:
    """Make `core.coverage` hold so many partitions of ten problems, hour by hour, all of them ingested."""
    connection.execute(text("TRUNCATE core.coverage"))
    connection.execute(
        text(
            "INSERT INTO core.coverage (problem, stage, partition_key, status, n_failures, updated_at_utc) "
            "SELECT 'problem_' || n % 10, stage, to_char(timestamp '2000-01-01' + (n / 10) * interval '1 hour', "
            "'YYYY-MM-DD\"T\"HH24'), 'done', 0, now() FROM generate_series(0, :last) AS n "
            "CROSS JOIN unnest(ARRAY['land', 'ingest']) AS stage"
        ),
        {"last": n_rows - 1},
    )
    connection.execute(text("ANALYZE core.coverage"))


def measure_coverage() -> None:
    """Print what questions about coverage cost."""
    from include.warehouse.coverage import done_partitions, settled_prefix
    from include.warehouse.database import open_warehouse

    print(
        "| partitions known | of one problem | its ingested ones, s | its settled ones, s | oldest waiting of all, s |"
    )
    print("|---|---|---|---|---|")
    with open_house():
        for n_rows in N_COVERAGE:
            with open_warehouse().begin() as connection:
                fill_coverage(connection, n_rows)
            with open_warehouse().connect() as connection:
                acts: Iterable[Callable[[], object]] = (
                    lambda: done_partitions(connection, "problem_1", Stage.INGEST),
                    lambda: settled_prefix(connection, "problem_1"),
                    lambda: connection.execute(text("SELECT * FROM bi.oldest_waiting")).all(),
                )
                seconds = [min(spent(act)[0] for _ in range(3)) for act in acts]
            print(f"| {n_rows:,} | {n_rows // 10:,} | {' | '.join(f'{one:.2f}' for one in seconds)} |", flush=True)


# ---------------------------------------------------------------- partitions of a table


def rows_of(keys: list[str]) -> pa.Table:
    """Give some rows of partitions."""
    placed = [key for key in keys for _ in range(N_ROWS)]
    return pa.table(
        {
            "_partition_key": placed,
            "_row_key": [f"{key}-{place % N_ROWS}" for place, key in enumerate(placed)],
            "value": [float(place) for place in range(len(placed))],
        }
    )


def measure_lake() -> None:
    """Print what publishing and reading cost in a table that has many partitions already."""
    from include.lake.catalog import load_table
    from include.lake.reading import list_partitions, open_rows
    from include.lake.writing import replace_partitions

    table = "mulgil.grown_events"
    keys = [f"{START + timedelta(hours=hour):%Y-%m-%dT%H}" for hour in range(max(N_PARTITIONS) + len(N_PARTITIONS))]
    print("| partitions | publish one more: wall s | processor s | read one, s | list all, s | manifests |")
    print("|---|---|---|---|---|---|")
    with open_house():
        n_written = 0
        for n_partitions in N_PARTITIONS:
            while n_written < n_partitions:
                some = keys[n_written : min(n_written + N_IN_A_COMMIT, n_partitions)]
                replace_partitions(table, some, rows_of(some))
                n_written += len(some)
            more = keys[n_written : n_written + 1]
            wall, processor = spent(lambda more=more: replace_partitions(table, more, rows_of(more)))  # type: ignore[misc]
            n_written += 1
            read = min(spent(lambda: open_rows(table, [keys[7]]).to_pyarrow())[0] for _ in range(3))
            listed = min(spent(lambda: list_partitions(table))[0] for _ in range(3))
            snapshot = load_table(table).current_snapshot()
            n_manifests = len(snapshot.manifests(load_table(table).io)) if snapshot else 0
            print(
                f"| {n_partitions:,} | {wall:.2f} | {processor:.2f} | {read:.2f} | {listed:.2f} | {n_manifests} |",
                flush=True,
            )


def main() -> int:
    """Measure what was asked for, or all; fail where a bar was missed."""
    asked = sys.argv[1:] or ["parsing", "coverage", "lake"]
    is_met = measure_parsing() if "parsing" in asked else True
    if "coverage" in asked:
        measure_coverage()
    if "lake" in asked:
        measure_lake()
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
