from datetime import UTC, datetime, timedelta

import pytest

from include.errors import BadExperiment, BadPartition
from include.experiments.definition import design_of, rules_of
from include.problems.reading import load_problem


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
    assert rules_of(make_problem()).expected_shares == {"none": 0.2198, "small": 0.4023, "large": 0.3779}


def test_a_pilot_that_ends_in_no_partition_is_refused():
    with pytest.raises(BadPartition, match="'2004-11'"):
        design_of(make_problem(pilot_until="2004-11"))


def test_a_problem_that_tries_nothing_out_is_refused():
    with pytest.raises(BadExperiment, match="no section `experiment`"):
        rules_of(load_problem("flight_delay"))
