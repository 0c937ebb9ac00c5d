from typing import Any

import pytest

BY_LOG, BY_PEOPLE = "flight_delay__train", "ad_review__train"


def test_only_problems_that_train_have_one(dags, no_dags, dags_beside_a_broken_file):
    assert dags.of("train") == {"ad_review", "flight_delay"} == dags_beside_a_broken_file.of("train")
    assert no_dags.of("train") == set()


def test_labels_of_people_start_one_and_labels_of_the_log_come_with_the_lake(dags):
    assert dags.woken_by(BY_PEOPLE) == ["labels/ad_review"]
    assert dags.woken_by(BY_LOG) == ["lake/flight_delay"]


def test_without_a_due_training_the_fit_is_skipped_and_partitions_are_announced(dags):
    answer = dags.run(BY_LOG, "plan_training", partition_key="2013-02", outcome={"is_due": False, "reason": "too few"})
    assert answer["skipped"] == "AirflowSkipException: too few"


def test_partitions_are_told_of_beside_a_failed_fit_unless_a_person_approves(dags, dags_beside_a_broken_file):
    assert dags.tasks(BY_LOG)["list_scorable"]["trigger_rule"] == "none_failed"
    unasked = dags_beside_a_broken_file
    assert unasked.tasks(BY_LOG)["list_scorable"]["trigger_rule"] == "all_done"
    assert unasked.red_when_fails(BY_LOG) >= set(unasked.tasks(BY_LOG))


def test_what_can_be_scored_is_announced_partition_by_partition(dags):
    answer = dags.run(BY_LOG, "list_scorable", partition_key="2013-02", outcome={"keys": ["2013-02", "2013-03"]})
    assert answer["announced"] == {"model/flight_delay": ["2013-02", "2013-03"]}


def test_labels_are_suspected_only_where_people_give_them(dags):
    assert "suspect_labels" in dags.tasks(BY_PEOPLE)
    assert "suspect_labels" not in dags.tasks(BY_LOG)
    assert "suspect_labels" in dags.tasks(BY_PEOPLE)["list_scorable"]["after"]


@pytest.mark.parametrize("dag", [BY_LOG, BY_PEOPLE])
def test_any_task_that_fails_makes_the_run_red(dags, dag):
    assert dags.red_when_fails(dag) >= set(dags.tasks(dag)) - {"approved"}


def all_before(tasks: dict[str, Any], name: str) -> set[str]:
    """Name every task that a task waits for, near and far."""
    near = set(tasks[name]["after"])
    return near.union(*(all_before(tasks, before) for before in near))


def test_a_round_is_announced_whatever_becomes_of_the_fit(dags):
    tasks = dags.tasks(BY_PEOPLE)
    assert tasks["list_scorable"]["trigger_rule"] == "all_done"
    assert {"fit_candidates", "decide_promotion", "suspect_labels"} <= all_before(tasks, "list_scorable")
    answer = dags.run(BY_PEOPLE, "list_scorable", partition_key="round-001", outcome={"keys": ["round-001"]})
    assert answer["announced"] == {"model/ad_review": ["round-001"]}


@pytest.fixture(scope="module")
def asked_people(load, write_problems):
    """The DAGs where a person approves the models that other people's labels teach."""
    return load(write_problems(ad_review=("training:\n", "training:\n  approval: required\n")))


def test_people_get_their_next_batch_while_somebody_thinks_about_a_version(asked_people):
    tasks = asked_people.tasks(BY_PEOPLE)
    assert "approve" not in all_before(tasks, "list_scorable")
    assert tasks["list_rescorable"]["after"] == ["record_approval"]
    assert asked_people.by_id[BY_PEOPLE]["max_active_runs"] > 1
    answer = asked_people.run(BY_PEOPLE, "list_rescorable", outcome={"keys": ["round-001"]})
    assert answer["announced"] == {"model/ad_review": ["round-001"]}
    assert asked_people.red_when_fails(BY_PEOPLE) >= set(tasks) - {"approved"}


def test_a_partition_of_the_log_waits_for_its_model_and_for_whoever_approves_it(dags):
    tasks = dags.tasks(BY_LOG)
    assert {"fit_candidates", "decide_promotion", "approve"} <= all_before(tasks, "list_scorable")
    assert "list_rescorable" not in tasks


def test_an_alert_that_asks_for_a_training_starts_one_and_is_announced_once(load, write_problems):
    asking = load(write_problems(flight_delay=("monitor:\n", "monitor:\n  action: retrain\n")))
    assert sorted(asking.woken_by(BY_LOG)) == ["alerts/flight_delay", "lake/flight_delay"]
    for dag, task, more in (
        ("flight_delay__monitor", "raise_alerts", {"n_alerts": 2}),
        ("flight_delay__alert_watch", "watch_alerts", {}),
    ):
        answer = asking.run(dag, task, partition_key="2013-06", outcome=more | {"asked": ["2013-05"]})
        assert answer["announced"] == {"alerts/flight_delay": ["2013-05"]}
        quiet = asking.run(dag, task, partition_key="2013-06", outcome=more | {"asked": []})
        assert (quiet["skipped"], quiet["announced"], quiet["outlets"]) == (None, {}, [])
