DAG = "campaign__experiment"


def test_only_a_problem_with_an_experiment_has_one(dags, no_dags, dags_beside_a_broken_file):
    assert dags.of("experiment") == {"campaign"}
    assert dags_beside_a_broken_file.of("experiment") == set()
    assert no_dags.of("experiment") == set()


def test_a_lake_partition_starts_it_and_windows_are_decided_in_turn(dags):
    assert dags.woken_by(DAG) == ["lake/campaign"]
    assert dags.by_id[DAG]["max_active_runs"] == 1


def test_each_window_whose_shares_are_set_is_announced(dags):
    answer = dags.run(DAG, "update_experiment", partition_key="2005-01", outcome={"windows": ["2005-02", "2005-03"]})
    assert answer["announced"] == {"allocation/campaign": ["2005-02", "2005-03"]}


def test_a_reward_that_contradicts_the_experiment_is_red_and_announces_nothing(dags):
    answer = dags.run(DAG, "update_experiment", partition_key="2005-01", error="BadExperiment")
    assert (answer["error"], answer["announced"]) == ("BadExperiment: as the test says", {})
    assert dags.red_when_fails(DAG) == {"update_experiment", "publish_allocation", "finished"}


def test_the_shares_are_published_also_where_one_experiment_was_refused(dags):
    task = dags.by_id[DAG]["tasks"]["publish_allocation"]
    assert (task["after"], task["trigger_rule"]) == (["update_experiment"], "all_done")
    assert dags.run(DAG, "publish_allocation", partition_key="2005-01", outcome={"n_rows": 0})["error"] is None
