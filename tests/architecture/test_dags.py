"""The DAG files, loaded as the DAG processor loads them."""

import re
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from include import names
from include.names import Single, Stage
from include.problems.reading import load_problems
from include.problems.recorded_truth import truth_path
from include.problems.stages import dag_ids_of, listeners_of
from include.settings import read_settings
from tests.architecture import rules
from tests.architecture.conftest import REPOSITORY

Loaded = dict[str, Any]
PROBLEMS = REPOSITORY / "include" / "problems"


def expected_dags(*, is_demo_reviewer_on: bool, folder: Path = PROBLEMS) -> set[str]:
    """Name the DAGs that the problem files call for."""
    problems, _ = load_problems(folder)
    return set(dag_ids_of(problems, is_demo_reviewer_on=is_demo_reviewer_on))


def test_every_dag_that_a_problem_calls_for_is_made_and_no_other(loaded: Loaded):
    assert loaded["import_errors"] == {}
    assert loaded["dags"].keys() == expected_dags(is_demo_reviewer_on=True)
    assert len(loaded["dags"]) >= 13


def test_the_demo_reviewer_exists_only_where_it_is_asked_for(load_dags: Callable[..., Loaded], loaded: Loaded):
    ids = load_dags()["dags"].keys()
    answered = [problem.name for problem in load_problems()[0] if truth_path(read_settings(), problem.name).is_file()]
    assert loaded["dags"].keys() - ids == {names.dag_id(name, Stage.DEMO_REVIEWER) for name in answered}
    assert answered == ["ad_review", "penguins"]


def test_no_dag_file_warns(loaded: Loaded):
    assert loaded["warnings"] == {}


def test_every_dag_has_its_page_its_red_note_its_owner_and_its_retries(loaded: Loaded):
    faults = {name: rules.dag_faults(dag) for name, dag in loaded["dags"].items()}
    assert {name: found for name, found in faults.items() if found} == {}


def test_every_dag_says_how_many_runs_go_at_once(loaded: Loaded):
    assert {dag["max_active_runs"] for dag in loaded["dags"].values()} <= {1, 4}


def test_no_dag_file_brings_a_heavy_library_that_airflow_did_not(loaded: Loaded):
    assert set(loaded["heavy_after"]) - set(loaded["heavy_before"]) == set()


def test_a_heavy_library_in_a_dag_file_is_found(load_dags: Callable[..., Loaded], tmp_path: Path):
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "fat.py").write_text("from airflow.sdk import DAG\nimport duckdb\n")
    fat = load_dags(tmp_path)
    assert fat["import_errors"] == {}
    assert "duckdb" in set(fat["heavy_after"]) - set(fat["heavy_before"])


@pytest.mark.parametrize(
    ("written", "broken", "field", "remedy"),
    [
        ("escalation:", "escalaton:", "escalaton", "unknown key; remove it"),
        ("  grain: day", "  grain: fortnight", "source.grain", "'hour', 'day' or 'month'"),
        ("ExpectTableRowCountToBeBetween", "ExpectTableRowCountToBeBetwen", "quality.expectations.0", "did you mean"),
        ("column: age_years", "column: age_yers", "quality.expectations", "did you mean 'age_years'"),
        ("name: campaign", "name: flight_delay", "name", "Rename"),
    ],
    ids=["unknown key", "wrong type", "unknown expectation", "missing column", "two problems with one name"],
)
def test_a_broken_file_is_one_import_error_and_other_problems_keep_their_dags(
    load_dags: Callable[..., Loaded], tmp_path: Path, written: str, broken: str, field: str, remedy: str
):
    folder = shutil.copytree(
        PROBLEMS, tmp_path / "problems", ignore=shutil.ignore_patterns("*.py", "data", "__pycache__")
    )
    text = (folder / "campaign.yaml").read_text(encoding="utf-8")
    assert written in text
    (folder / "campaign.yaml").write_text(text.replace(written, broken, 1), encoding="utf-8")

    loaded = load_dags(MULGIL_PROBLEMS_DIR=str(folder))

    (error,) = loaded["import_errors"].values()
    assert "campaign.yaml" in error
    assert field in error
    assert remedy in error
    others = {dag for dag in expected_dags(is_demo_reviewer_on=False) if not dag.startswith("campaign__")}
    assert loaded["dags"].keys() == others


def test_approval_comes_after_the_gate_and_before_anything_is_announced(
    load_dags: Callable[..., Loaded], loaded: Loaded, tmp_path: Path
):
    folder = shutil.copytree(
        PROBLEMS, tmp_path / "problems", ignore=shutil.ignore_patterns("*.py", "data", "__pycache__")
    )
    text = (folder / "flight_delay.yaml").read_text(encoding="utf-8")
    text = text.replace("training:\n", "training:\n  approval: required\n  approval_timeout: PT6H\n", 1)
    (folder / "flight_delay.yaml").write_text(text, encoding="utf-8")

    asked = load_dags(MULGIL_PROBLEMS_DIR=str(folder))

    assert asked["import_errors"] == {}
    dag = names.dag_id("flight_delay", Stage.TRAIN)
    faults = rules.dag_faults(asked["dags"][dag])
    assert faults == []
    tasks, usual = asked["dags"][dag]["tasks"], loaded["dags"][dag]["tasks"]
    answer = tasks["approve"]
    assert (answer["kind"], answer["defaults"], answer["response_timeout_s"]) == (
        "ApprovalOperator",
        ["Reject"],
        21_600,
    )
    chain = ["decide_promotion", "open_approval", "approve", "approved", "record_approval", "list_scorable"]
    for before, after in pairwise(chain):
        assert before in tasks[after]["after"], (before, after)
    # A no skips what follows directly; the task that writes it down must not be that.
    assert "approve" not in tasks["record_approval"]["after"]
    assert tasks["record_approval"]["trigger_rule"] == "all_done"
    assert set(tasks) - set(usual) == {"open_approval", "approve", "approved", "record_approval", "finished"}


def test_the_rollback_has_a_typed_form_and_announces_for_the_chosen_problem_alone(loaded: Loaded):
    dag = loaded["dags"][Single.ROLLBACK]
    trained = [problem.name for problem in load_problems()[0] if problem.training is not None]
    assert dag["schemas"]["problem"]["enum"] == trained
    assert dag["params"]["to_version"] == "previous"
    assert dag["schemas"]["reason"]["minLength"] == 5
    for problem in trained:
        task = dag["tasks"][f"list_rescorable__{problem}"]
        assert task["after"] == ["roll_back"]
        assert [uri.split("://")[-1] for uri in task["outlets"]] == [names.model_asset(problem)]


def test_erasure_takes_a_token_and_no_name_and_ends_with_a_scan(loaded: Loaded):
    dag = loaded["dags"][Single.ERASE]
    assert dag["schemas"]["problem"]["enum"] == [problem.name for problem in load_problems()[0]]
    assert dag["schemas"]["reason"]["minLength"] == 5
    shape = dag["schemas"]["subject"]["pattern"]
    token = f"{'0a' * 4}:{'1b' * 16}"
    assert [bool(re.search(shape, text)) for text in (token, f"{token},{token}")] == [True, True]
    for name in ("jane@example.org", "P-1", "555-1234", f"jane {token}", f"{token},jane"):
        assert not re.search(shape, name), name
    assert dag["tasks"]["prove_erased"]["after"] == ["erase_subject"]


def test_landing_announces_again_exactly_to_those_that_listen(loaded: Loaded):
    """`listeners_of` says who begins with what; the DAGs' own schedules must say the same."""
    assets = {Stage.INGEST: names.lake_asset, Stage.TRAIN: names.model_asset}
    problems, _ = load_problems()
    for problem in problems:
        land = loaded["dags"][names.dag_id(problem.name, Stage.LAND)]["tasks"]
        outlets = {uri.split("://")[-1] for task in land.values() for uri in task["outlets"]}
        for announced_by, listeners in listeners_of(problem).items():
            asset = assets[announced_by](problem.name)
            woken = {
                name for name, dag in loaded["dags"].items() if asset in {u.split("://")[-1] for u in dag["woken_by"]}
            }
            assert woken == {names.dag_id(problem.name, stage) for stage in listeners}
            assert (asset in outlets) == bool(listeners)


def test_the_replay_has_a_typed_form_and_announces_beside_a_red_partition(loaded: Loaded):
    dag = loaded["dags"][Single.REPLAY]
    assert {"ad_review", "flight_delay", "campaign"} <= set(dag["schemas"]["problem"]["enum"])
    assert (dag["schemas"]["partitions"]["type"], dag["params"]["partitions"]) == ("array", [])
    assert dag["schemas"]["reason"]["minLength"] == 5
    assert dag["tasks"]["publish_replay"]["after"] == ["choose_quarantined"]
    for problem in dag["schemas"]["problem"]["enum"]:
        task = dag["tasks"][f"list_replayed__{problem}"]
        assert (task["after"], task["trigger_rule"]) == (["publish_replay"], "all_done")
        assert [uri.split("://")[-1] for uri in task["outlets"]] == [names.lake_asset(problem)]
    # What is announced afterwards must not paint a red run green.
    assert dag["tasks"]["finished"]["after"] == ["publish_replay"]
    assert dag["tasks"]["finished"]["trigger_rule"] == "all_success"


@pytest.mark.parametrize(("single", "fields"), [(Single.REPLAY, "partitions, reason"), (Single.ROLLBACK, "reason")])
def test_a_field_that_is_not_on_the_form_is_refused_with_those_that_are(loaded: Loaded, single: Single, fields: str):
    refusal = loaded["dags"][single]["refusal"]
    assert "BadForm: 1 of the 4 fields" in refusal
    assert "'nonsense'" in refusal
    assert fields in refusal
    assert {dag["refusal"] for name, dag in loaded["dags"].items() if name not in set(Single)} == {None}


def test_a_mined_rule_is_asked_about_and_silence_is_a_no(loaded: Loaded):
    assert {dag for dag in loaded["dags"] if dag.endswith(f"__{Stage.RULES}")} == {
        names.dag_id("ad_review", Stage.RULES)
    }
    tasks = loaded["dags"][names.dag_id("ad_review", Stage.RULES)]["tasks"]
    assert (tasks["approve"]["kind"], tasks["approve"]["defaults"]) == ("ApprovalOperator", ["Reject"])
    for before, after in pairwise(["mine_rule", "approve", "approved", "record_rule"]):
        assert before in tasks[after]["after"], (before, after)
    assert tasks["record_rule"]["trigger_rule"] == "all_done"
