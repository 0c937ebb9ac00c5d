"""How a person has the last word, seen at the DAG `train` of a problem whose file says `approval: required`."""

DAG = "flight_delay__train"
ASKED = {"subject": "Promote?", "body": "Why", "versions": ["2013-06-abcdef"]}


def test_nobody_is_asked_where_no_version_waits(dags):
    answer = dags.run(DAG, "open_approval", partition_key="2013-06", outcome={"versions": []})
    assert answer["skipped"]
    assert dags.run(DAG, "open_approval", partition_key="2013-06", outcome=ASKED)["skipped"] is None


def test_the_answer_is_written_down_with_what_was_asked(dags):
    given = {"chosen_options": ["Approve"]}
    answer = dags.run(
        DAG, "record_approval", partition_key="2013-06", before={"open_approval": ASKED, "approve": given}
    )
    (call,) = answer["called"]
    assert call["step"] == "include.learning.steps.record_approval"
    assert call["arguments"] == {
        "problem": "flight_delay",
        "run_id": "a-run",
        "partition_key": "2013-06",
        "versions": ["2013-06-abcdef"],
        "answer": given,
    }


def test_where_nobody_was_asked_nothing_is_written_down(dags):
    answer = dags.run(DAG, "record_approval", partition_key="2013-06", before={})
    assert (answer["skipped"], answer["called"]) == ("AirflowSkipException: Nobody was asked.", [])


def test_a_question_that_cannot_be_asked_makes_the_run_red(dags):
    """What writes the answer down runs after a failure, too; without more the run would end green and nobody asked."""
    assert {"open_approval", "approve"} <= dags.red_when_fails(DAG)
    assert "mine_rule" in dags.red_when_fails("ad_review__rules")


def test_silence_is_a_no_and_a_problem_that_asks_nobody_has_no_such_task(dags, dags_beside_a_broken_file):
    approve = dags.tasks(DAG)["approve"]
    assert (approve["kind"], approve["defaults"]) == ("ApprovalOperator", ["Reject"])
    assert approve["response_timeout_s"] > 0
    assert "approve" not in dags_beside_a_broken_file.tasks(DAG)
