from datetime import UTC, datetime

import pytest
import yaml
from sqlalchemy import insert

from include.learning.registry import versions
from include.learning.training import schedule
from include.names import Coverage, Stage
from include.problems.reading import load_problem
from include.problems.sections.monitor import Monitor
from include.warehouse.coverage import mark
from include.warehouse.tables.monitoring import ALERT_EVENT
from tests.include.learning.conftest import MAIL
from tests.include.learning.registry.test_versions import GOOD, fit, judge, make_version
from tests.include.warehouse.test_alert_queries import make_event

MONTHS = [f"2013-{month:02d}" for month in range(1, 7)]


@pytest.fixture
def published(house, problems_dir):
    with house.engine.begin() as connection:
        for month in MONTHS:
            for stage in (Stage.LAND, Stage.INGEST):
                mark(connection, "late", stage, month, Coverage.DONE)
    return load_problem("late")


def test_every_undecided_point_is_due_until_a_later_one_is_decided(house, published, problems_dir):
    with house.engine.connect() as connection:
        assert schedule.plan_by_log(connection, published).points == ("2013-03", "2013-04", "2013-05", "2013-06")
    judge(house, fit(house, "2013-04-aaaaaa"), GOOD, serves_from="2013-05")
    with house.engine.connect() as connection:
        assert schedule.plan_by_log(connection, published).points == ("2013-05", "2013-06")
        # What lies behind the point that was passed over has its model.
        told = schedule.partitions_to_tell(connection, published, "run")
    assert told["2013-05"] == "2013-04-aaaaaa"


def test_a_decided_point_is_not_due_and_the_next_is_named(house, published):
    for month in MONTHS[2:]:
        judge(house, fit(house, f"{month}-aaaaaa"), GOOD, serves_from=month)
    with house.engine.connect() as connection:
        plan = schedule.plan_by_log(connection, published)
    assert (plan.points, plan.is_due) == ((), False)
    assert plan.reason == "Every training point up to 2013-06 is decided; the next comes every 1 partitions."


def ask_for_a_training(house, number=2, event="retrain_asked"):
    row = make_event("drift", number, event, problem="late", partition_key="2013-06")
    with house.engine.begin() as connection:
        connection.execute(insert(ALERT_EVENT), [row])


def plan_seldom(house, problem, every=6, action="retrain"):
    training = problem.training.model_copy(update={"every": every})
    monitor = Monitor(features=["speed"], reference_partitions=2, action=action)
    changed = problem.model_copy(update={"training": training, "monitor": monitor})
    with house.engine.connect() as connection:
        return schedule.plan_by_log(connection, changed)


def test_an_alert_has_a_model_fitted_through_the_newest_partition_before_its_time(house, published):
    judge(house, fit(house, "2013-03-aaaaaa"), GOOD, serves_from="2013-04")
    assert not plan_seldom(house, published).is_due
    ask_for_a_training(house)
    plan = plan_seldom(house, published)
    assert plan.points == ("2013-06",)
    assert plan.reason == "The alert drift of 2013-06 asks for a training through 2013-06."
    assert not plan_seldom(house, published, action="warn").is_due  # the file was changed since it was asked for
    judge(house, fit(house, "2013-06-aaaaaa"), GOOD, serves_from="2013-07")
    assert not plan_seldom(house, published).is_due  # there is nothing newer to learn from
    ask_for_a_training(house, 3, "closed")
    assert not plan_seldom(house, published).is_due


def test_what_is_due_anyway_comes_first_and_nothing_is_fitted_before_the_first(house, published):
    ask_for_a_training(house)
    assert plan_seldom(house, published).points == ("2013-03",)
    late = published.model_copy(update={"training": published.training.model_copy(update={"first": 7})})
    assert not plan_seldom(house, late).is_due


def test_a_partition_is_told_of_with_its_model_and_before_or_behind_one_without(house, published):
    judge(house, fit(house, "2013-03-aaaaaa"), GOOD, serves_from="2013-04")
    with house.engine.connect() as connection:
        # 2013-04 itself is undecided, but its own model will never score it.
        told = schedule.partitions_to_tell(connection, published, "run")
    assert told == dict.fromkeys(MONTHS) | {"2013-04": "2013-03-aaaaaa"}


def test_behind_a_partition_on_its_way_others_wait_and_behind_a_failed_one_not(house, published):
    with house.engine.begin() as connection:
        for status, told in ((Coverage.RUNNING, MONTHS[:1]), (Coverage.FAILED, [MONTHS[0], *MONTHS[2:]])):
            mark(connection, "late", Stage.INGEST, MONTHS[1], status)
            assert list(schedule.partitions_to_tell(connection, published, "run")) == told


def test_the_newest_round_is_the_one_with_the_largest_number(house, problems_dir):
    problem = load_problem("mail")
    with house.engine.begin() as connection:
        for key in ("round-1000", "round-999"):
            mark(connection, "mail", Stage.TRAIN, key, Coverage.DONE)
        assert schedule.newest_round(connection, problem) == {}
        row = make_version("round-999-aaaaaa", problem="mail")
        versions.save_version(connection, row, [], [])
        now = datetime(2020, 1, 1, tzinfo=UTC)
        versions.record_decision(connection, row, [GOOD], [], serves_from="", reason="R", actor="run", now=now)
        assert schedule.newest_round(connection, problem) == {"round-1000": "round-999-aaaaaa"}


def test_too_few_labels_are_counted_and_more_classes_are_said(house, problems_dir, answer):
    label = MAIL["label"] | {"classes": ["wanted", "junk", "unsure"]}
    (problems_dir / "mail.yaml").write_text(yaml.safe_dump(MAIL | {"label": label}))
    problem = load_problem("mail")
    answer({f"m{number}": "junk" for number in range(15)} | {"n1": "wanted"}, "round-001")
    with house.engine.connect() as connection:
        plan = schedule.plan_by_desk(connection, problem, "round-001")
    assert (plan.points, plan.n_labels) == ((), 16)
    assert "16 items are labelled up to round-001 (20 are needed); 1 of the rarer class" in plan.reason
    assert "label.classes has 3 classes; the model tells 'junk' from the other 2 together" in plan.reason
