from dataclasses import replace
from datetime import timedelta

from include.experiments.design import design_of
from include.experiments.window_log import close_when_full
from include.problems.reading import load_problem
from tests.include.experiments.conftest import PROBLEM
from tests.include.experiments.factories import START, invited

DAY = "2004-11-01"


def test_an_experiment_is_over_with_the_unit_that_makes_it_full(outreach):
    outreach.publish(*(invited(f"p{hour}", hour) for hour in range(5)))
    design = replace(design_of(load_problem(PROBLEM)), max_units=3)
    closed = close_when_full(PROBLEM, DAY, [DAY], design, "day")
    assert closed.end == START + timedelta(hours=2, microseconds=1)
    assert close_when_full(PROBLEM, DAY, [DAY], replace(design, max_units=6), "day").end == design.end
