"""What a small partition costs in ingest, alone and in a group with others.

    python -m bench.small_partitions [PARTITIONS [ROWS]]

A history of days is landed at once, one object a day. `land` forms the groups; then each run's three steps are called
one run after the other, as its tasks call them, in one process that has loaded its libraries; some of the days are
ingested again, each alone. Processor time is of all threads of that process: what the warehouse and Airflow use is not
in it, and the wall time is of one process where Airflow runs up to four.
"""

import json
import subprocess
import sys
from datetime import date, timedelta

from bench.event_log import PROBLEM, write_log
from bench.house import open_house

N_PARTITIONS, N_ROWS, N_ALONE = 365, 1_000, 12
BAR_PROCESSOR_S, BAR_WALL_S = 0.5, 60.0

_INGEST = """
import json, sys, time
from include.lake import steps as lake
from include.landing.steps import find_new_partitions
from include.quality import audit, steps as quality
def timed(step, **arguments):
    wall, processor = time.perf_counter(), time.process_time()
    outcome = step(**arguments)
    return outcome, (time.perf_counter() - wall, time.process_time() - processor)
def add(name, spent):
    before = seconds.get(name, (0, 0))
    seconds[name] = (before[0] + spent[0], before[1] + spent[1])
seconds = {}
found, spent = timed(find_new_partitions, problem="app")
add("land", spent)
for key in found["announced"]:
    one = {"problem": "app", "partition_key": key, "run_id": "group"}
    staged, spent = timed(lake.stage_group, **one)
    add("stage", spent)
    audited, spent = timed(quality.audit_group, staged=staged, **one)
    add("audit", spent)
    done, spent = timed(lake.publish_group, staged=staged, audit=audited, **one)
    add("publish", spent)
for key in found["partitions"][:int(sys.argv[1])]:
    one = {"problem": "app", "partition_key": key, "run_id": "alone"}
    staged, spent = timed(lake.stage_partition, **one)
    add("stage, alone", spent)
    audited, spent = timed(quality.audit_partition, staged=staged, **one)
    add("audit, alone", spent)
    done, spent = timed(lake.publish_partition, staged=staged, audit=audited, **one)
    add("publish, alone", spent)
print(json.dumps({"groups": len(found["announced"]), "seconds": seconds}))
"""


def measure(n_partitions: int, n_rows: int) -> tuple[int, dict[str, tuple[float, float]]]:
    """Return how many groups there were, and wall and processor seconds of each step over all partitions."""
    with open_house() as home:
        (home / "problems" / "app.yaml").write_text(PROBLEM.replace("grain: hour", "grain: day"))
        for number in range(n_partitions):
            day = (date(2013, 1, 1) + timedelta(days=number)).isoformat()
            write_log(home / "landing" / "app" / f"{day}.jsonl", n_rows, f"{day}T05")
        program = [sys.executable, "-c", _INGEST, str(min(N_ALONE, n_partitions))]
        finished = subprocess.run(program, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise SystemExit(f"The measurement broke down:\n{finished.stderr[-3000:]}")
    found = json.loads(finished.stdout.splitlines()[-1])
    return found["groups"], found["seconds"]


def main() -> int:
    """Measure, print the table, and say by the exit code whether the bars were met."""
    given = [int(word) for word in sys.argv[1:] if word.isdigit()][:2]
    n_partitions, n_rows = [*given, *(N_PARTITIONS, N_ROWS)[len(given) :]]
    n_groups, seconds = measure(n_partitions, n_rows)
    n_alone = min(N_ALONE, n_partitions)
    history = f"{n_partitions} partitions of {n_rows:,} rows, {n_groups} groups"
    print(f"| step | {history}: wall, s | processor, s, each | alone |")
    print("|---|---|---|---|")
    for name in ("land", "stage", "audit", "publish"):
        alone = f"{seconds[f'{name}, alone'][1] / n_alone:.3f}" if f"{name}, alone" in seconds else ""
        print(f"| {name} | {seconds[name][0]:.1f} | {seconds[name][1] / n_partitions:.3f} | {alone} |")
    wall_s, processor_s = (sum(seconds[name][at] for name in ("land", "stage", "audit", "publish")) for at in (0, 1))
    each_s = processor_s / n_partitions
    verdicts = [(wall_s, BAR_WALL_S), (each_s, BAR_PROCESSOR_S)]
    said = ["met" if found <= bar else "MISSED" for found, bar in verdicts]
    print(f"| all | {wall_s:.1f} (<= {BAR_WALL_S:g}: {said[0]}) | {each_s:.3f} (<= {BAR_PROCESSOR_S:g}: {said[1]}) | |")
    return 0 if said == ["met", "met"] else 1


if __name__ == "__main__":
    sys.exit(main())
