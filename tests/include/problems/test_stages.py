import pytest

from include.names import Stage
from include.problems.reading import load_problem, read_problem_file
from include.problems.stages import listeners_of, stages_of


def test_a_problem_gets_only_the_stages_that_its_file_calls_for(write_problem):
    problem = read_problem_file(write_problem("experiment", None, training=None, monitor=None))
    assert stages_of(problem, is_demo_reviewer_on=True) == {Stage.LAND, Stage.INGEST, Stage.UPKEEP}


@pytest.mark.parametrize("section", ["training", "experiment", "monitor"])
def test_each_section_adds_its_own_stage_and_no_other(write_problem, section):
    stage = {"training": Stage.TRAIN, "experiment": Stage.EXPERIMENT, "monitor": Stage.MONITOR}[section]
    with_it = stages_of(read_problem_file(write_problem()), is_demo_reviewer_on=False)
    without = stages_of(read_problem_file(write_problem(section, None)), is_demo_reviewer_on=False)
    assert with_it - without == {stage}


def test_recorded_truth_reviews_only_where_somebody_reviews_and_asked_for_it(write_problem):
    desk, log = load_problem("ad_review"), read_problem_file(write_problem())
    assert Stage.DEMO_REVIEWER in stages_of(desk, is_demo_reviewer_on=True)
    assert Stage.DEMO_REVIEWER not in stages_of(desk, is_demo_reviewer_on=False)
    assert Stage.DEMO_REVIEWER not in stages_of(log, is_demo_reviewer_on=True)


@pytest.mark.parametrize(
    ("problem", "hear_of_rows", "hear_of_models"),
    [
        ("ad_review", {Stage.REVIEW}, {Stage.REVIEW, Stage.MONITOR}),
        ("flight_delay", {Stage.TRAIN}, {Stage.MONITOR}),
        ("campaign", {Stage.EXPERIMENT}, set()),
    ],
)
def test_who_begins_with_what_another_stage_announces(problem, hear_of_rows, hear_of_models):
    assert listeners_of(load_problem(problem)) == {Stage.INGEST: hear_of_rows, Stage.TRAIN: hear_of_models}
