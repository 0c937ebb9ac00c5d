"""What is known before a partition, read from a real lake."""

from datetime import timedelta

import numpy as np

from include.learning.quantity.newest_offsets import label_lag, offsets_before
from include.learning.registry.artifacts import StoredModel
from include.problems.sections.learning import Label
from tests.include.learning.quantity.conftest import BIKES, make_bikes

DAYS = [f"2013-03-{number:02d}" for number in range(16, 25)]


def test_each_partition_gets_what_was_known_before_it(house, bikes, publish, fitted_bikes):
    problem = bikes(DAYS[:2])
    for day in DAYS[2:]:
        rows = make_bikes(day, n_stations=10)
        publish("bikes", "_key", rows.assign(n_out=rows["n_out"] + 50.0), day)
    stored = StoredModel(fitted_bikes.model, fitted_bikes.spec, "v")
    found = offsets_before(problem, stored, ["2013-03-18", "2013-03-19", "2013-03-24"])
    # Its forecast was fitted through the 18th: nothing up to then says how far it is off.
    assert np.array_equal(found["2013-03-18"], stored.model.offsets)
    assert np.array_equal(found["2013-03-19"], stored.model.offsets)
    assert 40 < found["2013-03-24"][0] < 60


def test_a_label_that_comes_late_tells_nothing_before_it_came(house, bikes, fitted_bikes):
    late = BIKES | {"label": BIKES["label"] | {"delay": "P3D"}}
    problem = bikes(DAYS[2:6], late)
    stored = StoredModel(fitted_bikes.model, fitted_bikes.spec, "v")
    found = offsets_before(problem, stored, ["2013-03-21", "2013-03-23"])
    assert np.array_equal(found["2013-03-21"], stored.model.offsets)
    assert not np.array_equal(found["2013-03-23"], stored.model.offsets)


def test_a_label_is_known_after_its_delay_or_its_period():
    common = {"quantity": {"unit": "h"}, "source": "log", "known_when": "TRUE", "value": "a"}
    assert label_lag(Label(**common)) == timedelta(0)
    assert label_lag(Label(**common, delay="P2D")) == timedelta(days=2)
