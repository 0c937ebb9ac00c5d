from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import UnknownPartitionKey
from include.partition_keys import (
    following_partition,
    partition_bounds,
    partition_key_of,
    require_partition_key,
    round_key,
    round_number_of,
    sort_key,
)

GRAINS = st.sampled_from(["hour", "day", "month"])


@pytest.mark.parametrize(("grain", "key"), [("hour", "2002-08-22T18"), ("day", "2002-08-22"), ("month", "2002-08")])
def test_a_time_is_in_the_partition_of_its_time_in_utc(grain, key):
    moment = datetime(2002, 8, 22, 18, 26, tzinfo=UTC)
    assert partition_key_of(moment, grain) == key
    assert partition_key_of(moment.replace(tzinfo=None), grain) == key
    assert partition_key_of(moment.astimezone(timezone(timedelta(hours=14))), grain) == key


@given(moment=st.datetimes(), grain=GRAINS)
def test_every_time_of_the_calendar_lies_within_the_partition_it_names(moment, grain):
    key = partition_key_of(moment, grain)
    start, end = partition_bounds(key, grain)
    assert start <= moment.replace(tzinfo=UTC) <= end
    assert partition_key_of(start, grain) == key


@pytest.mark.parametrize(
    ("grain", "key", "after"),
    [
        ("hour", "2002-08-22T23", "2002-08-23T00"),
        ("hour", "2004-12-31T23", "2005-01-01T00"),
        ("day", "2002-12-31", "2003-01-01"),
        ("day", "2004-02-28", "2004-02-29"),
        ("month", "2002-12", "2003-01"),
        ("month", "2013-01", "2013-02"),
    ],
)
def test_a_partition_ends_where_the_following_one_starts(grain, key, after):
    assert following_partition(key, grain) == after
    assert partition_bounds(key, grain)[1] == partition_bounds(after, grain)[0]


@pytest.mark.parametrize(("grain", "key"), [("hour", "9999-12-31T23"), ("day", "9999-12-31"), ("month", "9999-12")])
def test_the_last_partition_of_the_calendar_ends_with_it(grain, key):
    start, end = partition_bounds(key, grain)
    assert start < end == datetime.max.replace(tzinfo=UTC)
    assert following_partition(key, grain) == key


@pytest.mark.parametrize(
    "key",
    [
        "2002-8",
        "2002-13",
        "2002-08-22",
        "../2002-08",
        "2002-08/..",
        "",
        "yesterday",
        "200208",
        "２００２-08",
        "2002-08\n",
    ],
)
def test_a_key_of_another_shape_is_refused_with_an_example(key):
    for ask in (require_partition_key, partition_bounds, following_partition):
        with pytest.raises(UnknownPartitionKey, match=r"no month; write it like 2002-08"):
            ask(key, "month")


@pytest.mark.parametrize(
    ("key", "grain"),
    [("20020822", "day"), ("2002-W34-4", "day"), ("2002-08-22T18+09", "hour"), ("102-09-01", "day"),
     ("2002-08-22 18", "hour"), ("2002-02-30", "day"), ("2002-08-22T24", "hour")],
)  # fmt: skip
def test_what_only_python_reads_as_a_time_is_no_key(key, grain):
    with pytest.raises(UnknownPartitionKey, match=f"no {grain}"):
        require_partition_key(key, grain)


@given(number=st.integers(1, 10**7))
def test_a_round_is_found_again_in_its_key(number):
    assert round_number_of(round_key(number)) == number


@pytest.mark.parametrize("key", ["2002-08", "round-01", "round-0001", "round-", "round-001-7ad7b4", "ROUND-001", ""])
def test_what_names_no_round_has_no_number(key):
    assert round_number_of(key) is None


@given(numbers=st.lists(st.integers(1, 20_000)), digits=st.sampled_from(["", "-7ad7b4"]))
def test_rounds_and_their_versions_sort_by_number(numbers, digits):
    keys = [round_key(number) + digits for number in numbers]
    assert sorted(keys, key=sort_key) == [round_key(number) + digits for number in sorted(numbers)]


@given(moments=st.lists(st.datetimes()), grain=GRAINS)
def test_partitions_of_one_grain_sort_by_time(moments, grain):
    keys = [partition_key_of(moment, grain) for moment in moments]
    assert sorted(keys, key=sort_key) == [partition_key_of(moment, grain) for moment in sorted(moments)]
