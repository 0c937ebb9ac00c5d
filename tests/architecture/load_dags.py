"""Load DAG files as the DAG processor does, in a process of its own, and print what came out as JSON.

    python tests/architecture/load_dags.py REPOSITORY

No database is asked. The process is its own, so that Airflow's start and its home never touch the other tests.
"""

# ruff: noqa: T201
import json
import logging
import resource
import sys
import time
from pathlib import Path
from typing import Any

HEAVY = ["pandas", "numpy", "sklearn", "duckdb", "ibis", "great_expectations", "pyiceberg", "pyarrow", "scipy"]


def loaded_heavy() -> list[str]:
    """Name the heavy libraries that this process has imported."""
    return [name for name in HEAVY if name in sys.modules]


def assets_in(condition: Any) -> list[str]:
    """Name the assets of a schedule: one, several joined by "or", or none."""
    parts = getattr(condition, "objects", [condition])
    return sorted(part.uri for part in parts if hasattr(part, "uri"))


def refusal(dag: Any) -> str | None:
    """Say what the first task of a DAG with a form answers to a field that the form does not have; None without one."""
    (first, *_) = dag.roots
    if not dag.params:
        return None
    try:
        first.python_callable(dag_run=None, params={**dag.params.dump(), "nonsense": 1})
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "none"


def describe(dag: Any) -> dict[str, Any]:
    """Keep of a DAG what the rules ask about."""
    return {
        "tags": sorted(dag.tags),
        "doc_md": dag.doc_md,
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "woken_by": assets_in(getattr(dag.timetable, "asset_condition", None)),
        "params": dag.params.dump(),
        "refusal": refusal(dag),
        "schemas": {name: dag.params.get_param(name).schema for name in dag.params},
        "tasks": {
            task.task_id: {
                "owner": task.owner,
                "retries": task.retries,
                "doc_md": task.doc_md,
                "kind": type(task).__name__,
                "after": sorted(task.upstream_task_ids),
                "trigger_rule": str(getattr(task.trigger_rule, "value", task.trigger_rule)),
                "defaults": getattr(task, "defaults", None),
                "response_timeout_s": getattr(getattr(task, "response_timeout", None), "total_seconds", lambda: None)(),
                "outlets": [asset.uri for asset in task.outlets],
            }
            for task in dag.tasks
        },
    }


def main(repository: Path) -> None:
    """Load the DAG files of a repository."""
    import airflow.sdk  # noqa: F401 - what Airflow itself brings is not ours
    from airflow.dag_processing.dagbag import BundleDagBag

    logging.disable(logging.CRITICAL)
    before = loaded_heavy()
    started, started_cpu = time.perf_counter(), time.process_time()
    bag = BundleDagBag(dag_folder=str(repository / "dags"), bundle_path=repository / "dags", bundle_name="dags")
    seconds, seconds_cpu = time.perf_counter() - started, time.process_time() - started_cpu
    outcome = {
        "dags": {name: describe(dag) for name, dag in bag.dags.items()},
        "import_errors": bag.import_errors,
        "warnings": bag.captured_warnings,
        "heavy_before": before,
        "heavy_after": loaded_heavy(),
        "parse_s": seconds,
        "parse_cpu_s": seconds_cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "n_files": len(bag.dagbag_stats),
    }
    # The last line: Airflow may have logged above it.
    print("\n" + json.dumps(outcome))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
