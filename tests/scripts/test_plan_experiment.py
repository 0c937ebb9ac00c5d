from datetime import UTC, datetime, timedelta

import pytest

from include.experiments.traffic import Traffic
from include.problems.reading import load_problem
from include.problems.sections.layers import End
from scripts import plan_experiment

GIVEN = ["campaign", "--per-day", "500", "--rate", "0.05", "--units", "10000"]


def test_a_plan_needs_no_warehouse_where_traffic_is_given(capsys, monkeypatch):
    monkeypatch.delenv("MULGIL_WAREHOUSE_URL", raising=False)
    assert plan_experiment.main(GIVEN) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "500 units a day, 5 of 100 rewarded; 10,000 in all" in lines[1]
    assert "one variant brings 20 % more" in lines[2]
    [chosen] = [line for line in lines if line.startswith(" >")]
    assert lines[-1] == f"  Recommended: a pilot of {chosen.split()[1]} of 100, {chosen.split()[3]} units."


def test_each_argument_changes_the_plan(capsys):
    told = []
    for more in ([], ["--lift", "0.5"], ["--units", "20000"], ["--rate", "0.1"], ["--per-day", "50"]):
        assert plan_experiment.main([*GIVEN, *more]) == 0
        told.append(capsys.readouterr().out)
    assert len(set(told)) == len(told)


def test_an_experiment_or_a_rate_that_cannot_be_is_told_in_a_sentence(capsys):
    assert plan_experiment.main([*GIVEN, "--experiment", "summer"]) == 1
    assert "campaign has no experiment summer; there are: experiment." in capsys.readouterr().err
    assert plan_experiment.main(["flight_delay"]) == 1
    assert "flight_delay.yaml tries nothing out" in capsys.readouterr().err
    assert plan_experiment.main(["campaign", "--per-day", "5", "--rate", "1.5"]) == 1
    assert "A base rate of 1.5" in capsys.readouterr().err


def test_what_is_not_given_is_read_and_nothing_read_says_what_to_give(monkeypatch):
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", "somewhere")
    problem = load_problem("campaign")
    monkeypatch.setattr("include.experiments.traffic.read_traffic", lambda _: Traffic(100.0, 0.3))
    assert plan_experiment.find_traffic(problem, None, None) == Traffic(100.0, 0.3)
    assert plan_experiment.find_traffic(problem, 7.0, None) == Traffic(7.0, 0.3)
    monkeypatch.setattr("include.experiments.traffic.read_traffic", lambda _: None)
    with pytest.raises(plan_experiment.BadExperiment, match="PER_DAY=500 RATE=0"):
        plan_experiment.find_traffic(problem, None, 0.1)


@pytest.mark.parametrize(
    ("end", "key"), [(End(after=timedelta(days=1)), "end.after"), (End(max_units=9), "end.max_units")]
)
def test_an_end_that_leaves_too_few_units_is_named(end, key):
    problem = load_problem("campaign")
    start = datetime(2004, 11, 1, tzinfo=UTC)
    shorter = problem.experiment.model_copy(update={"start": start, "end": end})
    lines = plan_experiment.describe_plan(
        problem.model_copy(update={"experiment": shorter}), "experiment", Traffic(5, 0.05), 0.2, 10_000
    )
    with pytest.raises(plan_experiment.BadExperiment, match=key):
        list(lines)


def test_units_that_come_after_the_end_are_not_in_the_plan(capsys):
    problem = load_problem("campaign")
    for end, total in ((End(max_units=3000), "3,000"), (End(after=timedelta(days=8)), "4,000")):
        start = datetime(2004, 11, 1, tzinfo=UTC)
        shorter = problem.experiment.model_copy(update={"start": start, "end": end})
        lines = plan_experiment.describe_plan(
            problem.model_copy(update={"experiment": shorter}), "experiment", Traffic(500, 0.05), 0.2, 10_000
        )
        assert f"{total} in all" in list(lines)[1]
