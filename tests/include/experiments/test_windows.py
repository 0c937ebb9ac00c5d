from datetime import UTC, datetime, timedelta

import pytest

from include.experiments.windows import find_windows, windows_by_clock

PUBLISHED = ["2004-11-01", "2004-11-02"]
PILOT_END = datetime(2004, 11, 5, tzinfo=UTC)


def by_clock(now, published=PUBLISHED, window=timedelta(days=2), grain="day", landed=()):
    times = {"pilot_end": PILOT_END, "attribution_window": window, "now": now}
    return windows_by_clock(published, grain, landed={*published, *landed}, **times)


def test_time_matures_the_last_unit_of_log_and_pilot():
    assert by_clock(datetime(2004, 11, 30, tzinfo=UTC)) == ["2004-11-04", "2004-11-06"]


@pytest.mark.parametrize(("hours", "windows"), [(0, ["2004-11-04", "2004-11-06"]), (-1, ["2004-11-04"])])
def test_a_window_is_over_a_day_after_its_end(hours, windows):
    assert by_clock(datetime(2004, 11, 8, tzinfo=UTC) + timedelta(hours=hours)) == windows


def test_what_a_partition_has_already_brought_is_not_brought_again():
    assert by_clock(datetime(2005, 1, 1, tzinfo=UTC), ["2004-11-09"]) == ["2004-11-11"]
    assert by_clock(datetime(2005, 1, 1, tzinfo=UTC), ["2004-11-06"]) == ["2004-11-08"]
    assert by_clock(datetime(2005, 1, 1, tzinfo=UTC), []) == []


def test_where_a_partition_was_withdrawn_time_has_the_next_one():
    late = datetime(2005, 1, 1, tzinfo=UTC)
    assert by_clock(late, landed=["2004-11-06", "2004-11-07"]) == ["2004-11-04", "2004-11-08"]


def test_hours_and_months_have_windows_of_their_own_length():
    late = datetime(2005, 6, 1, tzinfo=UTC)
    assert by_clock(late, ["2004-11-05T00"], timedelta(hours=3), "hour") == ["2004-11-05T02", "2004-11-05T03"]
    assert by_clock(late, ["2004-10"], timedelta(days=2), "month") == ["2004-11"]


def test_a_refused_window_goes_and_one_of_the_clock_stays():
    landed = ["2004-11-01", "2004-11-02", "2004-11-05", "2004-11-06"]
    published, processed = ["2004-11-01", "2004-11-05"], ["2004-11-01", "2004-11-02", "2004-11-04", "2004-11-06"]
    windows, gone = find_windows(published, landed, ["2004-11-02", "2004-11-06"], processed, ["2004-11-07"])
    assert windows == ["2004-11-01", "2004-11-04", "2004-11-05", "2004-11-07"]
    assert gone == ["2004-11-02", "2004-11-06"]


def test_a_window_of_the_clock_waits_for_partitions_before_it():
    landed, processed = ["2004-11-01", "2004-11-02", "2004-11-05"], ["2004-11-01", "2004-11-03", "2004-11-07"]
    assert find_windows(PUBLISHED, landed, [], processed, []) == (["2004-11-01", "2004-11-02", "2004-11-03"], [])
    assert find_windows(PUBLISHED, landed, ["2004-11-05"], processed, []) == (
        ["2004-11-01", "2004-11-02", "2004-11-03", "2004-11-07"],
        [],
    )
