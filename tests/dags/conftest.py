"""The DAG files, loaded for real in processes of their own: over several problems, over none, over a broken one."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from include.settings import REPOSITORY
from scripts.stack.selection import BY_DEFAULT

PROBLEMS = REPOSITORY / "include" / "problems"


class Dags:
    """What the DAG files made of a folder of problem files; single tasks of it can be run.

    Attributes:
        by_id: each DAG as `load_dags.describe` describes it, with its schedule.
        import_errors: file name to what Airflow shows for it.
        steps: full names of every step in `include/`.
    """

    def __init__(self, problems: Path, home: Path, environment: dict[str, str]) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AIRFLOW", "MULGIL", "PYTHON"))}
        own = {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'dags'}",
            "MULGIL_PROBLEMS_DIR": str(problems),
            "MULGIL_DEMO_REVIEWER": "1",
            "MULGIL_PII_KEY": "a key",
        }
        command = [sys.executable, REPOSITORY / "tests" / "dags" / "dag_player.py", REPOSITORY / "dags"]
        self._log = (home / "log").open("w+")
        self._process = subprocess.Popen(
            command,
            env=kept | own | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def read(self) -> None:
        """Wait until everything is loaded."""
        loaded = self._ask(do="describe")
        self.by_id: dict[str, Any] = loaded["dags"]
        self.import_errors = {Path(path).name: error for path, error in loaded["import_errors"].items()}
        self.steps = set(loaded["steps"])

    def run(self, dag: str, task: str, **question: Any) -> dict[str, Any]:
        """Run the body of one task with a step that gives `outcome` or raises `error`.

        Returns:
            called (each step with its arguments), announced (asset to keys), skipped, error, outcome.
        """
        return self._ask(do="run", dag=dag, task=task, **question)

    def of(self, stage: str) -> set[str]:
        """Name the problems that have a DAG of a stage."""
        return {name.removesuffix(f"__{stage}") for name in self.by_id if name.endswith(f"__{stage}")}

    def tasks(self, dag: str) -> dict[str, Any]:
        """Give the tasks of a DAG by their names."""
        return self.by_id[dag]["tasks"]

    def outlets(self, dag: str, task: str) -> list[str]:
        """Name the assets that a task may announce."""
        return [uri.split("://")[-1] for uri in self.tasks(dag)[task]["outlets"]]

    def woken_by(self, dag: str) -> list[str]:
        """Name the assets that start a DAG."""
        return [uri.split("://")[-1] for uri in self.by_id[dag]["woken_by"]]

    def red_when_fails(self, dag: str) -> set[str]:
        """Name the tasks whose failure makes the whole run red: a run is what its last tasks are."""
        tasks = self.tasks(dag)
        last = set(tasks) - {before for task in tasks.values() for before in task["after"]}
        return {task for task in tasks if any(_is_red(name, tasks, task) for name in last)}

    def _ask(self, **question: Any) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith("ANSWER "):
                return json.loads(line.removeprefix("ANSWER "))
        self._log.seek(0)
        raise AssertionError(self._log.read()[-3000:])

    def close(self) -> None:
        """End the process."""
        self._process.communicate()
        self._log.close()


def _is_red(name: str, tasks: dict[str, Any], failing: str) -> bool:
    """Say whether a task fails, or is never run, because one task fails."""
    if name == failing:
        return True
    is_any_red = any(_is_red(before, tasks, failing) for before in tasks[name]["after"])
    return is_any_red and tasks[name]["trigger_rule"] in {"all_success", "none_failed"}


@pytest.fixture(scope="session")
def load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Dags]]:
    """Load the DAG files over a folder of problem files; the processes end with the session."""
    loaded: list[Dags] = []

    def load_over(problems: Path, **environment: str) -> Dags:
        loaded.append(Dags(problems, tmp_path_factory.mktemp("airflow"), environment))
        loaded[-1].read()
        return loaded[-1]

    yield load_over
    for dags in loaded:
        dags.close()


@pytest.fixture(scope="session")
def write_problems(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Copy the files of the problems that run by default, with a text replaced where a test says so, beside truth.

    Another built-in problem changes no test of a stage.
    """

    def write(**replaced: tuple[str, str]) -> Path:
        folder = tmp_path_factory.mktemp("problems")
        (folder / "data").symlink_to(PROBLEMS / "data")
        for path in (PROBLEMS / f"{name}.yaml" for name in BY_DEFAULT):
            text = path.read_text(encoding="utf-8")
            old, new = replaced.get(path.stem, ("", ""))
            assert old in text
            (folder / path.name).write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")
        return folder

    return write


@pytest.fixture(scope="session")
def dags(load: Callable[..., Dags], write_problems: Callable[..., Path]) -> Dags:
    """Everything over several problems, of which one asks a person before a model serves, and one about ties."""
    asked = ("training:\n", "training:\n  approval: required\n")
    tied = ("experiment:\n", "experiment:\n  decide: {tie: ask, approval_timeout: P2D}\n  approver: ada\n")
    return load(write_problems(flight_delay=asked, campaign=tied))


@pytest.fixture(scope="session")
def no_dags(load: Callable[..., Dags], tmp_path_factory: pytest.TempPathFactory) -> Dags:
    """Everything over a folder without a problem."""
    return load(tmp_path_factory.mktemp("empty"))


@pytest.fixture(scope="session")
def dags_beside_a_broken_file(load: Callable[..., Dags], write_problems: Callable[..., Path]) -> Dags:
    """Everything where the file of `campaign` has a typing mistake."""
    return load(write_problems(campaign=("escalation:", "escalaton:")))
