DAG = "ad_review__rules"


def test_only_a_problem_that_mines_rules_has_one_and_a_person_starts_it(dags, no_dags, dags_beside_a_broken_file):
    assert dags.of("rules") == {"ad_review"} == dags_beside_a_broken_file.of("rules")
    assert dags.by_id[DAG]["schedule"] is None
    assert no_dags.of("rules") == set()


def test_without_a_rule_to_propose_the_run_says_why_and_asks_nobody(dags):
    answer = dags.run(DAG, "mine_rule", outcome={"rule_version": None, "reason": "no word pays"})
    assert answer["skipped"] == "AirflowSkipException: no word pays"


def test_the_answer_is_recorded_about_the_rule_that_was_asked_about(dags):
    before = {"mine_rule": {"rule_version": "r-2"}, "approve": {"chosen_options": ["Reject"]}}
    (call,) = dags.run(DAG, "record_rule", before=before)["called"]
    assert call["step"] == "include.learning.steps.record_rule"
    assert call["arguments"] == {
        "problem": "ad_review",
        "run_id": "a-run",
        "rule_version": "r-2",
        "answer": {"chosen_options": ["Reject"]},
    }


def test_a_mining_that_fails_is_red(dags):
    assert dags.run(DAG, "mine_rule", error="NotEnoughLabels")["error"] == "NotEnoughLabels: as the test says"
    assert {"mine_rule", "approve", "record_rule"} <= dags.red_when_fails(DAG)
