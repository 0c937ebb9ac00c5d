"""Steps that DAG files know by name."""

import inspect
import subprocess
import sys

import pytest

from include.errors import BadSettings
from include.lake import steps as lake
from include.settings import REPOSITORY
from steps_by_name import Steps

ROOMS = sorted(path.parent.name for path in (REPOSITORY / "include").glob("*/steps.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_a_step_looks_from_outside_like_the_one_it_stands_for(room: str):
    module = __import__(f"include.{room}.steps", fromlist=["steps"])
    by_name = Steps(room)
    names = [name for name, value in vars(module).items() if inspect.isfunction(value) and not name.startswith("_")]
    own = [name for name in names if getattr(module, name).__module__ == module.__name__]
    assert own
    for name in own:
        late, step = getattr(by_name, name), getattr(module, name)
        assert (late.__name__, late.__module__) == (name, module.__name__)
        assert inspect.cleandoc(late.__doc__ or "") == inspect.cleandoc(step.__doc__ or "")
        assert list(inspect.signature(late).parameters) == list(inspect.signature(step).parameters)


def test_a_step_that_does_not_exist_is_refused_when_the_dag_file_is_read():
    with pytest.raises(AttributeError, match=r"include/lake/steps.py has no step 'stage_nothing'; it has .*publish"):
        Steps("lake").stage_nothing  # noqa: B018


def test_calling_a_step_runs_the_one_of_the_room():
    with pytest.raises(BadSettings, match="MULGIL_WAREHOUSE_URL is empty"):
        Steps("lake").stage_partition(problem="nowhere", partition_key="2026-01-01", run_id="r")
    assert Steps("lake").stage_partition.__name__ == lake.stage_partition.__name__


def test_reading_the_dag_files_imports_no_room():
    code = (
        "import runpy, sys, airflow.sdk\n"
        "for name in ('land', 'ingest', 'train', 'review', 'erase', 'experiment', 'monitor'):\n"
        "    runpy.run_path(f'dags/{name}.py')\n"
        "print(sorted(m for m in sys.modules if m.startswith('include.') and m.endswith('.steps')))"
    )
    path = f"{REPOSITORY}:{REPOSITORY / 'dags'}"
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.stdout.splitlines()[-1:] == ["[]"], finished.stderr[-2000:]
