"""How fast, and in how much memory, one landing object becomes an audited, published Iceberg partition.

    python -m bench.ingest

Side by side in one run on the same file of JSON lines: the three steps of ingest, each in one process that has loaded
its libraries (as a task of Airflow's has); DuckDB's bare `read_json` to Parquet, both three times in turn, of which the
median counts; and dlt's filesystem pipeline, once. Then the peak memory of a process that ingests 1 GB, and of one that
ingests 8 GB. Needs 20 GB of free disk and ten minutes.
"""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.event_log import PARTITION, PROBLEM, write_log
from bench.house import open_house
from bench.peer_environment import PEERS, peer_python

N_EVENTS, N_RUNS = 5_000_000, 3
BYTES_PER_EVENT = 166
# Half of what the bare engine does: the other half is typing by rule, accounting for every row, the audit and a commit.
BAR_BARE, BAR_DLT = 0.5, 15.0
BAR_GROWTH, BAR_PEAK_MB = 1.25, 1_536

_OURS = """
import json, resource, sys, time
import great_expectations, ibis, pyiceberg.table  # a task of Airflow's finds them loaded
from include.engine.session import open_engine
from include.lake import partition_staging
from include.lake.catalog import open_catalog
from include.lake.steps import publish_partition, stage_partition
from include.landing.steps import find_new_partitions
from include.quality import audit
from include.quality.steps import audit_partition
open_engine(); open_catalog()
def timed(step, **more):
    started = time.perf_counter()
    done = step(problem="app", **more)
    return done, time.perf_counter() - started
found, land_s = timed(find_new_partitions)
key = {"partition_key": sys.argv[1]}
cpu_started = time.process_time()
staged, stage_s = timed(stage_partition, **key)
audit, audit_s = timed(audit_partition, staged=staged, **key)
done, publish_s = timed(publish_partition, staged=staged, audit=audit, **key)
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"land_s": land_s, "stage_s": stage_s, "audit_s": audit_s, "publish_s": publish_s,
                  "cpu_s": time.process_time() - cpu_started,
                  "seconds": stage_s + audit_s + publish_s, "n_rows": done["n_published"], "peak_mb": peak_mb}))
"""
_BARE = """
import json, resource, sys, time
import duckdb
with duckdb.connect() as connection:
    started, cpu_started = time.perf_counter(), time.process_time()
    connection.execute(f"COPY (SELECT * FROM read_json('{sys.argv[1]}')) TO '{sys.argv[2]}' (FORMAT parquet)")
    seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu_started
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": seconds, "cpu_s": cpu_s, "peak_mb": peak_mb}))
"""


def run(python: Path | str, *arguments: str) -> dict[str, float]:
    """Run one measurement in a process of its own; its last line is what it found."""
    finished = subprocess.run([python, *arguments], capture_output=True, text=True, check=False)
    if finished.returncode:
        raise SystemExit(f"A measurement broke down:\n{finished.stderr[-3000:]}")
    found: dict[str, float] = json.loads(finished.stdout.splitlines()[-1])
    return found


def ingest(home: Path, log: Path, n_events: int) -> dict[str, float]:
    """Ingest a log of so many events into the empty lake of a new house."""
    (home / "problems" / "app.yaml").write_text(PROBLEM)
    landed = home / "landing" / "app" / "events.jsonl"
    landed.parent.mkdir(parents=True)
    landed.hardlink_to(log)
    found = run(sys.executable, "-c", _OURS, PARTITION)
    if found["n_rows"] != n_events:
        raise SystemExit(f"Of {n_events} events, {found['n_rows']} were published.")
    return found


def measure_speed(n_events: int) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """Take one file through ingest and through the bare engine, in turn, and once through dlt.

    Returns:
        the run of the median for ingest and for the engine, and dlt's.
    """
    ours, bare = [], []
    with TemporaryDirectory(prefix="mulgil-bench-") as folder:
        log = Path(folder) / "events.jsonl"
        write_log(log, n_events)
        for _ in range(N_RUNS):
            with open_house() as home:
                ours.append(ingest(home, log, n_events))
            bare.append(run(sys.executable, "-c", _BARE, str(log), f"{folder}/bare.parquet"))
        dlt = run(peer_python("dlt"), str(PEERS / "dlt_pipeline.py"), str(log), folder)
    return *(sorted(found, key=lambda one: one["seconds"])[N_RUNS // 2] for found in (ours, bare)), dlt


def measure_peak(n_bytes: int) -> float:
    """Return the peak memory, in MB, of a process that ingests one object of about so many bytes."""
    n_events = n_bytes // BYTES_PER_EVENT
    with TemporaryDirectory(prefix="mulgil-bench-") as folder, open_house() as home:
        log = Path(folder) / "events.jsonl"
        write_log(log, n_events)
        return ingest(home, log, n_events)["peak_mb"]


def main() -> int:
    """Measure, print the table, and say by the exit code whether every bar was met."""
    ours, bare, dlt = measure_speed(N_EVENTS)
    peaks = [measure_peak(n_gb << 30) for n_gb in (1, 8)]
    steps = ", ".join(f"{name} {ours[f'{name}_s']:.1f}" for name in ("stage", "audit", "publish"))
    rows = [
        (f"ingest of {N_EVENTS:,} events, s ({steps})", f"{ours['seconds']:.1f}", "", True),
        ("land, s (before it: counting by partition)", f"{ours['land_s']:.1f}", "", True),
        ("DuckDB's bare read_json to Parquet, s", f"{bare['seconds']:.1f}", "", True),
        ("dlt, filesystem to Parquet, s", f"{dlt['seconds']:.1f}", "", True),
        ("processor s, ingest and bare DuckDB", f"{ours['cpu_s']:.1f} and {bare['cpu_s']:.1f}", "", True),
        # By processor time: both use all cores, and on a busy machine the clock says whatever it likes.
        _at_least("speed of ingest / bare DuckDB", bare["cpu_s"] / ours["cpu_s"], BAR_BARE),
        _at_least("speed of ingest / dlt", dlt["seconds"] / ours["seconds"], BAR_DLT),
        _at_most("peak memory, 1 GB object, MB", peaks[0], BAR_PEAK_MB),
        _at_most("peak memory, 8 GB object, MB", peaks[1], BAR_PEAK_MB),
        _at_most("peak memory, 8 GB / 1 GB", peaks[1] / peaks[0], BAR_GROWTH),
    ]
    print("| what | found | bar | verdict |\n|---|---|---|---|")
    for what, found, bar, is_met in rows:
        print(f"| {what} | {found} | {bar} | {'' if not bar else 'met' if is_met else 'MISSED'} |")
    return 0 if all(is_met for *_, is_met in rows) else 1


def _at_least(what: str, found: float, bar: float) -> tuple[str, str, str, bool]:
    """Make a row of what should be large."""
    return what, f"{found:.2f}", f">= {bar:g}", found >= bar


def _at_most(what: str, found: float, bar: float) -> tuple[str, str, str, bool]:
    """Make a row of what should be small."""
    return what, f"{found:,.2f}", f"<= {bar:,g}", found <= bar


if __name__ == "__main__":
    sys.exit(main())
