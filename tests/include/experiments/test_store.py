import dataclasses
from datetime import UTC, datetime

import pytest

from include.experiments import store
from include.experiments.analysis import Range, VariantRow
from include.experiments.checks import Check
from include.experiments.comparison import Comparison
from include.experiments.decision import Decision
from include.experiments.evaluation.policies import PropensitySum, evaluate_policies
from include.experiments.lift import measure_lift
from include.experiments.plan import Plan
from include.experiments.posteriors import Posterior
from include.experiments.rewards import ClusterSum, Exclusion
from include.names import Coverage, Stage
from include.warehouse.tables.experiments import (
    ALLOCATION,
    EXPERIMENT_CHECK,
    EXPERIMENT_DECISION,
    EXPERIMENT_EXCLUSION,
    EXPERIMENT_LIFT,
    EXPERIMENT_METRIC,
    EXPERIMENT_PLAN,
    EXPERIMENT_RUNNING_SUM,
    EXPERIMENT_VARIANT,
    OFF_POLICY_ESTIMATE,
    VARIANT_SUM,
)
from include.warehouse.tables.runs import COVERAGE
from tests.include.experiments.conftest import PROBLEM
from tests.include.experiments.factories import make_sum

MAIL = "mail"
# What a metric came to, and what the next window goes on from, have writers of their own.
WRITTEN = [table for table in store.TABLES if table not in (EXPERIMENT_METRIC, EXPERIMENT_RUNNING_SUM)]
PLAN, OTHER_PLAN = Plan({"salt": "a"}, "a" * 64), Plan({"salt": "b"}, "b" * 64)
VARIANTS = ["none", "large"]
NOW, LATER = datetime(2004, 11, 9, tzinfo=UTC), datetime(2004, 11, 10, tzinfo=UTC)
WAIT = Decision("wait", None, None, None, False, "The pilot is still running.")
WON = Decision("send", "large", 0.99, 0.001, True, "'large' is the best.", True, "It is.")
HELD = [Range("hold", None, None, None, None)]
KNOWN = {"large": Posterior(100, 60, 0.6, 0.5, 0.7, 0.99, 0.001)}


@pytest.fixture
def connection(outreach):
    with outreach.engine.begin() as connection:
        yield connection


ESTIMATES = evaluate_policies([PropensitySum("none", 0.5, 9, 3), PropensitySum("large", 0.5, 8, 4)], ["none", "large"])


def make_window(connection, key, decision=WON, **changes):
    window = store.Window(
        sums=[make_sum(), make_sum(variant="large", rewarded=60)],
        exclusions=[Exclusion(reason, "", "2004-11-05", 2) for reason in ("record_without_unit", "counted_reward")],
        checks=[Check("sample_ratio", True, 0.5, 0.001, "As expected.")],
        taken=store.date_decision(connection, PROBLEM, MAIL, key, decision, KNOWN, now=NOW),
        variants=[VariantRow("large", 100, 100, 60, Comparison("better", 0.6, 0.5, 0.7, 0.3), 0.99, 0.0, True)],
        due_at=LATER,
        plan_sha256=PLAN.sha256,
        ranges=[Range("rest", "none", 0.3, 0.0, 0.3), Range("rest", "large", 0.7, 0.3, 1.0)],
        lifts={"promised": measure_lift(100, 60, 100, 30)} if decision is WON else {},
    )
    return dataclasses.replace(window, **changes)


def count(connection, table):
    return len(connection.execute(table.select()).all())


def test_a_window_is_written_whole_and_replaced_whole(connection):
    store.write_window(connection, PROBLEM, MAIL, "05", make_window(connection, "05"))
    tables = (VARIANT_SUM, EXPERIMENT_EXCLUSION, EXPERIMENT_CHECK, EXPERIMENT_DECISION, ALLOCATION, EXPERIMENT_LIFT)
    tables += (EXPERIMENT_VARIANT,)
    assert [count(connection, table) for table in tables] == [2, 1, 1, 1, 2, 1, 1]
    smaller = make_window(connection, "05", WAIT, sums=[make_sum()], exclusions=[], ranges=HELD)
    store.write_window(connection, PROBLEM, MAIL, "05", smaller)
    assert [count(connection, table) for table in tables] == [1, 0, 1, 1, 1, 0, 1]


def test_the_decision_in_force_is_the_first_final_one_before_the_window(connection):
    for key, decision in (("04", WAIT), ("05", WON), ("06", dataclasses.replace(WON, variant="small"))):
        store.write_window(connection, PROBLEM, MAIL, key, make_window(connection, key, decision))
    assert store.read_in_force(connection, PROBLEM, MAIL, "05", PLAN.sha256, VARIANTS) is None
    found = store.read_in_force(connection, PROBLEM, MAIL, "07", PLAN.sha256, VARIANTS)
    assert (found.decision, found.partition_key) == (WON, "05")
    assert found.posteriors["large"]["mean_ratio"] == 0.6
    assert store.read_processed(connection, PROBLEM, MAIL) == ["04", "05", "06"]
    assert store.read_decision(connection, PROBLEM, MAIL, "03") is None


def test_a_decision_keeps_its_first_time_while_it_stays_the_same(connection):
    store.write_window(connection, PROBLEM, MAIL, "05", make_window(connection, "05"))
    other_words = dataclasses.replace(WON, reason="Said otherwise.")
    again = store.date_decision(connection, PROBLEM, MAIL, "05", other_words, KNOWN, now=LATER)
    assert again.decided_at_utc == NOW
    changed = store.date_decision(
        connection, PROBLEM, MAIL, "05", dataclasses.replace(WON, variant="small"), {}, now=LATER
    )
    assert changed.decided_at_utc == LATER


def test_forgotten_windows_leave_nothing_and_others_everything(connection, outreach):
    for key in ("05", "06"):
        store.write_window(connection, PROBLEM, MAIL, key, make_window(connection, key))
        store.write_estimates(connection, PROBLEM, MAIL, key, ESTIMATES)
    store.forget_windows(connection, PROBLEM, MAIL, ["05"])
    for table in WRITTEN:
        keys = {row.partition_key for row in connection.execute(table.select())}
        assert keys == {"06"}, table.name


def test_estimates_are_those_of_the_newest_window_and_go_with_it(connection):
    store.write_estimates(connection, PROBLEM, MAIL, "05", ESTIMATES)
    store.write_estimates(connection, PROBLEM, MAIL, "06", ESTIMATES[:7])
    rows = connection.execute(OFF_POLICY_ESTIMATE.select()).mappings().all()
    assert [row["partition_key"] for row in rows] == ["06"] * 7
    store.forget_windows(connection, PROBLEM, MAIL, ["06"])
    assert count(connection, OFF_POLICY_ESTIMATE) == 0


def test_forgetting_takes_the_mark_of_this_stage_alone(outreach):
    outreach.mark(Stage.EXPERIMENT, "05", Coverage.DONE)
    outreach.mark(Stage.INGEST, "05", Coverage.DONE)
    with outreach.engine.begin() as connection:
        store.forget_windows(connection, PROBLEM, MAIL, ["05"])
        left = connection.execute(COVERAGE.select()).mappings().all()
    assert [row["stage"] for row in left] == [Stage.INGEST]


def test_a_second_writer_waits_until_the_first_is_done(outreach):
    with outreach.engine.begin() as first, outreach.engine.connect() as second:
        store.hold_experiment(first, PROBLEM)
        second.exec_driver_sql("SET lock_timeout = '50ms'")
        with pytest.raises(Exception, match="lock timeout"):
            store.hold_experiment(second, PROBLEM)
        second.rollback()
        store.hold_experiment(second, "another")


def test_a_plan_is_kept_once_and_a_change_is_the_next_version(connection):
    for plan in (PLAN, OTHER_PLAN, PLAN):
        store.keep_plan(connection, PROBLEM, MAIL, plan, now=NOW)
    rows = connection.execute(EXPERIMENT_PLAN.select()).mappings().all()
    assert [(row["version"], row["sha256"], row["plan"]) for row in rows] == [
        (1, "a" * 64, {"salt": "a"}),
        (2, "b" * 64, {"salt": "b"}),
    ]
    assert store.read_plans(connection, PROBLEM, MAIL) == [PLAN, OTHER_PLAN]


def test_what_was_left_out_of_trial_and_rest_stands_in_one_row(connection):
    both = [
        Exclusion("unit_in_two_variants", "large", "2004-11-05", n, is_trial) for n, is_trial in [(2, True), (3, False)]
    ]
    store.write_window(connection, PROBLEM, MAIL, "05", make_window(connection, "05", exclusions=both))
    assert [row["n_rows"] for row in connection.execute(EXPERIMENT_EXCLUSION.select()).mappings()] == [5]


def test_a_final_decision_keeps_its_plan_and_counts_for_no_other(connection):
    store.keep_plan(connection, PROBLEM, MAIL, PLAN, now=NOW)
    store.write_window(connection, PROBLEM, MAIL, "04", make_window(connection, "04", WAIT))
    store.write_window(connection, PROBLEM, MAIL, "05", make_window(connection, "05"))
    assert store.read_plan_of(connection, PROBLEM, MAIL, "05") == {"salt": "a"}
    assert store.read_plan_of(connection, PROBLEM, MAIL, "04") is None
    assert store.read_in_force(connection, PROBLEM, MAIL, "06", OTHER_PLAN.sha256, VARIANTS) is None
    connection.execute(EXPERIMENT_DECISION.update().values(plan_sha256=None))
    assert store.read_in_force(connection, PROBLEM, MAIL, "06", OTHER_PLAN.sha256, VARIANTS).decision == WON
    assert store.read_in_force(connection, PROBLEM, MAIL, "06", OTHER_PLAN.sha256, ["none", "huge"]) is None


def test_sums_over_clusters_stand_beside_those_of_their_units(connection):
    homes = make_sum(clusters=ClusterSum(50, 50, 200.0, 60.0, 60.0))
    store.write_window(
        connection, PROBLEM, MAIL, "05", make_window(connection, "05", sums=[homes, make_sum(variant="large")])
    )
    rows = {row["variant"]: row for row in connection.execute(VARIANT_SUM.select()).mappings()}
    assert (rows["none"]["n_clusters"], rows["none"]["sum_mature_squares"]) == (50, 200.0)
    assert rows["none"]["design_effect"] == pytest.approx(homes.design_effect)
    assert (rows["large"]["n_clusters"], rows["large"]["design_effect"]) == (None, None)


def test_experiments_of_one_problem_share_no_row(connection):
    for name in (MAIL, "price"):
        store.keep_plan(connection, PROBLEM, name, PLAN, now=NOW)
        store.write_window(connection, PROBLEM, name, "05", make_window(connection, "05"))
        store.write_estimates(connection, PROBLEM, name, "05", ESTIMATES)
    assert [row["version"] for row in connection.execute(EXPERIMENT_PLAN.select()).mappings()] == [1, 1]
    store.write_window(connection, PROBLEM, "price", "04", make_window(connection, "04", WAIT))
    assert store.read_processed(connection, PROBLEM, MAIL) == ["05"]
    assert store.read_in_force(connection, PROBLEM, MAIL, "06", PLAN.sha256, VARIANTS).partition_key == "05"
    store.forget_windows(connection, PROBLEM, MAIL, ["05"])
    for table in WRITTEN:
        assert {row.experiment for row in connection.execute(table.select())} == {"price"}, table.name


def test_a_stale_window_is_so_until_it_is_done_again(connection):
    for key in ("05", "06"):
        store.write_window(connection, PROBLEM, MAIL, key, make_window(connection, key))
    store.mark_stale(connection, PROBLEM, MAIL, ["06", "07"])
    assert store.read_fresh(connection, PROBLEM, MAIL) == {"05"}
    assert store.read_fresh(connection, PROBLEM, "price") == set()
    store.write_window(connection, PROBLEM, MAIL, "06", make_window(connection, "06"))
    assert store.read_fresh(connection, PROBLEM, MAIL) == {"05", "06"}
