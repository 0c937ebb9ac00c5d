import pytest


def test_only_problems_that_are_monitored_have_one(dags, no_dags, dags_beside_a_broken_file):
    assert dags.of("monitor") == {"ad_review", "flight_delay"} == dags_beside_a_broken_file.of("monitor")
    assert no_dags.of("monitor") == set()


@pytest.mark.parametrize(("problem", "scoring"), [("flight_delay", "score_partition"), ("ad_review", "score_pool")])
def test_labels_of_the_log_score_their_partition_and_labels_of_people_the_pool(dags, problem, scoring):
    tasks = dags.tasks(f"{problem}__monitor")
    assert tasks["measure_partition"]["after"] == [scoring]
    assert tasks["raise_alerts"]["after"] == ["measure_partition"]


def test_models_wake_it_and_where_models_may_be_late_the_lake_does_too(dags, dags_beside_a_broken_file):
    assert dags_beside_a_broken_file.woken_by("flight_delay__monitor") == ["model/flight_delay"]
    assert sorted(dags.woken_by("flight_delay__monitor")) == ["lake/flight_delay", "model/flight_delay"]
    assert sorted(dags.woken_by("ad_review__monitor")) == ["lake/ad_review", "model/ad_review"]


def test_a_problem_that_trains_nothing_is_measured_as_it_lands(load, write_problems):
    monitor = "monitor: {features: [age_years], reference_partitions: 1}\n\nexperiment:"
    untrained = load(write_problems(campaign=("experiment:", monitor)))
    assert untrained.woken_by("campaign__monitor") == ["lake/campaign"]
    tasks = untrained.tasks("campaign__monitor")
    assert {name: task["after"] for name, task in tasks.items()} == {
        "measure_partition": [],
        "raise_alerts": ["measure_partition"],
    }


def test_an_alert_is_announced_and_a_quiet_partition_is_not(dags):
    about = {"dag": "flight_delay__monitor", "task": "raise_alerts", "partition_key": "2013-05"}
    assert dags.outlets(about["dag"], about["task"]) == ["alerts/flight_delay"]
    assert dags.run(**about, outcome={"n_alerts": 2})["outlets"] == ["alerts/flight_delay"]
    quiet = dags.run(**about, outcome={"n_alerts": 0})
    assert (quiet["skipped"], quiet["outlets"]) == (None, [])


@pytest.mark.parametrize("problem", ["flight_delay", "ad_review"])
def test_any_task_that_fails_makes_the_run_red(dags, problem):
    dag = f"{problem}__monitor"
    assert dags.red_when_fails(dag) == set(dags.tasks(dag))
