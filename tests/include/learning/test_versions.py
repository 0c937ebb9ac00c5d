import pytest

from include.errors import BadPartition
from include.learning.versions import following_partition, point_of, seed_of


@pytest.mark.parametrize(
    ("key", "grain", "after"),
    [
        ("2013-06", "month", "2013-07"),
        ("2013-12", "month", "2014-01"),
        ("2013-01", "month", "2013-02"),
        ("2012-02-28", "day", "2012-02-29"),
        ("2013-12-31", "day", "2014-01-01"),
        ("2013-06-30T23", "hour", "2013-07-01T00"),
    ],
)
def test_the_partition_after_one(key: str, grain: str, after: str):
    assert following_partition(key, grain) == after


def test_a_key_of_another_grain_is_refused():
    with pytest.raises(BadPartition, match=r"'2013-06-01' does not fit the grain month"):
        following_partition("2013-06-01", "month")


def test_a_name_is_a_point_and_a_seed():
    assert point_of("2013-06-00000a") == "2013-06"
    assert point_of("round-001-7ad7b4") == "round-001"
    assert seed_of("2013-06-00000a", 7) == [7, 10]
