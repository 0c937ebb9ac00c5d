import pytest

from include.names import Single, Stage
from include.problems.reading import load_problem, read_problem_file
from include.problems.sections.experiment import Decide
from include.problems.stages import dag_ids_of, listeners_of, problems_offered, stages_of, with_logs
from tests.include.problems.conftest import OTHER_LOG


def test_a_problem_gets_only_the_stages_that_its_file_calls_for(write_problem):
    problem = read_problem_file(write_problem("experiment", None, training=None, monitor=None))
    assert stages_of(problem, is_demo_reviewer_on=True) == {Stage.LAND, Stage.INGEST, Stage.UPKEEP}


@pytest.mark.parametrize("section", ["training", "experiment", "monitor"])
def test_each_section_adds_its_own_stages_and_no_other(write_problem, section):
    of_experiments = {Stage.EXPERIMENT, Stage.EXPERIMENT_WATCH}
    added = {"training": {Stage.TRAIN}, "experiment": of_experiments, "monitor": {Stage.MONITOR}}[section]
    with_it = stages_of(read_problem_file(write_problem()), is_demo_reviewer_on=False)
    without = stages_of(read_problem_file(write_problem(section, None)), is_demo_reviewer_on=False)
    assert with_it - without == added


def test_recorded_truth_reviews_only_where_there_is_some_and_somebody_asked_for_it(write_problem):
    desk, log = load_problem("ad_review"), read_problem_file(write_problem())
    without_truth = desk.model_copy(update={"name": "mail_of_somebody"})
    assert Stage.DEMO_REVIEWER not in stages_of(without_truth, is_demo_reviewer_on=True)
    assert Stage.REVIEW in stages_of(without_truth, is_demo_reviewer_on=True)
    assert Stage.DEMO_REVIEWER in stages_of(desk, is_demo_reviewer_on=True)
    assert Stage.DEMO_REVIEWER not in stages_of(desk, is_demo_reviewer_on=False)
    assert Stage.DEMO_REVIEWER not in stages_of(log, is_demo_reviewer_on=True)


@pytest.mark.parametrize(
    ("problem", "hear_of_rows", "hear_of_models"),
    [
        ("ad_review", {Stage.REVIEW, Stage.MONITOR}, {Stage.REVIEW, Stage.MONITOR}),
        ("flight_delay", {Stage.TRAIN}, {Stage.MONITOR}),
        ("campaign", {Stage.EXPERIMENT}, set()),
    ],
)
def test_who_begins_with_what_another_stage_announces(problem, hear_of_rows, hear_of_models):
    assert listeners_of(load_problem(problem)) == {Stage.INGEST: hear_of_rows, Stage.TRAIN: hear_of_models}


def test_what_trains_nothing_or_waits_for_a_person_is_watched_from_the_lake():
    flights = load_problem("flight_delay")
    untrained = flights.model_copy(update={"training": None, "review": None})
    assert listeners_of(untrained) == {Stage.INGEST: {Stage.MONITOR}, Stage.TRAIN: set()}
    asked = flights.model_copy(update={"training": flights.training.model_copy(update={"approval": "required"})})
    assert listeners_of(asked)[Stage.INGEST] == {Stage.TRAIN, Stage.MONITOR}


def test_another_log_has_the_stages_of_a_problem_that_is_only_ingested(read):
    problem = read(sources={"refunds": OTHER_LOG})
    _, refunds = with_logs([problem])
    only_ingested = {Stage.LAND, Stage.INGEST, Stage.UPKEEP}
    assert (refunds.name, stages_of(refunds, is_demo_reviewer_on=True)) == ("rides.refunds", only_ingested)
    ids = dag_ids_of([problem], is_demo_reviewer_on=False)
    assert {"rides__ingest", "rides.refunds__ingest", "rides__train"} <= ids
    assert "rides.refunds__train" not in ids


def test_quarantine_is_replayed_log_by_log_and_a_person_erased_from_all_at_once(read):
    problem = read(sources={"refunds": OTHER_LOG})
    offered = {single: [one.name for one in problems_offered(single, [problem])] for single in Single}
    assert offered == {
        Single.ROLLBACK: ["rides"],
        Single.REPLAY: ["rides", "rides.refunds"],
        Single.ERASE: ["rides"],
        Single.WITHDRAW: ["rides", "rides.refunds"],
    }


def test_a_person_is_asked_only_where_an_experiment_asks_about_ties():
    campaign = load_problem("campaign")
    asking = campaign.experiment.model_copy(update={"decide": Decide(tie="ask"), "approver": "ada"})
    asked = campaign.model_copy(update={"experiment": asking})
    added = stages_of(asked, is_demo_reviewer_on=False) - stages_of(campaign, is_demo_reviewer_on=False)
    assert added == {Stage.EXPERIMENT_TIE}
