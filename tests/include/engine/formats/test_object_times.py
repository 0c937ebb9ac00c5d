from datetime import UTC, datetime, timedelta

import pytest

from include.engine.formats.object_times import UNTIMED_NAME, Arrival, object_times, read_name
from include.problems.sections.source import Source

CAME = datetime(2013, 1, 5, 9, tzinfo=UTC)
READ = datetime(2013, 1, 6, tzinfo=UTC)


def time_of(rule, key="x/sales_2013-01-31.csv", **more):
    columns = {"id": {"type": "string"}, "at": {"type": "timestamp"}}
    source = Source(landing="x", grain="day", key=["id"], event_time=rule, columns=columns, **more)
    (found,) = object_times(source, {key: Arrival(CAME, READ)}).values()
    return found.time, found.latest, found.flaw


def test_an_object_says_when_it_arrived_or_what_its_name_holds():
    assert time_of({"from": "object"}) == ("2013-01-05T09:00:00+00:00", READ + timedelta(days=1), None)
    assert time_of({"from": "name", "pattern": "sales_%Y-%m-%d"})[0] == "2013-01-31T00:00:00+00:00"
    assert time_of("at") == (None, READ + timedelta(days=1), None)


def test_a_bound_of_the_problems_file_takes_the_place_of_the_clocks():
    assert time_of("at", latest="2014-01-01T00:00:00Z") == (None, None, None)


def test_a_name_without_its_time_is_a_flaw_that_says_the_pattern():
    assert time_of({"from": "name", "pattern": "sales_%Y%m%d"})[2] == f"{UNTIMED_NAME}sales_%Y%m%d"


@pytest.mark.parametrize(
    ("key", "pattern", "found"),
    [
        ("x/2013/01/a.csv", "%Y/%m", datetime(2013, 1, 1)),  # noqa: DTZ001
        ("x/dt=2013-01-31/hr=05/a.csv", "dt=%Y-%m-%d/hr=%H", datetime(2013, 1, 31, 5)),  # noqa: DTZ001
        ("x/20130131.csv", "%Y%m%d", datetime(2013, 1, 31)),  # noqa: DTZ001
        ("x/20129931_20130131.csv", "%Y%m%d", datetime(2013, 1, 31)),  # noqa: DTZ001
        ("x/20130131_20139999.csv", "%Y%m%d", datetime(2013, 1, 31)),  # noqa: DTZ001
        ("x/120130131.csv", "%Y%m%d", None),
        ("x/2013-02-30.csv", "%Y-%m-%d", None),
        ("x/31Jan2013.csv", "%d%b%Y", datetime(2013, 1, 31)),  # noqa: DTZ001
        ("x/2013.031.csv", "%Y.%j", datetime(2013, 1, 31)),  # noqa: DTZ001
        ("x/2013a031.csv", "%Y.%j", None),
    ],
)
def test_the_last_time_in_a_name_is_read_in_utc(key, pattern, found):
    assert read_name(key, pattern) == (found and found.replace(tzinfo=UTC))
