"""How long one process takes to parse every DAG file, as the DAG processor and every task do.

    python -m bench.parse_dags

The import of Airflow is not counted: it happens once per process, whatever the files hold. Prints one row of a table
and fails where the bar is missed.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
LOADER = REPOSITORY / "tests" / "architecture" / "load_dags.py"
# The DAG processor parses everything twice a minute on cores that tasks need: one second is a thirtieth of one core.
# Processor time, not wall time, so that a busy machine does not decide.
BAR_CPU_S = 1.0
N_RUNS = 5


def measure_once() -> dict[str, float]:
    """Parse all files in a fresh process.

    Returns:
        parse_s and parse_cpu_s in seconds, n_dags.
    """
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "AIRFLOW_HOME": home, "PYTHONPATH": str(REPOSITORY), "MULGIL_DEMO_REVIEWER": "1"}
        command = [sys.executable, str(LOADER), str(REPOSITORY)]
        finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    loaded = json.loads(finished.stdout.splitlines()[-1])
    if loaded["import_errors"]:
        raise SystemExit(f"The DAG files cannot be measured, they do not load: {loaded['import_errors']}")
    return {"n_dags": len(loaded["dags"])} | {name: loaded[name] for name in ("parse_s", "parse_cpu_s")}


def main() -> int:
    """Measure, print the row, and say by the exit code whether the bar was met."""
    runs = [measure_once() for _ in range(N_RUNS)]
    median = statistics.median(run["parse_cpu_s"] for run in runs)
    wall = statistics.median(run["parse_s"] for run in runs)
    is_met = median <= BAR_CPU_S
    print(f"| what | DAGs | processor s, median of {N_RUNS} | bar s | verdict | wall s, median |")
    print("|---|---|---|---|---|---|")
    print(
        f"| parse all DAG files in one process | {runs[0]['n_dags']} | {median:.2f} | {BAR_CPU_S:.1f} "
        f"| {'met' if is_met else 'MISSED'} | {wall:.2f} |"
    )
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
