import hashlib
import math

import ibis
import numpy as np
import pyarrow as pa
import pytest

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.errors import BadExperiment
from include.experiments.assignment import HashRange, assign_units, is_placed_below, place_units

UNITS = [f"person-{index}" for index in range(4000)]


@pytest.fixture
def below_on_engine(mulgil_home):
    def ask(share: float, salt: str = "s") -> np.ndarray:
        units = relation_of_arrow(open_engine(), pa.table({"row": range(len(UNITS)), "unit": UNITS}))
        told = units.select("row", is_below=is_placed_below(units.unit, salt, share)).order_by("row")
        return open_engine().to_pyarrow(told)["is_below"].to_numpy()

    return ask


def test_a_place_is_the_first_52_bits_of_md5():
    digest = hashlib.md5(b"campaign-2004:p0001", usedforsecurity=False).hexdigest()
    assert place_units(["p0001"], "campaign-2004").tolist() == [int(digest[:13], 16) / 2**52]


def test_nobody_has_no_place():
    assert place_units([], "s").tolist() == []


def test_places_are_spread_evenly():
    places = place_units(UNITS, "s")
    counts = np.histogram(places, bins=20, range=(0, 1))[0]
    # Chi-square with 19 degrees of freedom: 43.8 is its 99.9 % quantile.
    assert ((counts - 200) ** 2 / 200).sum() < 43.8
    assert places.min() >= 0.0
    assert places.max() < 1.0


def test_another_salt_moves_people_to_unrelated_places():
    first, second = place_units(UNITS, "s"), place_units(UNITS, "t")
    assert abs(np.corrcoef(first, second)[0, 1]) < 4 / math.sqrt(len(UNITS))


def test_a_unit_keeps_its_place_whoever_else_is_there():
    assert place_units(UNITS, "s")[17] == place_units(UNITS[17:18], "s")[0]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 1 / 3, 0.5, 0.999, 1.0])
def test_the_engine_and_python_set_the_same_units_apart(below_on_engine, share):
    assert below_on_engine(share).tolist() == (place_units(UNITS, "s") < share).tolist()


def test_the_engine_heeds_the_salt(below_on_engine):
    assert below_on_engine(0.3, "t").tolist() == (place_units(UNITS, "t") < 0.3).tolist()
    assert below_on_engine(0.3, "t").tolist() != below_on_engine(0.3, "s").tolist()


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(BadExperiment, match="allowed is 0 to 1"):
        is_placed_below(ibis.literal("u"), "s", share)


def test_a_share_above_a_units_place_includes_it_an_equal_one_not(below_on_engine):
    places = place_units(UNITS, "s")
    row = int(np.flatnonzero(places > 0.5)[0])
    assert below_on_engine(float(np.nextafter(places[row], 1.0)))[row]
    assert not below_on_engine(float(places[row]))[row]


def test_who_is_in_no_range_takes_no_part():
    variants = assign_units(UNITS, "s", [HashRange("a", 0.0, 0.1), HashRange("b", 0.1, 0.2)])
    assert {*variants} == {"a", "b", None}
    assert abs((variants == None).mean() - 0.8) < 0.03  # noqa: E711 - of each element


def test_a_range_holds_its_lower_end_and_not_its_upper_one():
    place = float(place_units(["person-7"], "s")[0])
    assert assign_units(["person-7"], "s", [HashRange("a", place, 1.0)]).tolist() == ["a"]
    assert assign_units(["person-7"], "s", [HashRange("a", 0.0, place)]).tolist() == [None]


def test_the_held_back_had_the_control_before(below_on_engine):
    pilot = assign_units(UNITS, "s", [HashRange("a", 0.0, 0.3), HashRange("b", 0.3, 1.0)])
    rest = assign_units(UNITS, "s", [HashRange("a", 0.0, 0.1), HashRange("b", 0.1, 1.0)])
    assert ((rest == "a") == below_on_engine(0.1)).all()
    assert set(pilot[rest == "a"]) == {"a"}
