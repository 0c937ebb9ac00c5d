DAG = "ad_review__desk_watch"


def test_only_a_problem_that_people_label_has_one_every_ten_minutes(dags, no_dags, dags_beside_a_broken_file):
    assert dags.of("desk_watch") == {"ad_review"} == dags_beside_a_broken_file.of("desk_watch")
    assert dags.by_id[DAG]["schedule"] == "*/10 * * * *"
    assert no_dags.of("desk_watch") == set()


def test_batches_that_were_finished_are_announced_as_labels(dags):
    answer = dags.run(DAG, "watch_desk", outcome={"keys": ["round-001", "round-002"]})
    assert answer["announced"] == {"labels/ad_review": ["round-001", "round-002"]}
    idle = dags.run(DAG, "watch_desk", outcome={"keys": []})
    assert (idle["skipped"], idle["announced"], idle["outlets"]) == (None, {}, [])


def test_a_label_file_that_cannot_be_read_keeps_no_overdue_batch_quiet(dags):
    task = dags.tasks(DAG)["watch_desk"]
    assert (task["after"], task["trigger_rule"]) == (["import_labels"], "all_done")


def test_a_label_file_that_cannot_be_read_is_red_though_the_desk_is_watched(dags):
    assert dags.run(DAG, "import_labels", error="BadLanding")["error"] == "BadLanding: as the test says"
    assert {"import_labels", "watch_desk"} <= dags.red_when_fails(DAG)
