from datetime import UTC, datetime, timedelta

import pytest

from include.errors import BadExperiment, UnknownPartitionKey
from include.experiments.design import design_of, rules_of
from include.experiments.sending import Price
from include.problems.reading import load_problem
from include.problems.sections.experiment import Covariate, Decide
from include.problems.sections.metrics import Metric


def make_problem(**changes):
    problem = load_problem("campaign")
    return problem.model_copy(update={"experiment": problem.experiment.model_copy(update=changes)})


def test_the_campaigns_pilot_ends_where_its_last_day_does():
    design = design_of(make_problem())
    assert design.pilot_end == datetime(2004, 11, 5, tzinfo=UTC)
    assert (design.unit, design.event_time, design.attribution_window) == ("person_id", "event_at", timedelta(days=2))


def test_without_expected_shares_every_variant_should_get_the_same():
    assert rules_of(make_problem(expected_shares=None)).expected_shares == pytest.approx(
        {"none": 1 / 3, "small": 1 / 3, "large": 1 / 3}
    )


def test_expected_shares_of_the_file_are_used():
    shares = rules_of(make_problem()).expected_shares
    assert shares == pytest.approx({"none": 0.2198, "small": 0.4023, "large": 0.3779})


def test_rewards_of_the_past_are_asked_where_the_covariate_adds_them_up():
    metrics = {name: Metric(kind="count", event=name) for name in ("came", "paid")}
    for metric, is_asked in (("came", True), ("paid", False)):
        problem = make_problem(covariate=Covariate(metric=metric, before="P7D"))
        assert design_of(problem.model_copy(update={"metrics": metrics})).asks_past_rewards is is_asked
    assert not design_of(make_problem()).asks_past_rewards


def test_a_pilot_that_ends_in_no_partition_is_refused():
    with pytest.raises(UnknownPartitionKey, match="'2004-11'"):
        design_of(make_problem(pilot_until="2004-11"))


def test_a_problem_that_tries_nothing_out_is_refused():
    with pytest.raises(BadExperiment, match="no section `experiment`"):
        rules_of(load_problem("flight_delay"))


def test_what_sending_is_worth_is_read_from_the_file():
    asked = Decide(value=50, costs={"large": 3}, switching_cost=100, units_to_come=1_000, equivalence=0.01)
    price = rules_of(make_problem(decide=asked)).price
    assert price == Price(50, {"large": 3}, 100, 1_000, 0.01, "keep_control")
    assert rules_of(make_problem(decide=Decide(tie="send_best"))).price.tie == "send_best"
