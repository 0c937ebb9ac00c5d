"""What one more partition costs when the table has 10 partitions already, and when it has 1,000.

    python -m bench.ingest_growth

Each of them was a commit of its own, as in a table that has been ingested hour by hour. The three steps of ingest then
run on new hours of 100,000 events each, in turn for the two tables, so that both see the same machine; the medians
count. Takes some minutes, nearly all of it for the thousand commits.
"""

import json
import statistics
import subprocess
import sys

from bench.event_log import PROBLEM, write_log
from bench.house import open_house

SIZES = {"few": 10, "many": 1_000}
N_EVENTS, N_RUNS = 100_000, 7
BAR_RATIO = 1.2

_FILL = """
import sys
from datetime import datetime, timedelta
import pyarrow as pa
from include.lake.row_expressions import events_schema
from include.lake.writing import replace_partition
from include.problems.reading import load_problem
problem = sys.argv[1]
schema = events_schema(load_problem(problem).source)
properties = {"mulgil.run_id": "r" * 40, "mulgil.manifest": "m" * 250, "mulgil.files": "f" * 150}
for i in range(int(sys.argv[2])):
    key = (datetime(2013, 2, 1) + timedelta(hours=i)).strftime("%Y-%m-%dT%H")
    rows = pa.Table.from_pylist([{"event_id": str(i), "_partition_key": key}], schema=schema)
    replace_partition(f"lake.{problem}", key, rows, properties)
"""
_INGEST = """
import json, time
from include.lake.steps import publish_partition, stage_partition
from include.landing.steps import find_new_partitions
from include.quality.steps import audit_partition
found = {problem: find_new_partitions(problem=problem)["partitions"] for problem in ("few", "many")}
seconds = {problem: [] for problem in found}
for keys in zip(*found.values(), strict=True):
    for problem, key in zip(found, keys, strict=True):
        one = {"problem": problem, "partition_key": key}
        started = time.perf_counter()
        staged = stage_partition(**one)
        publish_partition(staged=staged, audit=audit_partition(staged=staged, **one), **one)
        seconds[problem].append(time.perf_counter() - started)
print(json.dumps({problem: found[1:] for problem, found in seconds.items()}))  # the first loads libraries
"""


def measure() -> dict[str, float]:
    """Return the median seconds of ingesting a partition, by the table it goes into."""
    with open_house() as home:
        for name, size in SIZES.items():
            problem = PROBLEM.replace("name: app", f"name: {name}").replace("landing: app", f"landing: {name}")
            (home / "problems" / f"{name}.yaml").write_text(problem)
            for hour in range(N_RUNS + 1):
                key = f"2013-01-01T{hour:02d}"
                write_log(home / "landing" / name / f"{key}.jsonl", N_EVENTS, key)
            _run(_FILL, name, str(size))
        seconds: dict[str, list[float]] = json.loads(_run(_INGEST).splitlines()[-1])
    return {name: statistics.median(found) for name, found in seconds.items()}


def _run(program: str, *arguments: str) -> str:
    """Run one program in a process of its own."""
    finished = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    if finished.returncode:
        raise SystemExit(f"A measurement broke down:\n{finished.stderr[-3000:]}")
    return finished.stdout


def main() -> int:
    """Measure, print the table, and say by the exit code whether the bar was met."""
    seconds = measure()
    ratio = seconds["many"] / seconds["few"]
    print(f"| partitions in the table | ingest of {N_EVENTS:,} events, s, median of {N_RUNS} | bar | verdict |")
    print("|---|---|---|---|")
    for name, size in SIZES.items():
        print(f"| {size:,} | {seconds[name]:.3f} | | |")
    print(f"| ratio | {ratio:.2f} | <= {BAR_RATIO:g} | {'met' if ratio <= BAR_RATIO else 'MISSED'} |")
    return 0 if ratio <= BAR_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
