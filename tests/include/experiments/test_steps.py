import math
from datetime import datetime

import pyarrow.parquet as pq
import pytest

from include.errors import BadExperiment
from include.experiments import ledger
from include.experiments.assignment import place_units
from include.experiments.ledger import TABLES
from include.experiments.steps import update_experiment
from include.names import Coverage, Stage
from include.settings import REPOSITORY
from include.warehouse import coverage
from include.warehouse.tables.experiments import (
    ALLOCATION,
    EXPERIMENT_CHECK,
    EXPERIMENT_DECISION,
    EXPERIMENT_EXCLUSION,
    EXPERIMENT_LIFT,
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


def update(key, run_id="r1"):
    return update_experiment(problem=PROBLEM, partition_key=key, run_id=run_id)


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
    assert (outcome["outcome"], outcome["variant"], outcome["n_rows"]) == ("winner", "large", 2000)
    assert run.outcomes == {day: ("wait", None) if day <= "2004-11-04" else ("winner", "large") for day in DAYS}


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
        shares.setdefault((row["partition_key"], row["phase"]), {})[row["variant"]] = row["share_ratio"]
    assert shares["2004-11-03", "pilot"] == {"none": 0.2198, "small": 0.4023, "large": 0.3779}
    assert shares["2004-11-04", "rest"] == {"none": 1.0}
    assert shares["2004-11-05", "rest"] == {"large": 0.7, "none": 0.3}
    assert len(shares) == len(DAYS)


def test_every_check_is_written_with_its_number(run):
    update("2004-11-01")
    checks = {row["check_name"]: row for row in run.rows(EXPERIMENT_CHECK) if row["partition_key"] == "2004-11-05"}
    assert {name: check["is_pass"] for name, check in checks.items()} == {
        "sample_ratio": True,
        "maturity": True,
        "minimum_units": True,
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
    write_window = ledger.write_window

    def killed(connection, problem, partition_key, window):
        if partition_key == "2004-11-06":
            raise KeyboardInterrupt
        write_window(connection, problem, partition_key, window)

    monkeypatch.setattr(ledger, "write_window", killed)
    with pytest.raises(KeyboardInterrupt):
        update("2004-11-08", "r2")
    monkeypatch.setattr(ledger, "write_window", write_window)
    assert update("2004-11-08", "r3")["windows"] == ["2004-11-06", "2004-11-08"]
    assert update("2004-11-08", "r4")["windows"] == ["2004-11-08"]


def test_before_anything_is_settled_there_is_nothing_to_say(outreach):
    outreach.mark(Stage.LAND, "2004-11-01", Coverage.DONE)
    assert update("2004-11-01") == {"outcome": "wait", "variant": None, "windows": [], "n_rows": 0}


def test_equal_variants_have_no_winner_and_everybody_gets_the_control(outreach):
    outreach.publish(*send("p", 1, rates=dict.fromkeys(PEOPLE, 0.5)), days=DAYS[:4])
    assert update("2004-11-01")["outcome"] == "no_winner"
    assert outreach.outcomes["2004-11-05"] == ("no_winner", "none")
    assert outreach.rows(EXPERIMENT_LIFT) == []
    assert [row["share_ratio"] for row in outreach.rows(ALLOCATION) if row["partition_key"] == "2004-11-05"] == [1.0]


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
    last = {row["reason"]: row["n_rows"] for row in run.rows(EXPERIMENT_EXCLUSION) if row["partition_key"] == DAYS[-1]}
    assert last == {"reward_without_exposure": 1, "unit_in_two_variants": 1, "reward_of_left_out_unit": 1}


def test_a_problem_that_tries_nothing_out_is_refused(outreach):
    with pytest.raises(BadExperiment, match="no section `experiment`"):
        update_experiment(problem="flight_delay", partition_key="2013-01")


def test_the_real_campaign_finds_that_large_incentives_bring_people(outreach):
    events = pq.read_table(REPOSITORY / "include" / "problems" / "data" / PROBLEM / "events.parquet").to_pylist()
    outreach.publish(*(row | {"event_at": datetime.fromisoformat(row["event_at"])} for row in events))
    outcome = update("2004-11-12")
    assert (outcome["outcome"], outcome["variant"], outcome["n_rows"]) == ("winner", "large", 2834)
    assert outreach.outcomes["2004-11-05"] == ("wait", None)
    assert outreach.outcomes["2004-11-06"] == ("winner", "large")
    assert outreach.rows(EXPERIMENT_EXCLUSION) == []
    lifts = {row["kind"]: row for row in outreach.rows(EXPERIMENT_LIFT) if row["partition_key"] == "2004-11-12"}
    # SOURCE.md: 378 of 430 came with a large incentive in the pilot, 79 of 250 with none.
    assert lifts["promised"]["lift_ratio"] == pytest.approx(378 / 430 - 79 / 250)
    assert (lifts["realised"]["n_variant"], lifts["realised"]["n_control"]) == (450, 112)
    assert lifts["realised"]["low"] < lifts["promised"]["lift_ratio"] < lifts["realised"]["high"]
