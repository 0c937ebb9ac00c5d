"""What every task does before its step, in a process that Airflow has to itself."""

import json
import os
import subprocess
import sys

import pytest

from include.names import PII_CONNECTION
from include.settings import REPOSITORY

ASK = "from stage import borrow_pii_keys; from include.settings import read_settings; borrow_pii_keys()"
SHOW = "import json; print('\\n' + json.dumps(read_settings().pii_keys))"
CONNECTION = {"conn_type": "generic", "password": "kept by Airflow", "extra": {"older_keys": ["older", "oldest"]}}


@pytest.mark.parametrize(
    ("environment", "keys"),
    [
        ({"connection": CONNECTION}, ["kept by Airflow", "older", "oldest"]),
        ({"connection": CONNECTION, "MULGIL_PII_KEY": "own"}, ["own"]),
        ({"connection": CONNECTION | {"extra": None}}, ["kept by Airflow"]),
        ({}, [""]),
    ],
    ids=["a connection", "the environment goes first", "a connection without older keys", "neither"],
)
def test_the_keys_of_identifiers_come_from_the_environment_or_an_airflow_connection(tmp_path, environment, keys):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "MULGIL"))}
    kept |= {"AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'dags'}"}
    environment = dict(environment)
    if connection := environment.pop("connection", None):
        kept[f"AIRFLOW_CONN_{PII_CONNECTION.upper()}"] = json.dumps(connection)
    command = [sys.executable, "-c", f"{ASK}; {SHOW}"]
    finished = subprocess.run(command, env=kept | environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr[-3_000:]
    assert json.loads(finished.stdout.splitlines()[-1]) == keys
