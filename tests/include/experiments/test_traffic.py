from include.experiments.traffic import read_traffic
from include.problems.reading import load_problem
from tests.include.experiments.conftest import PROBLEM
from tests.include.experiments.factories import came, invited

DAYS = ("2004-11-01", "2004-11-02", "2004-11-04")


def test_traffic_and_the_controls_rate_are_those_of_the_lake(outreach):
    people = [invited(f"n{index}", 1) for index in range(4)] + [invited("l", 1, "large"), came("l", 2), came("n0", 3)]
    outreach.publish(*people, days=DAYS)
    traffic = read_traffic(load_problem(PROBLEM))
    # Five people in the four days from the first partition to the last.
    assert (traffic.n_units_per_day, traffic.base_rate) == (1.25, 0.25)


def test_without_a_control_all_variants_say_the_rate(outreach):
    outreach.publish(invited("l", 1, "large"), came("l", 2), invited("m", 1, "small"), days=DAYS)
    assert read_traffic(load_problem(PROBLEM)).base_rate == 0.5


def test_while_nobodys_time_is_up_there_is_no_traffic(outreach):
    assert read_traffic(load_problem(PROBLEM)) is None
    outreach.publish(invited("a", 1))
    assert read_traffic(load_problem(PROBLEM)) is None
