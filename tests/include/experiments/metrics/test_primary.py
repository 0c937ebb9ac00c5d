import numpy as np
import pytest

from include.experiments.metrics.comparison import compare_metric
from include.experiments.metrics.primary import weigh_primary
from include.experiments.sending import Price
from tests.include.experiments.metrics.factories import make_metric, sum_numbers

RNG = np.random.default_rng(11)
NONE, SMALL, LARGE = (RNG.lognormal(shift, 1, 2_000) for shift in (0.0, 0.25, 0.3))
REWARDED = {"none": 5, "small": 6, "large": 7}


def weigh(price=None, *, is_lower_better=False, level=0.95, **numbers):
    numbers = {"none": NONE, "small": SMALL, "large": LARGE} | numbers
    sums = {name: sum_numbers(values) for name, values in numbers.items()}
    compared = compare_metric(make_metric(is_lower_better=is_lower_better), sums, "none", level)
    return weigh_primary(compared, REWARDED, "none", price or Price(), level)


def test_the_largest_mean_is_sent_and_both_are_claimed():
    found = weigh()
    assert found.choice.variant == "large"
    assert found.claim.startswith("In money: 'small' and 'large' both beat the control 'none'; 'large' also beats")
    assert min(found.choice.losses, key=found.choice.losses.get) == "large"
    assert sum(one.best_probability for one in found.posteriors.values()) == pytest.approx(1)
    assert found.posteriors["large"].n_rewarded == 7


def test_a_variant_that_costs_more_than_it_brings_is_not_sent():
    assert weigh(Price(costs={"large": 0.5})).choice.variant == "small"
    assert weigh(Price(costs={"large": 0.5}, value=10)).choice.variant == "large"


def test_lower_is_better_is_the_mirror_image():
    found, mirrored = weigh(), weigh(is_lower_better=True, none=-NONE, small=-SMALL, large=-LARGE)
    assert mirrored.choice.variant == found.choice.variant
    assert mirrored.claim == found.claim
    assert mirrored.choice.losses == pytest.approx(found.choice.losses, rel=0.1)


def test_less_is_sent_where_less_is_better():
    assert weigh(is_lower_better=True).choice.variant == "none"


def test_a_tie_keeps_the_control():
    found = weigh(Price(equivalence=0.9))
    assert (found.choice.variant, found.choice.is_tie) == ("none", True)
    assert weigh(Price(equivalence=0.9, tie="send_best")).choice.variant == "large"


def test_a_variant_without_any_sale_is_never_sent():
    found = weigh(none=-NONE, small=-SMALL, large=np.zeros(3))
    assert found.choice.variant == "none"


def test_nothing_is_known_while_a_variant_has_no_unit():
    assert weigh(small=[]) is None
