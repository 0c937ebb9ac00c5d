"""Load the DAG files in a process of its own and run single tasks of them, with steps that answer what a test says.

    python tests/dags/dag_player.py DAGS_FOLDER

Reads one question a line as JSON and answers each with one line. A DAG file knows when and in what order, never what:
so each step is replaced by one that notes how it was called, and gives the outcome or raises the error of the question.
"""

# ruff: noqa: T201
import importlib
import json
import logging
import sys
from functools import wraps
from pathlib import Path
from types import SimpleNamespace
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
ROOMS = sorted(
    path.parent.name for path in (REPOSITORY / "include").glob("*/steps.py") if path.parent.name != "warehouse"
)


class Player:
    """The loaded DAGs, and what the steps answer to the question that is being asked."""

    def __init__(self, folder: Path) -> None:
        self.outcome: dict[str, Any] = {}
        self.error: str | None = None
        self.called: list[dict[str, Any]] = []
        self.steps: set[str] = set()
        for room in ROOMS:
            self._replace_steps(importlib.import_module(f"include.{room}.steps"))
        from airflow.dag_processing.dagbag import BundleDagBag

        self.bag = BundleDagBag(dag_folder=str(folder), bundle_path=folder, bundle_name="dags")

    def _replace_steps(self, module: Any) -> None:
        for name, step in vars(module).items():
            if callable(step) and hasattr(step, "__wrapped__") and step.__module__ == module.__name__:
                self.steps.add(f"{module.__name__}.{name}")
                setattr(module, name, self._stand_in(f"{module.__name__}.{name}", step))

    def _stand_in(self, name: str, step: Any) -> Any:
        @wraps(step)
        def answer(**arguments: Any) -> dict[str, Any]:
            self.called.append({"step": name, "arguments": arguments})
            if self.error is not None:
                raise getattr(importlib.import_module("include.errors"), self.error)("as the test says")
            return self.outcome

        return answer

    def describe(self, _: dict[str, Any]) -> dict[str, Any]:
        """Say what was loaded: each DAG as the rules see it, with its schedule, and every import error."""
        from tests.architecture.load_dags import describe

        dags = {name: {**describe(dag), "schedule": _schedule_of(dag)} for name, dag in self.bag.dags.items()}
        return {"dags": dags, "import_errors": self.bag.import_errors, "steps": sorted(self.steps)}

    def run(self, question: dict[str, Any]) -> dict[str, Any]:
        """Run the body of one task."""
        self.outcome, self.error, self.called = question.get("outcome", {}), question.get("error"), []
        task = self.bag.dags[question["dag"]].get_task(question["task"])
        body = task.python_callable if hasattr(task, "python_callable") else task.partial_kwargs["python_callable"]
        announced: dict[str, list[str]] = {}
        context = {
            "dag_run": SimpleNamespace(
                run_id="a-run",
                dag_id=question["dag"],
                partition_key=question.get("partition_key"),
                triggering_user_name=question.get("user"),
            ),
            "params": question.get("params", {}),
            "outlet_events": _Announced(announced),
            "ti": SimpleNamespace(
                xcom_pull=lambda task_ids: question.get("before", {}).get(task_ids),
                # Of a task's own process: what a task leaves in it is what Airflow announces.
                task=SimpleNamespace(downstream_task_ids=task.downstream_task_ids, outlets=list(task.outlets)),
            ),
            "arguments": question.get("arguments", {}),
            "chosen_key": question.get("chosen_key"),
        }
        known = body.__code__.co_varnames[: body.__code__.co_argcount + body.__code__.co_kwonlyargcount]
        answer: dict[str, Any] = {"skipped": None, "error": None, "outcome": None}
        try:
            answer["outcome"] = body(**{name: value for name, value in context.items() if name in known})
        except Exception as error:
            kind = "skipped" if type(error).__name__ == "AirflowSkipException" else "error"
            answer[kind] = f"{type(error).__name__}: {error}"
        outlets = [asset.name for asset in context["ti"].task.outlets]
        return {**answer, "called": self.called, "announced": announced, "outlets": outlets}


def _schedule_of(dag: Any) -> str | None:
    """Name a cron expression as it was written, any other timetable by its class, and none at all by None."""
    written = dag.schedule
    return written if written is None or isinstance(written, str) else type(written).__name__


class _Announced:
    """Stands for what Airflow gives a task to announce partitions with."""

    def __init__(self, announced: dict[str, list[str]]) -> None:
        self.announced = announced

    def __getitem__(self, asset: Any) -> Any:
        keys = self.announced.setdefault(asset.name, [])
        return SimpleNamespace(add_partitions=keys.extend)


def main(folder: Path) -> None:
    """Load, then answer questions until there are no more."""
    logging.disable(logging.CRITICAL)
    player = Player(folder)
    for line in sys.stdin:
        question = json.loads(line)
        answer = getattr(player, question.pop("do"))(question)
        # What marks the line: Airflow may print others between.
        print("ANSWER " + json.dumps(answer, default=str), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
