"""Names that cross doors: different problems never share one, and no name can be taken for another's."""

import itertools

import pytest

from include import names
from include.names import Arm, Coverage, Single, Stage
from include.problems.reading import read_problem_file
from include.settings import REPOSITORY

ASSETS = [
    names.landing_asset,
    names.lake_asset,
    names.labels_asset,
    names.batch_asset,
    names.model_asset,
    names.allocation_asset,
    names.alerts_asset,
]
TABLES = [names.events_table, names.predictions_table, names.ranking_table, names.quarantine_table]
# Names that look as if one held the other's suffix.
PROBLEMS = ["rides", "rides_land", "ride", "s", "rides_prediction", "land", "quarantine", "rides.land", "rides.refunds"]


def test_no_two_problems_share_an_asset_a_table_or_a_dag():
    for naming in (ASSETS, TABLES, [lambda problem, stage=stage: names.dag_id(problem, stage) for stage in Stage]):
        made = [make(problem) for make, problem in itertools.product(naming, PROBLEMS)]
        assert len(set(made)) == len(made)


def test_every_table_of_a_problem_or_of_its_other_log_names_whose_it_is():
    for make, problem in itertools.product(TABLES, PROBLEMS):
        assert names.owner_of_table(make(problem)) == problem


def test_no_dag_of_a_problem_is_named_like_one_that_stands_for_all():
    made = {names.dag_id(problem, stage) for problem in PROBLEMS for stage in Stage}
    assert made & {str(single) for single in Single} == set()


def test_every_dag_of_a_problem_or_of_its_other_log_names_its_file():
    for problem, stage in itertools.product(PROBLEMS, Stage):
        assert names.file_of_dag(names.dag_id(problem, stage)) == names.owner_of_log(problem)


def test_every_stage_and_every_single_dag_has_its_file():
    files = {path.stem for path in (REPOSITORY / "dags").glob("*.py")}
    shared = {"stage", "steps_by_name", "approval", "telling", "notifiers", "problem_files"}
    assert {str(dag) for dag in [*Stage, *Single]} == files - shared


@pytest.mark.parametrize("states", [Stage, Single, Coverage, Arm])
def test_a_state_is_written_as_it_is_stored(states):
    for state in states:
        assert str(state) == state.value == state.name.lower()


def test_columns_that_ingest_adds_can_never_be_columns_of_a_problem(tmp_path):
    text = (REPOSITORY / "include" / "problems" / "campaign.yaml").read_text("utf-8")
    added = [
        value
        for name, value in vars(names).items()
        if isinstance(value, str) and value.startswith("_") and name.isupper()
    ]
    assert len(added) >= 3
    for column in added:
        path = tmp_path / "campaign.yaml"
        path.write_text(text.replace("  columns:\n", f"  columns:\n    {column}: {{type: string}}\n", 1), "utf-8")
        with pytest.raises(Exception, match="is no name"):
            read_problem_file(path)
