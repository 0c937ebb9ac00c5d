from datetime import timedelta

import pyarrow as pa
import pytest

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.experiments.assignment import place_units
from include.experiments.waves import WaveRange, follows_wave, ranges_in_force, wave_seed
from tests.include.experiments.factories import START


def at(hours):
    return START + timedelta(hours=hours)


@pytest.fixture
def follows(mulgil_home):
    def follows(units, waves):
        rows = [
            {"unit": unit, "variant": variant, "exposed_at": moment.replace(tzinfo=None)}
            for unit, variant, moment in units
        ]
        fields = {"unit": pa.string(), "variant": pa.string(), "exposed_at": pa.timestamp("us")}
        table = relation_of_arrow(open_engine(), pa.Table.from_pylist(rows, schema=pa.schema(fields)))
        found = table.mutate(is_on=follows_wave(table, waves, "s")).select("unit", "is_on")
        return {row["unit"]: row["is_on"] for row in open_engine().to_pyarrow(found).to_pylist()}

    return follows


def test_a_published_range_is_in_force_until_the_next_window():
    rows = [
        {"partition_key": "2004-11-01", "variant": "none", "low": 0.0, "high": 0.4},
        {"partition_key": "2004-11-01", "variant": "large", "low": 0.4, "high": 1.0},
        {"partition_key": "2004-11-03", "variant": "large", "low": 0.0, "high": 1.0},
    ]
    assert ranges_in_force(rows, "day", at(24 * 9)) == [
        WaveRange(at(24), at(72), "none", 0.0, 0.4),
        WaveRange(at(24), at(72), "large", 0.4, 1.0),
        WaveRange(at(72), at(24 * 9), "large", 0.0, 1.0),
    ]
    assert ranges_in_force([], "day", at(1)) == []


def test_a_unit_follows_its_wave_when_its_place_lies_in_its_variants_range(follows):
    names = [f"u{index}" for index in range(200)]
    waves = [WaveRange(at(0), at(10), "none", 0.0, 0.3), WaveRange(at(0), at(10), "large", 0.3, 1.0)]
    found = follows([(name, "none", at(5)) for name in names], waves)
    assert [found[name] for name in names] == (place_units(names, "s") < 0.3).tolist()


def test_only_the_ranges_of_the_own_time_count(follows):
    waves = [WaveRange(at(0), at(10), "none", 0.0, 1.0), WaveRange(at(10), at(20), "large", 0.0, 1.0)]
    asked = [("a", "none", at(9.99)), ("b", "none", at(10)), ("c", "large", at(10)), ("d", "large", at(20))]
    assert follows(asked, waves) == {"a": True, "b": False, "c": True, "d": False}


def test_without_ranges_nobody_follows(follows):
    assert follows([("a", "none", at(1))], []) == {"a": False}


def test_a_window_draws_the_same_whenever_it_is_computed():
    assert wave_seed("s", "05").random() == wave_seed("s", "05").random()
    assert wave_seed("s", "05").random() != wave_seed("s", "06").random()
    assert wave_seed("t", "05").random() != wave_seed("s", "05").random()
