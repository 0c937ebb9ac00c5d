"""What every task does before its step, in a process that Airflow has to itself."""

import json
import os
import subprocess
import sys

import pytest

from include.errors import BadSettings
from include.names import PII_CONNECTION
from include.settings import REPOSITORY, lend_pii_keys, read_settings

ASK = "from stage import borrow_pii_keys; from include.settings import read_settings; borrow_pii_keys()"
SHOW = "import json; print('\\n' + json.dumps(read_settings().pii_keys))"
CONNECTION = {"conn_type": "generic", "password": "kept by Airflow", "extra": {"older_keys": ["older", "oldest"]}}


OLDER = {"MULGIL_PII_OLDER_KEYS": "older,of the environment"}


def borrow(home, environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "MULGIL"))}
    kept |= {"AIRFLOW_HOME": str(home), "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'dags'}"}
    environment = dict(environment)
    if connection := environment.pop("connection", None):
        kept[f"AIRFLOW_CONN_{PII_CONNECTION.upper()}"] = json.dumps(connection)
    command = [sys.executable, "-c", f"{ASK}; {SHOW}"]
    return subprocess.run(command, env=kept | environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("environment", "keys"),
    [
        ({"connection": CONNECTION}, ["kept by Airflow", "older", "oldest"]),
        ({"connection": CONNECTION, "MULGIL_PII_KEY": "own"}, ["own"]),
        ({"connection": CONNECTION | {"extra": None}}, ["kept by Airflow"]),
        ({"connection": CONNECTION} | OLDER, ["kept by Airflow", "older", "oldest", "of the environment"]),
        ({}, [""]),
    ],
    ids=[
        "a connection",
        "the environment goes first",
        "a connection without older keys",
        "older keys in both places",
        "neither",
    ],
)
def test_the_keys_of_identifiers_come_from_the_environment_or_an_airflow_connection(tmp_path, environment, keys):
    finished = borrow(tmp_path, environment)
    assert finished.returncode == 0, finished.stderr[-3_000:]
    assert json.loads(finished.stdout.splitlines()[-1]) == keys


@pytest.mark.parametrize("older", ["hidden,secret", ["good", "hidden,secret"], ["good", ""], ["good", 7], None])
def test_older_keys_that_are_no_list_of_secrets_are_refused_and_not_shown(monkeypatch, older):
    monkeypatch.setenv("MULGIL_PII_KEY", "")
    monkeypatch.setenv("MULGIL_PII_OLDER_KEYS", "before")
    with pytest.raises(BadSettings, match=r"older_keys.*list of secrets") as refused:
        lend_pii_keys("newest", older)
    assert "hidden" not in str(refused.value)
    assert read_settings().pii_keys == ("", "before")
