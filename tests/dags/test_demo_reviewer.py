from tests.dags.conftest import PROBLEMS

DAG = "ad_review__demo_reviewer"


def test_only_a_problem_that_people_label_has_one(dags, no_dags, dags_beside_a_broken_file):
    assert dags.of("demo_reviewer") == {"ad_review"} == dags_beside_a_broken_file.of("demo_reviewer")
    assert no_dags.of("demo_reviewer") == set()


def test_it_exists_only_where_a_deployment_asks_for_it(load):
    assert load(PROBLEMS, MULGIL_DEMO_REVIEWER="0").of("demo_reviewer") == set()


def test_an_open_batch_starts_it_and_its_answers_are_announced_as_labels(dags):
    assert dags.woken_by(DAG) == ["batch/ad_review"]
    assert dags.outlets(DAG, "answer_batch") == ["labels/ad_review"]
    answer = dags.run(DAG, "answer_batch", partition_key="round-001", outcome={"is_for_people": False})
    assert (answer["skipped"], answer["error"], answer["outlets"]) == (None, None, ["labels/ad_review"])


def test_a_batch_that_is_left_to_people_ends_green_and_is_not_announced(dags):
    answer = dags.run(DAG, "answer_batch", partition_key="round-009", outcome={"is_for_people": True, "reason": "why"})
    assert (answer["skipped"], answer["outlets"]) == (None, [])


def test_an_item_without_recorded_truth_is_red(dags):
    assert dags.run(DAG, "answer_batch", partition_key="round-001", error="UnknownBatch")["error"]
    assert dags.red_when_fails(DAG) == {"answer_batch"}
