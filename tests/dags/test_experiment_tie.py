"""How a person is asked what an experiment sends, seen at the DAG of a problem whose file says `tie: ask`."""

DAG = "campaign__experiment_tie"
ASKED = {"subject": "Send?", "body": "Why", "experiment": "experiment"}


def test_only_a_problem_that_asks_about_ties_has_one(dags, dags_beside_a_broken_file):
    assert dags.of("experiment_tie") == {"campaign"}
    assert dags_beside_a_broken_file.of("experiment_tie") == set()
    assert (dags.by_id[DAG]["schedule"], dags.by_id[DAG]["max_active_runs"]) == ("15 5 * * *", 1)


def test_nobody_is_asked_where_no_experiment_waits(dags):
    assert dags.run(DAG, "open_tie", outcome={"experiment": None})["skipped"]
    assert dags.run(DAG, "open_tie", outcome=ASKED)["skipped"] is None


def test_silence_is_a_no_after_the_time_that_the_file_gives(dags):
    approve = dags.tasks(DAG)["approve"]
    assert (approve["kind"], approve["defaults"]) == ("ApprovalOperator", ["Reject"])
    assert approve["response_timeout_s"] == 2 * 24 * 3600


def test_the_answer_is_written_down_for_the_experiment_that_was_asked_about(dags):
    given = {"chosen_options": ["Approve"]}
    answer = dags.run(DAG, "record_tie", before={"open_tie": ASKED, "approve": given})
    (call,) = answer["called"]
    assert call["step"] == "include.experiments.steps.record_tie"
    told = {"problem": "campaign", "run_id": "a-run", "experiment": "experiment", "answer": given}
    assert call["arguments"] == told
    assert dags.run(DAG, "record_tie", before={})["skipped"] == "AirflowSkipException: Nobody was asked."


def test_windows_that_an_answer_decided_are_announced_and_none_is_no_event(dags):
    before = {"open_tie": ASKED, "approve": {"chosen_options": ["Approve"]}}
    answer = dags.run(DAG, "record_tie", before=before, outcome={"windows": ["2004-11-05"]})
    assert answer["announced"] == {"allocation/campaign": ["2004-11-05"]}
    idle = dags.run(DAG, "record_tie", before=before, outcome={"windows": []})
    assert (idle["skipped"], idle["announced"], idle["outlets"]) == (None, {}, [])


def test_a_refused_answer_makes_the_run_red_and_what_others_came_to_is_published(dags):
    answer = dags.run(DAG, "record_tie", before={"open_tie": ASKED, "approve": {}}, error="StaleAnswer")
    assert answer["error"] == "StaleAnswer: as the test says"
    assert {"open_tie", "approve", "record_tie", "publish_allocation"} <= dags.red_when_fails(DAG)
    task = dags.tasks(DAG)["publish_allocation"]
    # Not all_done: where nobody was asked, record_tie is skipped, and there is nothing to publish.
    assert (task["after"], task["trigger_rule"]) == (["record_tie"], "none_skipped")
