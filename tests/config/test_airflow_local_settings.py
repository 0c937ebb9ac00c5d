"""What the scheduler imports before it forks tasks; read as Airflow reads it, in a process of its own."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from include.settings import REPOSITORY

FILE = REPOSITORY / "config" / "airflow_local_settings.py"
SHOW = (
    "import airflow_local_settings as s, gc, json, sys; print(json.dumps([sorted(sys.modules), gc.get_freeze_count()]))"
)


def load(*arguments: str) -> tuple[set[str], int]:
    """Import the file in a process that was started with these arguments; give its modules and frozen objects."""
    command = [sys.executable, "-c", SHOW, *arguments]
    environment = os.environ | {"PYTHONPATH": f"{FILE.parent}:{REPOSITORY}"}
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    modules, n_frozen = json.loads(finished.stdout.splitlines()[-1])
    return set(modules), n_frozen


def read_module():
    spec = importlib.util.spec_from_file_location("local_settings", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("arguments", "is_one"),
    [
        (["airflow", "scheduler"], True),
        (["airflow", "--verbose", "scheduler"], True),
        (["airflow", "api-server"], False),
        (["airflow", "dags", "trigger", "scheduler"], False),
        (["scheduler"], False),
        ([], False),
    ],
)
def test_only_the_scheduler_is_taken_for_one(arguments, is_one):
    assert read_module().is_scheduler(arguments) == is_one


def test_every_other_process_imports_nothing_heavy():
    modules, n_frozen = load("api-server")
    assert modules & {"pandas", "sklearn", "great_expectations", "duckdb"} == set()
    assert n_frozen == 0


def test_what_a_list_names_is_installed():
    """A name with a typing mistake would be passed over in silence, and each task would pay for it again."""
    for name in read_module().HEAVY:
        assert importlib.util.find_spec(name.split(".")[0]) is not None, name


@pytest.mark.slow
def test_a_scheduler_has_what_tasks_need_and_forks_share_it():
    modules, n_frozen = load("scheduler")
    missing = [name for name in read_module().HEAVY if name not in modules]
    assert missing == []
    assert n_frozen > 100_000
