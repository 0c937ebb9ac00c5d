DAG = "campaign__experiment_watch"


def test_every_experiment_is_looked_at_once_a_day(dags, no_dags):
    assert dags.of("experiment_watch") == {"campaign"}
    assert dags.by_id[DAG]["schedule"] == "45 4 * * *"
    assert no_dags.of("experiment_watch") == set()


def test_windows_that_the_clock_brought_are_announced_and_none_is_no_event(dags):
    answer = dags.run(DAG, "watch_experiment", outcome={"windows": ["2004-11-06"]})
    assert answer["announced"] == {"allocation/campaign": ["2004-11-06"]}
    idle = dags.run(DAG, "watch_experiment", outcome={"windows": []})
    assert (idle["skipped"], idle["announced"]) == ("AirflowSkipException: nothing to do", {})


def test_what_an_earlier_run_could_not_publish_is_published_now(dags):
    task = dags.by_id[DAG]["tasks"]["publish_allocation"]
    assert (task["after"], task["trigger_rule"]) == (["watch_experiment"], "all_done")


def test_an_experiment_that_cannot_be_read_is_red(dags):
    assert dags.run(DAG, "watch_experiment", error="BadExperiment")["error"] == "BadExperiment: as the test says"
