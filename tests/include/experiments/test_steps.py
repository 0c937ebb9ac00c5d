import math
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
import yaml

from include.errors import BadExperiment
from include.experiments import running_store, steps, store
from include.experiments.assignment import place_units
from include.experiments.steps import update_experiment
from include.experiments.store import TABLES
from include.names import Coverage, Stage
from include.problems.reading import load_problem
from include.problems.schema import Problem
from include.problems.sections.experiment import Decide, Experiment
from include.settings import REPOSITORY
from include.warehouse import coverage
from include.warehouse.tables.experiments import (
    ALLOCATION,
    EXPERIMENT_CHECK,
    EXPERIMENT_DECISION,
    EXPERIMENT_EXCLUSION,
    EXPERIMENT_LIFT,
    EXPERIMENT_METRIC,
    EXPERIMENT_PLAN,
    EXPERIMENT_VARIANT,
    OFF_POLICY_ESTIMATE,
    VARIANT_SUM,
)
from tests.include.experiments.conftest import PROBLEM
from tests.include.experiments.factories import came, invited

# The shares that campaign.yaml expects, in thousandths of 1,000 people; what each variant brings.
PEOPLE = {"none": 220, "small": 402, "large": 378}
RATES = {"none": 0.3, "small": 0.5, "large": 0.8}
# Days on which nothing was logged have no partition, and so no window.
DAYS = tuple(f"2004-11-0{day}" for day in (1, 3, 4, 5, 6, 8))


def send(prefix, first_hour, rates=RATES, people=PEOPLE):
    """Invite people within one hour; the first so many of each variant come six hours later."""
    rows = []
    for variant, n_people in people.items():
        for index in range(n_people):
            unit = f"{prefix}-{variant}-{index}"
            rows.append(invited(unit, first_hour + index / 1000, variant))
            if index < n_people * rates[variant]:
                rows.append(came(unit, first_hour + 6 + index / 1000))
    return rows


class Clock(datetime):
    """Stands where the log begins, until a test lets it go: time alone brings nothing about."""

    stands = True

    @classmethod
    def now(cls, tz=None):
        return datetime(2004, 11, 1, tzinfo=UTC) if cls.stands else datetime.now(tz)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(steps, "datetime", Clock)
    monkeypatch.setattr(Clock, "stands", True)
    return Clock


def update(key, run_id="r1"):
    return of_the_only_one(update_experiment(problem=PROBLEM, partition_key=key, run_id=run_id))


def of_the_only_one(outcome):
    """Say what the problem's only experiment came to."""
    return {**outcome["experiments"]["experiment"], "windows": outcome["windows"], "n_rows": outcome["n_rows"]}


def watch_experiment(**arguments):
    Clock.stands = False
    try:
        return of_the_only_one(steps.watch_experiment(**arguments))
    finally:
        Clock.stands = True


def everything(outreach):
    return {table.name: outreach.rows(table) for table in TABLES}


@pytest.fixture
def run(outreach):
    """A pilot on the first day, decided after the fifth, the rest on the sixth, mature on the eighth."""
    outreach.publish(*send("p", 1), *send("r", 5 * 24 + 1), days=DAYS)
    return outreach


def test_the_pilot_is_awaited_decided_once_and_repeated(run):
    outcome = update("2004-11-01")
    assert outcome["windows"] == list(DAYS)
    assert (outcome["outcome"], outcome["variant"], outcome["n_rows"]) == ("send", "large", 2000)
    assert run.outcomes == {day: ("wait", None) if day <= "2004-11-04" else ("send", "large") for day in DAYS}


def test_the_sums_of_the_last_window_are_those_of_the_replay(run):
    update("2004-11-01")
    held = {
        variant: int((place_units([f"r-{variant}-{i}" for i in range(n)], "campaign-2004") < 0.3).sum())
        for variant, n in PEOPLE.items()
    }
    sums = {
        (row["phase"], row["variant"]): (row["n_units"], row["n_off_policy"])
        for row in run.rows(VARIANT_SUM)
        if row["partition_key"] == DAYS[-1]
    }
    assert sums == {
        **{("pilot", variant): (n, 0) for variant, n in PEOPLE.items()},
        **{("holdback", variant): (n, 0 if variant == "none" else n) for variant, n in held.items()},
        **{
            ("rest", variant): (PEOPLE[variant] - n, 0 if variant == "large" else PEOPLE[variant] - n)
            for variant, n in held.items()
        },
    }


def test_the_lift_is_promised_at_the_decision_and_realised_when_the_rest_is_mature(run):
    update("2004-11-01")
    lifts = {(row["partition_key"], row["kind"]): row for row in run.rows(EXPERIMENT_LIFT)}
    assert min(lifts) == ("2004-11-05", "promised")
    assert [key for key in lifts if key[1] == "realised"] == [("2004-11-08", "realised")]
    promised = lifts["2004-11-08", "promised"]
    assert promised["lift_ratio"] == pytest.approx(math.ceil(378 * 0.8) / 378 - 66 / 220)
    realised = lifts["2004-11-08", "realised"]
    assert realised["low"] < realised["lift_ratio"] < realised["high"]
    assert (realised["variant"], promised["n_control"]) == ("large", 220)


def test_the_shares_follow_the_pilot_then_the_decision(run):
    update("2004-11-01")
    shares = {}
    for row in run.rows(ALLOCATION):
        assert row["experiment"] == "experiment"
        shares.setdefault((row["partition_key"], row["phase"]), {})[row["variant"]] = row["share_ratio"]
    assert shares["2004-11-03", "pilot"] == pytest.approx({"none": 0.2198, "small": 0.4023, "large": 0.3779})
    assert shares["2004-11-04", "hold"] == {None: None}
    assert shares["2004-11-05", "rest"] == {"large": 0.7, "none": 0.3}
    assert len(shares) == len(DAYS)


def test_every_check_is_written_with_its_number(run):
    update("2004-11-01")
    checks = {row["check_name"]: row for row in run.rows(EXPERIMENT_CHECK) if row["partition_key"] == "2004-11-05"}
    assert {name: check["is_pass"] for name, check in checks.items()} == {
        "sample_ratio": True,
        "exclusions": True,
        "maturity": True,
        "minimum_units": True,
        "minimum_rewards": True,
    }
    assert (checks["maturity"]["value"], checks["minimum_units"]["value"]) == (1.0, 220.0)


def test_running_again_changes_nothing_and_doubles_nothing(run):
    update("2004-11-01")
    before = everything(run)
    assert update("2004-11-05", "r2")["windows"] == list(DAYS[3:])
    assert update("2004-11-01", "r3")["windows"] == list(DAYS)
    assert everything(run) == before


def test_windows_one_by_one_give_what_all_at_once_give(outreach):
    rows = [*send("p", 1), *send("r", 5 * 24 + 1)]
    for day in DAYS:
        outreach.publish(*(row for row in rows if row["event_at"].strftime("%Y-%m-%d") == day), days=(day,))
        assert update(day)["windows"] == [day]
    one_by_one = {table: drop_moments(rows) for table, rows in everything(outreach).items()}
    assert update(DAYS[0])["windows"] == list(DAYS)
    assert {table: drop_moments(rows) for table, rows in everything(outreach).items()} == one_by_one


def drop_moments(rows):
    return [{name: value for name, value in row.items() if name != "decided_at_utc"} for row in rows]


def test_the_moment_of_the_decision_is_that_of_its_first_window(run):
    update("2004-11-01")
    moments = {row["decided_at_utc"] for row in run.rows(EXPERIMENT_DECISION) if row["is_final"]}
    assert len(moments) == 1


def test_late_data_of_an_old_day_is_in_every_window_from_there_on(run):
    update("2004-11-01")
    late = [invited(f"late-{index}", 1, "none") for index in range(30)]
    run.publish(*send("p", 1), *late, days=("2004-11-01",))
    update("2004-11-01", "r2")
    pilot = [row["n_units"] for row in run.rows(VARIANT_SUM) if (row["phase"], row["variant"]) == ("pilot", "none")]
    assert pilot == [250] * len(DAYS)


def test_going_on_from_sums_gives_what_counting_everything_gives(outreach, monkeypatch):
    rows = [*send("p", 1), *send("r", 5 * 24 + 1), invited("p-none-1", 30, "large"), came("late", 3)]
    outreach.publish(*rows, days=DAYS)
    update(DAYS[0])
    outreach.publish(*rows, *(invited(f"late-{index}", 50, "none") for index in range(9)), came("late-1", 60))
    update("2004-11-03", "r2")
    gone_on = {table: drop_moments(rows) for table, rows in everything(outreach).items()}
    monkeypatch.setattr(running_store, "find_base", lambda *_, **__: None)
    update(DAYS[0], "r3")
    assert {table: drop_moments(rows) for table, rows in everything(outreach).items()} == gone_on


def test_a_day_that_is_not_settled_holds_the_later_ones_up(run):
    run.mark(Stage.INGEST, "2004-11-03", Coverage.RUNNING)
    assert update("2004-11-05")["windows"] == ["2004-11-01"]
    run.mark(Stage.INGEST, "2004-11-03", Coverage.DONE)
    assert update("2004-11-03")["windows"] == list(DAYS[1:])


def test_a_day_that_lands_late_between_others_redoes_what_follows(run):
    run.mark(Stage.INGEST, "2004-11-05", Coverage.REFUSED)
    update("2004-11-08")
    assert "2004-11-05" not in run.outcomes
    run.mark(Stage.INGEST, "2004-11-05", Coverage.DONE)
    assert update("2004-11-05")["windows"] == list(DAYS[3:])


def test_a_day_that_is_refused_later_is_forgotten_and_what_follows_is_redone(run):
    update("2004-11-01")
    run.mark(Stage.INGEST, "2004-11-05", Coverage.REFUSED)
    assert update("2004-11-08")["windows"] == list(DAYS[4:])
    assert "2004-11-05" not in run.outcomes
    with run.engine.connect() as connection:
        done = coverage.done_partitions(connection, PROBLEM, Stage.EXPERIMENT)
    assert done == [day for day in DAYS if day != "2004-11-05"]


def test_a_killed_run_leaves_no_window_behind_whatever_wakes_the_next_one(run, monkeypatch):
    update("2004-11-01")
    run.mark(Stage.INGEST, "2004-11-04", Coverage.REFUSED)
    write_window = store.write_window

    def killed(connection, problem, experiment, partition_key, window):
        if partition_key == "2004-11-06":
            raise KeyboardInterrupt
        write_window(connection, problem, experiment, partition_key, window)

    monkeypatch.setattr(store, "write_window", killed)
    with pytest.raises(KeyboardInterrupt):
        update("2004-11-08", "r2")
    monkeypatch.setattr(store, "write_window", write_window)
    assert update("2004-11-08", "r3")["windows"] == ["2004-11-06", "2004-11-08"]
    assert update("2004-11-08", "r4")["windows"] == ["2004-11-08"]


def test_before_anything_is_settled_there_is_nothing_to_say(outreach):
    outreach.mark(Stage.LAND, "2004-11-01", Coverage.DONE)
    assert update("2004-11-01") == {"outcome": "wait", "variant": None, "windows": [], "n_rows": 0}


def test_equal_variants_claim_nothing_and_within_the_equivalence_the_control_is_kept(outreach, monkeypatch):
    definition = load_problem(PROBLEM)
    asked = definition.experiment.model_copy(update={"decide": Decide(equivalence=0.01)})
    changed = definition.model_copy(update={"experiment": asked})
    monkeypatch.setattr(steps, "load_problem", lambda _: changed)
    outreach.publish(*send("p", 1, rates=dict.fromkeys(PEOPLE, 0.5)), days=DAYS[:4])
    assert update("2004-11-01")["outcome"] == "keep_control"
    assert outreach.outcomes["2004-11-05"] == ("keep_control", "none")
    assert outreach.rows(EXPERIMENT_LIFT) == []
    assert outreach.rows(EXPERIMENT_DECISION)[-1]["claim"].startswith("No variant is shown to differ")
    assert [row["share_ratio"] for row in outreach.rows(ALLOCATION) if row["partition_key"] == "2004-11-05"] == [1.0]


def test_every_variant_is_written_beside_the_control_in_every_window(run):
    update("2004-11-01")
    rows = {(row["partition_key"], row["variant"]): row for row in run.rows(EXPERIMENT_VARIANT)}
    assert len(rows) == 3 * len(DAYS)
    small = rows["2004-11-05", "small"]
    assert (small["n_units"], small["verdict"], small["is_sent"]) == (402, "better", False)
    assert small["low"] < small["shrunk_lift_ratio"] < small["lift_ratio"] == pytest.approx(0.2, abs=0.01)
    assert rows["2004-11-05", "large"]["is_sent"]
    assert not rows["2004-11-04", "large"]["is_sent"]


def test_the_decision_says_what_is_claimed_and_when_it_was_due(run):
    update("2004-11-01")
    row = run.rows(EXPERIMENT_DECISION)[-1]
    assert row["is_claimed"]
    assert "'small' and 'large' both beat the control 'none'; 'large' also beats 'small'." in row["claim"]
    assert row["due_at_utc"] == datetime(2004, 11, 7, tzinfo=UTC)


def test_a_wrong_sample_ratio_blocks_and_says_its_numbers(outreach):
    outreach.publish(*send("p", 1, people={"none": 400, "small": 300, "large": 300}), days=DAYS[:4])
    assert update("2004-11-01")["outcome"] == "blocked"
    reason = outreach.rows(EXPERIMENT_DECISION)[-1]["reason"]
    assert "none 400 of 219.8 expected" in reason
    assert not any(row["is_final"] for row in outreach.rows(EXPERIMENT_DECISION))


def test_too_small_a_pilot_waits_while_it_runs_and_blocks_when_it_is_over(outreach):
    outreach.publish(*send("p", 1, people={"none": 22, "small": 40, "large": 38}), days=DAYS[:4])
    update("2004-11-01")
    assert [outcome for outcome, _ in outreach.outcomes.values()] == ["wait"] * 3 + ["blocked"]


def test_what_cannot_be_counted_is_written_with_its_reason(run):
    run.publish(came("ghost", 50), came("p-none-0", 48), invited("p-none-1", 50, "large"))
    update("2004-11-01")
    last = {
        (row["reason"], row["variant"], row["seen_on"], row["n_rows"])
        for row in run.rows(EXPERIMENT_EXCLUSION)
        if row["partition_key"] == DAYS[-1]
    }
    assert last == {
        ("reward_without_exposure", "", "2004-11-03", 1),
        ("unit_in_two_variants", "large", "2004-11-01", 1),
        ("reward_of_left_out_unit", "large", "2004-11-01", 1),
    }


def test_a_pilot_unit_that_later_gets_what_won_still_counts(run):
    run.publish(*send("r", 5 * 24 + 1), *(invited(f"p-none-{i}", 5 * 24 + 2, "large") for i in range(50)))
    update("2004-11-01")
    assert run.rows(EXPERIMENT_EXCLUSION) == []
    pilot = {row["n_units"] for row in run.rows(VARIANT_SUM) if (row["phase"], row["variant"]) == ("pilot", "none")}
    assert pilot == {220}


def change_plan(monkeypatch, **changes):
    """Let the file say something else of the experiment."""
    definition = load_problem(PROBLEM)
    experiment = Experiment.model_validate(definition.experiment.model_dump(mode="json") | changes)
    monkeypatch.setattr(steps, "load_problem", lambda _: definition.model_copy(update={"experiment": experiment}))


RENAMED = {
    "variants": ["none", "small", "huge"],
    "expected_shares": {"none": 0.2198, "small": 0.4023, "huge": 0.3779},
}


GONE = {"gone": {"kind": "binary", "event": "came", "direction": "lower"}}


def ask_metrics(monkeypatch, guardrails, **changes):
    file = load_problem(PROBLEM).model_dump(mode="json", by_alias=True)
    file["experiment"] |= {"primary": "times", "guardrails": guardrails, **changes}
    problem = Problem.model_validate(file | {"metrics": GONE | {"times": {"kind": "count", "event": "came"}}})
    monkeypatch.setattr(steps, "load_problem", lambda _: problem)


def test_a_breached_guardrail_holds_what_the_primary_metric_would_send(outreach, monkeypatch):
    ask_metrics(monkeypatch, [{"metric": "gone", "margin": 0.1}])
    outreach.publish(*send("p", 1), days=DAYS[:4])
    assert update("2004-11-01")["outcome"] == "blocked"
    decision, rows = outreach.rows(EXPERIMENT_DECISION)[-1], outreach.rows(EXPERIMENT_METRIC)
    assert "gone of 'large' is not shown to be less than 0.1 higher than that of the control" in decision["reason"]
    assert outreach.rows(ALLOCATION)[-1]["phase"] == "hold"
    newest = {(row["metric"], row["variant"]): row["verdict"] for row in rows if row["partition_key"] == DAYS[3]}
    assert newest["times", "large"] == "better"
    assert newest["gone", "large"] == "worse"


def test_a_metric_of_another_meaning_is_another_plan(outreach, monkeypatch):
    ask_metrics(monkeypatch, [{"metric": "gone", "margin": 0.1, "on_breach": "warn"}])
    outreach.publish(*send("p", 1), days=DAYS)
    assert update("2004-11-01")["outcome"] == "send"
    assert outreach.rows(EXPERIMENT_DECISION)[-1]["claim"].startswith("In times: ")
    plan = outreach.rows(EXPERIMENT_PLAN)[0]["plan"]
    assert sorted(plan["metrics"]) == ["gone", "times"]
    monkeypatch.setitem(GONE, "gone", GONE["gone"] | {"window": {"to": "P1D"}})
    ask_metrics(monkeypatch, [{"metric": "gone", "margin": 0.1, "on_breach": "warn"}])
    update(DAYS[-1])
    assert [row["version"] for row in outreach.rows(EXPERIMENT_PLAN)] == [1]  # decided with the first
    outreach.publish(days=("2004-11-09",))
    update("2004-11-09")
    assert [row["version"] for row in outreach.rows(EXPERIMENT_PLAN)] == [1, 2]


def test_a_variant_renamed_after_the_decision_opens_the_checks_and_is_sent_to_nobody(outreach, monkeypatch):
    rows = [*send("p", 1), *send("r", 5 * 24 + 1)]
    outreach.publish(*rows, days=DAYS[:5])
    outreach.mark(Stage.LAND, "2004-11-08", Coverage.RUNNING)
    update("2004-11-01")
    before = [row for row in outreach.rows(EXPERIMENT_DECISION) if row["is_final"]]
    change_plan(monkeypatch, **RENAMED)
    outreach.publish(came("p-none-219", 7 * 24 + 1), days=("2004-11-08",))
    assert update("2004-11-08")["outcome"] == "blocked"
    allocation = [row for row in outreach.rows(ALLOCATION) if row["partition_key"] == "2004-11-08"]
    assert [(row["phase"], row["variant"]) for row in allocation] == [("hold", None)]
    assert "exposure_to_unknown_variant: 'large'" in outreach.rows(EXPERIMENT_DECISION)[-1]["reason"]
    assert [row for row in outreach.rows(EXPERIMENT_DECISION) if row["is_final"]] == before
    assert [row["version"] for row in outreach.rows(EXPERIMENT_PLAN)] == [1, 2]


def test_a_decided_window_that_is_done_again_keeps_the_plan_it_was_decided_with(run, monkeypatch):
    update("2004-11-01")
    before = [row for row in everything(run)["experiment_decision"] if row["is_final"]]
    change_plan(monkeypatch, **RENAMED)
    update("2004-11-05", "r2")
    assert [row for row in everything(run)["experiment_decision"] if row["is_final"]] == before


def test_a_pilot_that_nobody_answers_any_more_is_decided_by_the_clock(outreach):
    outreach.publish(*send("p", 3 * 24 + 1), days=DAYS[:3])
    assert update("2004-11-04")["outcome"] == "wait"
    watched = watch_experiment(problem=PROBLEM, run_id="w1")
    assert (watched["windows"], watched["outcome"], watched["variant"]) == (["2004-11-06"], "send", "large")
    assert {row["partition_key"] for row in outreach.rows(OFF_POLICY_ESTIMATE)} == {"2004-11-06"}
    assert max(row["n_units"] for row in outreach.rows(OFF_POLICY_ESTIMATE)) == sum(PEOPLE.values())
    assert watch_experiment(problem=PROBLEM, run_id="w2")["windows"] == []
    outreach.publish(*send("r", 7 * 24 + 1), days=("2004-11-08",))
    assert update("2004-11-08")["windows"] == ["2004-11-08"]
    assert outreach.outcomes["2004-11-06"] == outreach.outcomes["2004-11-08"] == ("send", "large")


def test_what_time_has_long_brought_about_comes_with_the_rows(outreach, clock):
    outreach.publish(*send("p", 3 * 24 + 1), days=DAYS[:3])
    clock.stands = False
    updated = update("2004-11-04")
    assert (updated["windows"][-1], updated["outcome"], updated["variant"]) == ("2004-11-06", "send", "large")
    assert steps.watch_experiment(problem=PROBLEM)["windows"] == []


def test_the_clock_decides_nothing_while_rows_are_on_their_way(outreach):
    outreach.publish(*send("p", 3 * 24 + 1), days=DAYS[:3])
    update("2004-11-04")
    outreach.mark(Stage.LAND, "2004-11-05", Coverage.DONE)
    assert watch_experiment(problem=PROBLEM)["windows"] == []


def test_what_the_clock_decided_waits_while_partitions_are_done_again(outreach):
    outreach.publish(*send("p", 1), days=DAYS[:3])
    update("2004-11-01")
    watch_experiment(problem=PROBLEM)
    before = outreach.rows(EXPERIMENT_DECISION)[-1]
    assert (before["partition_key"], before["is_final"]) == ("2004-11-06", True)
    # The second day that is done again is still on its way: the clock's windows would see the pilot without it.
    outreach.mark(Stage.INGEST, "2004-11-03", Coverage.WAITING)
    assert update("2004-11-01", "r2")["windows"] == ["2004-11-01"]
    assert outreach.rows(EXPERIMENT_DECISION)[-1] == before
    outreach.mark(Stage.INGEST, "2004-11-03", Coverage.DONE)
    assert update("2004-11-03", "r3")["windows"][-1] == "2004-11-06"


def test_a_newest_day_that_is_withdrawn_decides_no_more(run):
    update("2004-11-01")
    run.mark(Stage.INGEST, "2004-11-08", Coverage.REFUSED)
    assert update("2004-11-08", "r2")["windows"] == ["2004-11-06"]
    assert {row["partition_key"] for row in run.rows(ALLOCATION)} == set(DAYS[:-1])
    assert {row["partition_key"] for row in run.rows(OFF_POLICY_ESTIMATE)} == {"2004-11-06"}
    assert watch_experiment(problem=PROBLEM)["windows"] == ["2004-11-09"]
    assert watch_experiment(problem=PROBLEM)["windows"] == []


def test_a_decision_older_than_plans_sends_no_variant_that_the_file_lacks(run, monkeypatch):
    update("2004-11-01")
    with run.engine.begin() as connection:
        connection.execute(EXPERIMENT_DECISION.update().values(plan_sha256=None))
    change_plan(monkeypatch, **RENAMED)
    assert update("2004-11-08", "r2")["outcome"] == "blocked"
    allocation = [row for row in run.rows(ALLOCATION) if row["partition_key"] == "2004-11-08"]
    assert [(row["phase"], row["variant"]) for row in allocation] == [("hold", None)]


def test_a_plan_that_an_older_version_wrote_with_fewer_fields_stays_in_force(run):
    update("2004-11-01")
    before = run.rows(EXPERIMENT_DECISION)
    with run.engine.begin() as connection:
        [plan] = [dict(row) for row in connection.execute(EXPERIMENT_PLAN.select()).mappings()]
        fewer = {name: value for name, value in plan["plan"].items() if name != "allocation"}
        connection.execute(EXPERIMENT_PLAN.update().values(plan=fewer, sha256="a" * 64))
        connection.execute(EXPERIMENT_DECISION.update().values(plan_sha256="a" * 64))
    update("2004-11-08", "r2")
    assert len(run.rows(EXPERIMENT_PLAN)) == 1
    assert [row["decided_at_utc"] for row in run.rows(EXPERIMENT_DECISION)] == [row["decided_at_utc"] for row in before]
    assert {row["plan_sha256"] for row in run.rows(EXPERIMENT_DECISION)} == {"a" * 64}


def test_a_problem_that_tries_nothing_out_is_refused(outreach):
    with pytest.raises(BadExperiment, match="no section `experiment`"):
        update_experiment(problem="flight_delay", partition_key="2013-01")


def test_the_real_campaign_finds_that_large_incentives_bring_people(outreach):
    events = pq.read_table(REPOSITORY / "include" / "problems" / "data" / PROBLEM / "events.parquet").to_pylist()
    outreach.publish(*(row | {"event_at": datetime.fromisoformat(row["event_at"])} for row in events))
    outcome = update("2004-11-12")
    assert (outcome["outcome"], outcome["variant"], outcome["n_rows"]) == ("send", "large", 2834)
    assert outreach.outcomes["2004-11-05"] == ("wait", None)
    assert outreach.outcomes["2004-11-06"] == ("send", "large")
    assert outreach.rows(EXPERIMENT_EXCLUSION) == []
    lifts = {row["kind"]: row for row in outreach.rows(EXPERIMENT_LIFT) if row["partition_key"] == "2004-11-12"}
    # SOURCE.md: 378 of 430 came with a large incentive in the pilot, 79 of 250 with none.
    assert lifts["promised"]["lift_ratio"] == pytest.approx(378 / 430 - 79 / 250)
    assert (lifts["realised"]["n_variant"], lifts["realised"]["n_control"]) == (450, 112)
    assert lifts["realised"]["low"] < lifts["promised"]["lift_ratio"] < lifts["realised"]["high"]


def test_policies_are_evaluated_on_the_pilot_of_the_newest_window(run):
    update("2004-11-01")
    rows = run.rows(OFF_POLICY_ESTIMATE)
    assert {row["partition_key"] for row in rows} == {DAYS[-1]}
    by_policy = {row["policy"]: row for row in rows if row["estimator"] == "snips"}
    assert {name: round(row["value"], 2) for name, row in by_policy.items() if name in RATES} == RATES
    assert by_policy["large"]["n_units"] == sum(PEOPLE.values())
    assert by_policy["uniform"]["value"] == pytest.approx(sum(RATES.values()) / 3, abs=0.001)


@pytest.fixture
def in_waves(tmp_path, monkeypatch):
    """The campaign's file, but with waves from the end of the pilot until the sixth day."""

    def write(**allocation):
        folder = tmp_path / "problems"
        folder.mkdir(exist_ok=True)
        text = (REPOSITORY / "include" / "problems" / "campaign.yaml").read_text("utf-8")
        document = yaml.safe_load(text)
        document["experiment"]["allocation"] = {"mode": "waves", "until": "2004-11-06"} | allocation
        (folder / "campaign.yaml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(folder))

    return write


def phases(outreach):
    """Say per window its phase and what each variant gets."""
    found: dict[str, tuple[str, dict[str, float]]] = {}
    for row in outreach.rows(ALLOCATION):
        found.setdefault(row["partition_key"], (row["phase"], {}))[1][row["variant"]] = row["share_ratio"]
    return found


def obey(outreach, day, hour, prefix, n_people=300, rates=RATES):
    """Send people of a wave what the newest ranges give to their places."""
    newest = max(row["partition_key"] for row in outreach.rows(ALLOCATION))
    ranges = [row for row in outreach.rows(ALLOCATION) if row["partition_key"] == newest]
    names = [f"{prefix}-{index}" for index in range(n_people)]
    rows, counted = [], dict.fromkeys(rates, 0)
    for name, place in zip(names, place_units(names, "campaign-2004"), strict=True):
        variant = next(row["variant"] for row in ranges if row["low"] <= place < row["high"])
        rows.append(invited(name, hour, variant))
        counted[variant] += 1
        if counted[variant] % 10 < 10 * rates[variant]:
            rows.append(came(name, hour + 6))
    outreach.publish(*rows, days=(day,))
    return counted


def test_waves_fade_out_what_does_badly_and_are_evidence_for_what_is_sent(outreach, in_waves):
    in_waves(uniform_share=0.06)
    outreach.publish(*send("p", 1), days=DAYS[:3])
    update("2004-11-04")
    sent = obey(outreach, "2004-11-05", 4 * 24 + 1, "w")
    update("2004-11-05")
    found = phases(outreach)
    assert [found[day][0] for day in DAYS[1:4]] == ["pilot", "wave 1", "wave 2"]
    assert found["2004-11-04"][1]["large"] > 0.9
    assert min(found["2004-11-04"][1].values()) == pytest.approx(0.02, abs=0.001)
    assert sum(found["2004-11-05"][1].values()) == pytest.approx(1)
    outreach.publish(days=("2004-11-06", "2004-11-08"))
    outcome = update("2004-11-06")
    assert (outcome["outcome"], outcome["variant"]) == ("send", "large")
    assert phases(outreach)["2004-11-08"][0] == "rest"
    waves = {
        row["variant"]: (row["n_mature"], row["n_off_policy"])
        for row in outreach.rows(VARIANT_SUM)
        if row["partition_key"] == DAYS[-1] and row["phase"] == "wave"
    }
    assert waves == {variant: (n, 0) for variant, n in sent.items() if n}


def test_a_record_made_before_the_waves_tells_of_them_by_who_agrees(outreach, in_waves):
    in_waves(mode="top_two")
    outreach.publish(*send("p", 1), *send("w", 4 * 24 + 1), days=DAYS)
    update("2004-11-01")
    ranges = [row for row in outreach.rows(ALLOCATION) if row["partition_key"] == "2004-11-04"]
    for row in outreach.rows(VARIANT_SUM):
        if row["phase"] == "wave" and row["partition_key"] == DAYS[-1]:
            places = place_units([f"w-{row['variant']}-{i}" for i in range(PEOPLE[row["variant"]])], "campaign-2004")
            [its] = [part for part in ranges if part["variant"] == row["variant"]]
            n_agreed = int(((places >= its["low"]) & (places < its["high"])).sum())
            assert (row["n_mature"], row["n_off_policy"]) == (n_agreed, PEOPLE[row["variant"]] - n_agreed)


def test_a_wrong_split_of_the_pilot_sends_no_wave(outreach, in_waves):
    in_waves()
    outreach.publish(*send("p", 1, people={"none": 600, "small": 200, "large": 200}), days=DAYS[:3])
    update("2004-11-04")
    assert phases(outreach)["2004-11-04"] == ("hold", {None: None})


def test_computing_waves_again_changes_nothing(outreach, in_waves):
    in_waves(mode="upper_confidence", discount=0.9, last_windows=3)
    outreach.publish(*send("p", 1), *send("w", 4 * 24 + 1), days=DAYS)
    update("2004-11-01")
    before = phases(outreach)
    update("2004-11-01")
    assert phases(outreach) == before


def test_the_real_campaign_replayed_in_waves_sends_large_incentives(outreach, in_waves):
    in_waves(until="2004-11-08")
    events = pq.read_table(REPOSITORY / "include" / "problems" / "data" / PROBLEM / "events.parquet").to_pylist()
    outreach.publish(*(row | {"event_at": datetime.fromisoformat(row["event_at"])} for row in events))
    outcome = update("2004-11-12")
    assert (outcome["outcome"], outcome["variant"]) == ("send", "large")
    found = phases(outreach)
    waves = [shares["large"] for phase, shares in found.values() if phase.startswith("wave ")]
    assert len(waves) == 4
    # On the pilot's last evening 253 people with a large incentive had their time; it was clear already.
    assert min(waves) > 0.9
    assert found["2004-11-12"][0] == "rest"


@pytest.fixture
def two(outreach, monkeypatch):
    """The campaign's log under two experiments: as it is, and one whose pilot lasts a day and asks for less."""
    definition = load_problem(PROBLEM)
    mail = definition.experiment.model_dump(mode="json")
    price = mail | {"salt": "price-2004", "pilot_until": "2004-11-01", "minimum_units_per_variant": 50}
    named = {"mail": Experiment.model_validate(mail), "price-test": Experiment.model_validate(price)}
    both = definition.model_copy(update={"experiment": None, "experiments": named})
    monkeypatch.setattr(steps, "load_problem", lambda _: both)
    outreach.publish(*send("p", 1), days=DAYS[:3])
    return outreach


def test_two_experiments_on_one_log_have_each_their_plan_decision_and_shares(two):
    outcome = update_experiment(problem=PROBLEM, partition_key="2004-11-04", run_id="r1")
    assert outcome["experiments"] == {
        "mail": {"outcome": "wait", "variant": None},
        "price-test": {"outcome": "send", "variant": "large"},
    }
    assert (outcome["windows"], outcome["n_rows"]) == (list(DAYS[:3]), 2000)
    plans = {row["experiment"]: row["plan"]["salt"] for row in two.rows(EXPERIMENT_PLAN)}
    assert plans == {"mail": "campaign-2004", "price-test": "price-2004"}
    phases_of = {(row["experiment"], row["phase"]) for row in two.rows(ALLOCATION) if row["partition_key"] == DAYS[2]}
    assert phases_of == {("mail", "hold"), ("price-test", "rest")}
    assert {row["experiment"] for row in two.rows(OFF_POLICY_ESTIMATE)} == {"mail", "price-test"}


def test_one_that_is_refused_keeps_no_neighbour_waiting_and_is_done_later(two, monkeypatch):
    write_window = store.write_window

    def refuse(connection, problem, experiment, partition_key, window):
        if (experiment, partition_key) == ("mail", "2004-11-03"):
            raise BadExperiment("Its sums contradict each other.")
        write_window(connection, problem, experiment, partition_key, window)

    monkeypatch.setattr(store, "write_window", refuse)
    with pytest.raises(BadExperiment, match=r"1 of 2 experiments were refused.*mail: BadExperiment: Its sums"):
        update_experiment(problem=PROBLEM, partition_key="2004-11-04", run_id="r1")
    done = {(row["experiment"], row["partition_key"]) for row in two.rows(EXPERIMENT_DECISION)}
    assert done == {("mail", "2004-11-01"), *(("price-test", day) for day in DAYS[:3])}
    with two.engine.connect() as connection:
        assert coverage.done_partitions(connection, PROBLEM, Stage.EXPERIMENT) == ["2004-11-01"]
    monkeypatch.setattr(store, "write_window", write_window)
    again = update_experiment(problem=PROBLEM, partition_key="2004-11-04", run_id="r2")
    assert again["windows"] == list(DAYS[1:3])
    with two.engine.connect() as connection:
        assert coverage.done_partitions(connection, PROBLEM, Stage.EXPERIMENT) == list(DAYS[:3])


def test_an_experiment_that_joins_later_sees_the_whole_log(two, monkeypatch):
    both = steps.load_problem(PROBLEM)
    first = both.model_copy(update={"experiments": {"mail": both.experiments["mail"]}})
    monkeypatch.setattr(steps, "load_problem", lambda _: first)
    update_experiment(problem=PROBLEM, partition_key="2004-11-04", run_id="r1")
    monkeypatch.setattr(steps, "load_problem", lambda _: both)
    joined = update_experiment(problem=PROBLEM, partition_key="2004-11-04", run_id="r2")
    assert joined["experiments"]["price-test"] == {"outcome": "send", "variant": "large"}
    assert len([row for row in two.rows(EXPERIMENT_DECISION) if row["experiment"] == "price-test"]) == 3
