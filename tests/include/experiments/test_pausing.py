from datetime import UTC, datetime

import pytest
import yaml
from sqlalchemy import select

from include.experiments import steps
from include.experiments.steps import update_experiment, watch_experiment
from include.settings import REPOSITORY
from include.warehouse.tables.experiments import (
    ALLOCATION,
    EXPERIMENT_DECISION,
    EXPERIMENT_EXCLUSION,
    EXPERIMENT_PLAN,
    VARIANT_SUM,
)
from tests.include.experiments.conftest import PROBLEM
from tests.include.experiments.factories import came, invited

RATES = {"none": 0.3, "small": 0.5, "large": 0.8}
SPLIT = {"none": 220, "small": 402, "large": 378}
OPEN = [{"since": "2004-11-02T00:00:00Z"}]


@pytest.fixture
def at(monkeypatch):
    """Say what time it is."""

    def set_clock(day, hour=0):
        class Clock(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime(2004, 11, day, hour, tzinfo=tz or UTC)

        monkeypatch.setattr(steps, "datetime", Clock)

    return set_clock


@pytest.fixture
def pause(tmp_path, monkeypatch):
    """Write the campaign's file with pauses."""
    folder = tmp_path / "problems"
    folder.mkdir()
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(folder))
    problem = yaml.safe_load((REPOSITORY / "include" / "problems" / "campaign.yaml").read_text())

    def write(pauses):
        problem["experiment"]["pauses"] = pauses
        (folder / "campaign.yaml").write_text(yaml.safe_dump(problem))

    write([])
    return write


def send(prefix, first_hour):
    rows = []
    for variant, n_people in SPLIT.items():
        for index in range(n_people):
            unit = f"{prefix}-{variant}-{index}"
            rows.append(invited(unit, first_hour + index / 1000, variant))
            if index < n_people * RATES[variant]:
                rows.append(came(unit, first_hour + 6 + index / 1000))
    return rows


def shares(outreach):
    return [(row["partition_key"], row["phase"], row["paused_since_utc"]) for row in outreach.rows(ALLOCATION)][-1]


def test_a_pause_takes_the_shares_away_and_leaves_its_exposures_out(outreach, pause, at):
    pause(OPEN)
    at(3)
    outreach.publish(*send("a", 1), *send("b", 26))
    update_experiment(problem=PROBLEM, partition_key="2004-11-02")
    assert shares(outreach) == ("2004-11-02", "paused", datetime(2004, 11, 2, tzinfo=UTC))
    left_out = {(row["reason"], row["seen_on"]): 0 for row in outreach.rows(EXPERIMENT_EXCLUSION)}
    newest = [row for row in outreach.rows(EXPERIMENT_EXCLUSION) if row["partition_key"] == "2004-11-02"]
    assert ("exposure_while_paused", "2004-11-02") in left_out
    assert sum(row["n_rows"] for row in newest if row["reason"] == "exposure_while_paused") == 1000
    assert sum(row["n_units"] for row in outreach.rows(VARIANT_SUM) if row["partition_key"] == "2004-11-02") == 1000
    (decision,) = [row for row in outreach.rows(EXPERIMENT_DECISION) if row["partition_key"] == "2004-11-02"]
    assert (decision["outcome"], decision["is_final"]) == ("wait", False)
    assert decision["reason"].startswith("Paused since 2004-11-02 00:00 UTC by the file")


def test_what_the_file_says_of_a_pause_reaches_the_newest_window_without_new_rows(outreach, pause, at):
    at(2)
    outreach.publish(*send("a", 1))
    update_experiment(problem=PROBLEM, partition_key="2004-11-01")
    assert shares(outreach)[1] == "pilot"
    pause(OPEN)
    assert watch_experiment(problem=PROBLEM)["windows"] == ["2004-11-01"]
    assert shares(outreach)[1] == "paused"
    assert watch_experiment(problem=PROBLEM)["windows"] == []
    pause([OPEN[0] | {"until": "2004-11-02T00:00:00.000001Z"}])
    at(2, 1)
    assert watch_experiment(problem=PROBLEM)["windows"] == ["2004-11-01"]
    assert shares(outreach)[1:] == ("pilot", None)


def test_a_decision_outlives_a_pause_and_no_pause_is_another_plan(outreach, pause, at):
    at(1)
    outreach.publish(*send("a", 1), days=("2004-11-04", "2004-11-06", "2004-11-07"))
    update_experiment(problem=PROBLEM, partition_key="2004-11-07")
    before = outreach.outcomes["2004-11-07"]
    pause([{"since": "2004-11-07T00:00:00Z"}])
    at(8)
    update_experiment(problem=PROBLEM, partition_key="2004-11-07")
    assert before == ("send", "large")
    assert (outreach.outcomes["2004-11-07"], shares(outreach)[1]) == (before, "paused")
    with outreach.engine.connect() as connection:
        assert connection.scalars(select(EXPERIMENT_PLAN.c.version)).all() == [1]
