DAG = "ad_review__review"


def test_only_a_problem_that_people_label_has_one(dags, no_dags, dags_beside_a_broken_file):
    assert dags.of("review") == {"ad_review"} == dags_beside_a_broken_file.of("review")
    assert no_dags.of("review") == set()


def test_new_rows_and_a_new_model_start_it(dags):
    assert dags.woken_by(DAG) == ["lake/ad_review", "model/ad_review"]
    assert dags.by_id[DAG]["max_active_runs"] == 1


def test_an_opened_batch_is_announced_by_its_own_name(dags):
    answer = dags.run(DAG, "choose_batch", partition_key="2002-09", outcome={"batch_id": "round-007"})
    assert answer["announced"] == {"batch/ad_review": ["round-007"]}


def test_where_a_batch_is_open_already_nothing_is_announced(dags):
    outcome = {"batch_id": None, "reason": "round-006 is open"}
    answer = dags.run(DAG, "choose_batch", partition_key="2002-09", outcome=outcome)
    assert (answer["skipped"], answer["announced"]) == ("AirflowSkipException: round-006 is open", {})


def test_the_pool_is_scored_before_items_are_chosen_and_reasons_come_after(dags):
    tasks = dags.tasks(DAG)
    assert tasks["choose_batch"]["after"] == ["score_pool"]
    assert tasks["explain_batch"]["after"] == ["choose_batch"]
    assert dags.red_when_fails(DAG) == {"score_pool", "choose_batch", "explain_batch"}
