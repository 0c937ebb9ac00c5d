"""Loads the DAG files once for all tests that ask about them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LOADER = Path(__file__).with_name("load_dags.py")

Loaded = dict[str, Any]


@pytest.fixture(scope="session")
def load_dags(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Loaded]:
    """Load the DAG files of a repository in a fresh process, with an Airflow home of its own and no database."""

    def load(repository: Path = REPOSITORY, **environment: str) -> Loaded:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "MULGIL", "PYTHON"))
        }
        own = {
            "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "PYTHONPATH": str(REPOSITORY),
        }
        finished = subprocess.run(
            [sys.executable, LOADER, repository],
            env=kept | own | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr[-3000:]
        return json.loads(finished.stdout.splitlines()[-1])

    return load


@pytest.fixture(scope="session")
def loaded(load_dags: Callable[..., Loaded]) -> Loaded:
    """Everything that this repository makes, the demo reviewer included."""
    return load_dags(MULGIL_DEMO_REVIEWER="1")
