def test_only_problems_that_promise_a_time_are_watched_by_the_clock(dags, no_dags, load, write_problems):
    assert dags.of("alert_watch") == no_dags.of("alert_watch") == set()
    promised = "monitor: {features: [age_years], reference_partitions: 1, arrives_within: PT6H}\n\nexperiment:"
    watched = load(write_problems(campaign=("experiment:", promised)))
    assert watched.of("alert_watch") == {"campaign"}
    assert watched.by_id["campaign__alert_watch"]["schedule"] == "*/10 * * * *"
    assert list(watched.tasks("campaign__alert_watch")) == ["watch_alerts"]


def test_what_was_not_told_is_told_whatever_became_of_the_look(load, write_problems):
    told = "monitor: {features: [age_years], reference_partitions: 1, tell: {owner: {webhook: hook}}}\n\nexperiment:"
    watched = load(write_problems(campaign=("experiment:", told)))
    dag = "campaign__alert_watch"
    tasks = watched.tasks(dag)
    assert (tasks["tell_alerts"]["after"], tasks["tell_alerts"]["trigger_rule"]) == (["watch_alerts"], "all_done")
    assert watched.red_when_fails(dag) == set(tasks)
    answer = watched.run(dag, "tell_alerts", outcome={"n_rows": 1})
    assert (answer["error"], answer["outcome"]) == (None, {"n_rows": 1})
    [called] = answer["called"]
    assert called["step"] == "include.monitoring.steps.tell_alerts"
    assert {"problem": "campaign", "run_id": "a-run"}.items() <= called["arguments"].items()
    assert "send_message" in called["arguments"]["send"]

    # The stage that measures tells what it brought about, also when nothing was raised.
    monitor = watched.tasks("campaign__monitor")
    telling = monitor["tell_alerts"]
    assert (telling["after"], telling["trigger_rule"]) == (["raise_alerts"], "none_failed")
    about = {"dag": "campaign__monitor", "task": "raise_alerts", "partition_key": "2013-05"}
    quiet = watched.run(**about, outcome={"n_alerts": 0})
    assert (quiet["skipped"], quiet["outlets"]) == (None, [])
    assert watched.red_when_fails("campaign__monitor") == set(monitor)
