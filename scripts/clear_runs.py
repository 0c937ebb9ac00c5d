"""Clear the newest finished run of every DAG, as a person does in the Airflow UI; the next `make run` waits for them.

    python -m scripts.clear_runs

Nothing that was right may change by it: `scripts.assert_run --unchanged` asks that afterwards.
"""

from urllib.parse import quote

from scripts.stack.home import find_home
from scripts.stack.rest import Airflow
from scripts.stack.stack import open_stack


def clear_newest(airflow: Airflow, dag_id: str) -> str | None:
    """Clear the newest successful run of one DAG; name it, or None where there is none."""
    runs = airflow.ask(f"dags/{quote(dag_id)}/dagRuns?limit=1&order_by=-run_after&state=success")["dag_runs"]
    if not runs:
        return None
    run_id = str(runs[0]["dag_run_id"])
    airflow.ask(f"dags/{quote(dag_id)}/dagRuns/{quote(run_id, safe='')}/clear", "POST", {"dry_run": False})
    return run_id


def main() -> None:
    """Clear one run of each DAG."""
    stack = open_stack(find_home())
    airflow = stack.client
    for dag in airflow.dags():
        print(f"{dag['dag_id']}: cleared {clear_newest(airflow, dag['dag_id']) or 'nothing, no run succeeded yet'}")


if __name__ == "__main__":
    main()
