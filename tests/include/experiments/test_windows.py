from datetime import UTC, datetime

import pytest

from include.errors import BadPartition
from include.experiments.windows import window_end


@pytest.mark.parametrize(
    ("key", "grain", "expected"),
    [
        ("2004-11-30", "day", datetime(2004, 12, 1, tzinfo=UTC)),
        ("2004-02-28", "day", datetime(2004, 2, 29, tzinfo=UTC)),
        ("2004-12-31T23", "hour", datetime(2005, 1, 1, tzinfo=UTC)),
        ("2004-12", "month", datetime(2005, 1, 1, tzinfo=UTC)),
        ("2004-11", "month", datetime(2004, 12, 1, tzinfo=UTC)),
    ],
)
def test_a_window_ends_where_the_next_one_begins(key, grain, expected):
    assert window_end(key, grain) == expected


def test_a_key_of_another_grain_is_refused_with_an_example_of_the_right_one():
    with pytest.raises(BadPartition, match=r"'2004-11-01T05'.*grain 'day'.*'2004-11-01'"):
        window_end("2004-11-01T05", "day")
