import pytest

from include.landing.contracts import FoundPartitions

DAG = "flight_delay__land"


def found(*keys):
    return FoundPartitions(keys, keys, n_objects=3, n_rows=7, n_replaced=0, flaws={}).to_xcom()


def test_every_problem_has_one_and_it_runs_every_five_minutes(dags, no_dags, dags_beside_a_broken_file):
    assert dags.of("land") == {"ad_review", "campaign", "flight_delay"}
    assert {dags.by_id[f"{problem}__land"]["schedule"] for problem in dags.of("land")} == {"*/5 * * * *"}
    assert no_dags.of("land") == set()
    assert dags_beside_a_broken_file.of("land") == {"ad_review", "flight_delay"}


@pytest.mark.parametrize(
    ("task", "step", "asset"),
    [
        ("find_new_partitions", "find_new_partitions", "landing/flight_delay"),
        ("find_unheard_rows", "find_unheard_rows", "lake/flight_delay"),
        ("find_unheard_models", "find_unheard_models", "model/flight_delay"),
    ],
)
def test_each_partition_that_was_found_is_announced_once(dags, task, step, asset):
    answer = dags.run(DAG, task, outcome=found("2013-01", "2013-02"))
    assert (answer["announced"], answer["outlets"]) == ({asset: ["2013-01", "2013-02"]}, [asset])
    (call,) = answer["called"]
    assert call == {
        "step": f"include.landing.steps.{step}",
        "arguments": {"problem": "flight_delay", "run_id": "a-run"},
    }


def test_of_a_group_only_the_partition_whose_run_takes_the_others_along_is_announced(dags):
    outcome = FoundPartitions(("2013-01", "2013-02"), ("2013-01",), 3, 7, 0, {}).to_xcom()
    answer = dags.run(DAG, "find_new_partitions", outcome=outcome)
    assert answer["announced"] == {"landing/flight_delay": ["2013-01"]}


def test_finding_nothing_ends_green_and_announces_nothing(dags):
    answer = dags.run(DAG, "find_new_partitions", outcome=found())
    assert (answer["skipped"], answer["announced"], answer["outlets"]) == (None, {}, [])
    assert answer["outcome"]["reason"] == "nothing to ingest; objects read: 3"


def test_an_object_store_that_is_away_is_red_and_announces_nothing(dags):
    answer = dags.run(DAG, "find_new_partitions", error="BadLanding")
    assert (answer["error"], answer["announced"]) == ("BadLanding: as the test says", {})
    assert dags.red_when_fails(DAG) == {"find_new_partitions", "find_unheard_rows", "find_unheard_models"}


def test_a_problem_without_models_looks_for_no_lost_model(dags):
    assert set(dags.tasks("campaign__land")) == {"find_new_partitions", "find_unheard_rows"}


def test_what_an_older_step_left_is_red_and_not_taken_for_nothing(dags):
    answer = dags.run(DAG, "find_new_partitions", outcome={"keys": ["2013-01"]})
    assert answer["error"].startswith("BadHandover: 'partitions' is None")
    assert answer["announced"] == {}
