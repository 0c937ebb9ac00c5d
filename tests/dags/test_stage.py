"""What every task does before its step, in a process that Airflow has to itself."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass

import pytest
from airflow.sdk import RetryAction

import stage
from include.errors import BadSettings, StaleAnswer
from include.names import PII_CONNECTION, Stage
from include.problems import reading
from include.problems.reading import load_problem
from include.settings import REPOSITORY, lent_pii_keys, read_settings

REAL = reading.read_problem_file

ASK = """
import json, os
from include.lake import steps
from include.settings import read_settings
from stage import borrowed_pii_keys
before = dict(os.environ)
with borrowed_pii_keys(steps.stage_partition):
    keys = read_settings().pii_keys
assert read_settings().pii_keys == read_settings(os.environ).pii_keys, "what was lent is given back"
assert {n: v for n, v in os.environ.items() if n.startswith("MULGIL")} == {
    n: v for n, v in before.items() if n.startswith("MULGIL")}, "nothing is written into the environment"
print("\\n" + json.dumps(keys))
"""
CONNECTION = {"conn_type": "generic", "password": "kept by Airflow", "extra": {"older_keys": ["older", "oldest"]}}


OLDER = {"MULGIL_PII_OLDER_KEYS": "older,of the environment"}


def borrow(home, environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "MULGIL"))}
    kept |= {"AIRFLOW_HOME": str(home), "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'dags'}"}
    environment = dict(environment)
    if connection := environment.pop("connection", None):
        kept[f"AIRFLOW_CONN_{PII_CONNECTION.upper()}"] = json.dumps(connection)
    command = [sys.executable, "-c", ASK]
    return subprocess.run(command, env=kept | environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("environment", "keys"),
    [
        ({"connection": CONNECTION}, ["kept by Airflow", "older", "oldest"]),
        ({"connection": CONNECTION, "MULGIL_PII_KEY": "own"}, ["own", "kept by Airflow", "older", "oldest"]),
        ({"connection": CONNECTION | {"password": ""}, "MULGIL_PII_KEY": "own"}, ["own", "older", "oldest"]),
        ({"connection": CONNECTION, "MULGIL_PII_KEY": "older"}, ["older", "kept by Airflow", "oldest"]),
        ({"connection": CONNECTION, "MULGIL_PII_KEY": "  "}, ["kept by Airflow", "older", "oldest"]),
        ({"connection": CONNECTION | {"extra": None}}, ["kept by Airflow"]),
        ({"connection": CONNECTION} | OLDER, ["kept by Airflow", "older", "oldest", "of the environment"]),
        ({}, [""]),
    ],
    ids=[
        "a connection",
        "the environment goes first and the connection's are recognised",
        "older keys alone in a connection",
        "the environment went back to an older key",
        "blanks are no key",
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
    with pytest.raises(BadSettings, match=r"older_keys.*list of secrets") as refused, lent_pii_keys("newest", older):
        pass
    assert "hidden" not in str(refused.value)
    assert read_settings().pii_keys == ("", "before")


def test_only_rooms_whose_steps_borrow_keys_read_them():
    readers = {
        f"include.{path.relative_to(REPOSITORY).parts[1]}.steps"
        for path in (REPOSITORY / "include").rglob("*.py")
        if re.search(r"settings(\(\))?\.pii_(older_)?keys?\b", path.read_text())
    }
    assert readers
    assert readers <= stage.HASHING_ROOMS


@dataclass(frozen=True)
class Counted:
    n_rows: int

    def to_xcom(self) -> dict[str, int]:
        return {"n_rows": self.n_rows}


def test_a_contract_is_handed_on_as_it_says_itself_plain_answers_unchanged():
    assert stage.handed_on(Counted(3)) == {"n_rows": 3}
    assert stage.handed_on({"n_rows": 4}) == {"n_rows": 4}


@pytest.mark.parametrize(("is_active", "is_paused"), [(True, False), (False, None)])
def test_only_a_problem_whose_file_says_so_begins_unpaused(is_active, is_paused):
    problem = load_problem("campaign").model_copy(update={"active": is_active})
    dag = stage.stage_dag(problem, Stage.LAND, "# Land\n\nLook.", schedule=None, max_active_runs=1)
    assert dag.is_paused_upon_creation is is_paused


def test_a_task_reads_its_own_problem_and_no_other_file(tmp_path, monkeypatch):
    problems = tmp_path / "problems"
    problems.mkdir()
    for name in ("campaign", "flight_delay"):
        (problems / f"{name}.yaml").write_text((REPOSITORY / "include" / "problems" / f"{name}.yaml").read_text())
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(problems))
    monkeypatch.setenv("MULGIL_HOME", str(tmp_path))
    read = []
    monkeypatch.setattr(reading, "read_problem_file", lambda path: read.append(path.stem) or REAL(path))
    assert [problem.name for problem in stage.problems_with(Stage.LAND)] == ["campaign", "flight_delay"]
    assert read == ["campaign", "flight_delay"]
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "flight_delay__land")
    read.clear()
    assert [problem.name for problem in stage.problems_with(Stage.LAND)] == ["flight_delay"]
    assert list(stage.problems_with(Stage.INGEST)) == []
    assert read == ["flight_delay", "flight_delay"]


def test_an_answer_to_what_has_changed_is_a_final_verdict():
    decision = stage.RETRY.evaluate(StaleAnswer("It has changed."), 1, 3)
    assert decision.action == RetryAction.FAIL
    assert stage.RETRY.evaluate(OSError("The line is down."), 1, 3).action != RetryAction.FAIL
