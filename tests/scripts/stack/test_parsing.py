"""Which DAGs `make run` waits for: exactly those that the DAG files make, whatever sections the problems have."""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.errors import BadProblem
from include.problems.reading import read_problem_file
from scripts.stack import parsing
from scripts.stack.errors import StackError
from scripts.stack.home import REPO

PROBLEMS = REPO / "include" / "problems"
SECTIONS = ("quality", "label", "value", "baseline", "training", "review", "experiment", "monitor")
# One process for all folders: Airflow's own start would take a minute otherwise.
COMPARE = """
import json, logging, os, sys
from pathlib import Path
import airflow.sdk
from airflow.dag_processing.dagbag import BundleDagBag
from scripts.stack import parsing
logging.disable(logging.CRITICAL)
compared = {}
for folder in sys.argv[1:]:
    os.environ["MULGIL_PROBLEMS_DIR"] = folder
    dags = parsing.REPO / "dags"
    bag = BundleDagBag(dag_folder=str(dags), bundle_path=dags, bundle_name="dags")
    assert not bag.import_errors, bag.import_errors
    compared[Path(folder).name] = [sorted(parsing.expected_dags()), sorted(bag.dags)]
print("\\n" + json.dumps(compared))
"""


def whole_problems() -> Iterator[dict[str, Any]]:
    """Give problems with every section: labels from people, labels from the log, an experiment without any."""
    for name in ("ad_review", "flight_delay", "campaign"):
        yield yaml.safe_load((PROBLEMS / f"{name}.yaml").read_text())


def write_problem(folder: Path, fields: dict[str, Any]) -> bool:
    """Write a problem file, and say whether it is one; where it is none, nothing stays."""
    folder.mkdir(parents=True)
    path = folder / f"{fields['name']}.yaml"
    path.write_text(yaml.safe_dump(fields))
    try:
        read_problem_file(path)
    except BadProblem:
        path.unlink()
        folder.rmdir()
        return False
    return True


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[list[str]]]:
    """For each subset of sections that is a problem: the DAGs that are waited for, and those that are made."""
    root, home = tmp_path_factory.mktemp("subsets"), tmp_path_factory.mktemp("airflow")
    for whole in whole_problems():
        present = [name for name in SECTIONS if name in whole]
        for n_left_out in range(len(present) + 1):
            for left_out in itertools.combinations(present, n_left_out):
                fields = {name: value for name, value in whole.items() if name not in left_out}
                write_problem(root / f"{whole['name']} without {' '.join(left_out) or 'nothing'}", fields)
    (root / "none at all").mkdir()
    both = root / "an ingest beside a training"
    for whole in whole_problems():
        without = {name: value for name, value in whole.items() if name not in SECTIONS}
        write_problem(both / whole["name"], whole if whole["name"] == "flight_delay" else without)
        (both / whole["name"] / f"{whole['name']}.yaml").rename(both / f"{whole['name']}.yaml")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "MULGIL"))}
    own = {"AIRFLOW_HOME": str(home), "PYTHONPATH": f"{REPO}", "MULGIL_DEMO_REVIEWER": "1"}
    command = [sys.executable, "-c", COMPARE, *map(str, sorted(root.iterdir()))]
    finished = subprocess.run(command, env=kept | own, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr[-3000:]
    answer: dict[str, list[list[str]]] = json.loads(finished.stdout.splitlines()[-1])
    return answer


def test_every_subset_of_sections_waits_for_the_dags_that_are_made(compared: dict[str, list[list[str]]]):
    assert len(compared) > 20
    assert {name: waited for name, (waited, made) in compared.items() if waited != made} == {}


def test_subsets_differ_in_whether_anything_trains_or_listens(compared: dict[str, list[list[str]]]):
    kinds = {frozenset(name.rpartition("__")[2] for name in made) for _, made in compared.values()}
    assert frozenset() in kinds
    assert {"land", "ingest", "upkeep", "replay", "erase", "withdraw"} in kinds
    assert any("experiment" in kind and "rollback" not in kind for kind in kinds)
    assert any("rollback" in kind for kind in kinds)


def test_a_dag_that_is_unknown_or_was_read_before_the_change_is_stale():
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    parsed = {"a__land": moment, "gone__land": moment.replace(year=2020)}
    assert parsing.find_stale({"a__land", "b__land"}, parsed, moment.timestamp()) == {"b__land"}
    assert parsing.find_stale({"a__land"}, parsed, moment.timestamp() + 1) == {"a__land"}
    assert parsing.find_stale(set(), parsed, moment.timestamp()) == {"gone__land"}


def test_a_folder_without_problems_is_refused_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(tmp_path))
    with pytest.raises(StackError, match=r"holds no problem file.*MULGIL_PROBLEMS_DIR"):
        parsing.require_problems()
    (tmp_path / "broken.yaml").write_text("name: [")
    with pytest.raises(StackError, match=r"(?s)None of the 1 problem files.*broken.yaml"):
        parsing.require_problems()
    (tmp_path / "campaign.yaml").write_bytes((PROBLEMS / "campaign.yaml").read_bytes())
    parsing.require_problems()
