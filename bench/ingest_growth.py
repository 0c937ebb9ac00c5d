"""What one more partition costs when the table has 10 partitions already, and when it has 1,000.

    python -m bench.ingest_growth

Each of them was a commit of its own, as in a table that has been ingested hour by hour. The three steps of ingest then
run on new hours of 100,000 events each; the median of five counts. Takes some minutes, nearly all of it for the
thousand commits.
"""

import json
import statistics
import subprocess
import sys

from bench.event_log import PROBLEM, write_log
from bench.house import open_house

SIZES = (10, 1_000)
N_EVENTS, N_RUNS = 100_000, 5
BAR_RATIO = 1.2

_FILL = """
import sys
from datetime import datetime, timedelta
import pyarrow as pa
from include.lake.staging import events_schema
from include.lake.writing import replace_partition
from include.problems.reading import load_problem
schema = events_schema(load_problem("app").source)
properties = {"mulgil.run_id": "r" * 40, "mulgil.manifest": "m" * 250, "mulgil.files": "f" * 150}
for i in range(int(sys.argv[1])):
    key = (datetime(2013, 2, 1) + timedelta(hours=i)).strftime("%Y-%m-%dT%H")
    rows = pa.Table.from_pylist([{"event_id": str(i), "_partition_key": key}], schema=schema)
    replace_partition("lake.app", key, rows, properties)
"""
_INGEST = """
import json, sys, time
from include.lake.steps import publish_partition, stage_partition
from include.landing.steps import find_new_partitions
from include.quality.steps import audit_partition
seconds = []
for key in find_new_partitions(problem="app")["partitions"]:
    one = {"problem": "app", "partition_key": key}
    started = time.perf_counter()
    staged = stage_partition(**one)
    publish_partition(staged=staged, audit=audit_partition(staged=staged, **one), **one)
    seconds.append(time.perf_counter() - started)
print(json.dumps(seconds[1:]))  # the first one loads libraries
"""


def measure(n_partitions: int) -> float:
    """Return the median seconds of ingesting a partition into a table that has so many."""
    with open_house() as home:
        (home / "problems" / "app.yaml").write_text(PROBLEM)
        for hour in range(N_RUNS + 1):
            key = f"2013-01-01T{hour:02d}"
            write_log(home / "landing" / "app" / f"{key}.jsonl", N_EVENTS, key)
        _run(_FILL, str(n_partitions))
        seconds: list[float] = json.loads(_run(_INGEST).splitlines()[-1])
    return statistics.median(seconds)


def _run(program: str, *arguments: str) -> str:
    """Run one program in a process of its own."""
    finished = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    if finished.returncode:
        raise SystemExit(f"A measurement broke down:\n{finished.stderr[-3000:]}")
    return finished.stdout


def main() -> int:
    """Measure, print the table, and say by the exit code whether the bar was met."""
    few, many = (measure(size) for size in SIZES)
    is_met = many / few <= BAR_RATIO
    print(f"| partitions in the table | ingest of {N_EVENTS:,} events, s, median of {N_RUNS} | bar | verdict |")
    print("|---|---|---|---|")
    print(f"| {SIZES[0]:,} | {few:.3f} | | |")
    print(f"| {SIZES[1]:,} | {many:.3f} | | |")
    print(f"| ratio | {many / few:.2f} | <= {BAR_RATIO:g} | {'met' if is_met else 'MISSED'} |")
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
