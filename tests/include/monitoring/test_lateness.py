from datetime import UTC, datetime, timedelta

import pytest

from include.errors import UnknownPartitionKey
from include.monitoring.lateness import due_partitions, late_alerts

HOURS = timedelta(hours=1)
NOW = datetime(2026, 3, 4, 6, tzinfo=UTC)


LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


def late(landed, now=NOW, within=6 * HOURS, grain="day", action="warn", since=LONG_AGO, closed=""):
    about = {"within": within, "since": since, "now": now, "action": action, "closed": closed}
    return late_alerts("p", landed, grain, **about)


def test_history_and_rows_with_a_wrong_time_promise_nothing():
    began = datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert [row["partition_key"] for row in late({"1970-01-01", "2025-12-24"}, since=began)] == [
        "2026-03-02",
        "2026-03-03",
    ]


def test_what_a_person_closed_is_neither_listed_nor_counted():
    (row,) = late({"2026-02-27"}, closed="2026-03-02")
    assert (row["partition_key"], row["value"], row["n_watched"]) == ("2026-03-03", 1.0, 1)
    assert "1 of 1 partitions" in row["message"]


@pytest.mark.parametrize(("minutes", "n_due"), [(-1, 2), (0, 3)])
def test_a_partition_is_due_from_its_promised_minute_on(minutes, n_due):
    due = due_partitions("2026-03-01", "day", within=6 * HOURS, now=NOW + timedelta(minutes=minutes))
    assert [key for key, _ in due] == ["2026-03-01", "2026-03-02", "2026-03-03"][:n_due]


def test_the_sentence_says_how_many_of_how_many_and_which_is_the_oldest():
    rows = late({"2026-03-01"})
    assert [row["partition_key"] for row in rows] == ["2026-03-02", "2026-03-03"]
    assert {row["message"] for row in rows} == {
        "p: 2 of 3 partitions that were due have not landed. The oldest is 2026-03-02, due since 2026-03-03 06:00 UTC "
        "(6:00:00 after its end). Look at `p__land` and at the sender."
    }
    assert (rows[0]["alert_id"], rows[0]["value"], rows[0]["n_watched"], rows[0]["action"]) == ("late", 2.0, 3, "warn")
    assert late({"2026-03-01"}, action="escalate")[0]["action"] == "escalate"


def test_what_landed_is_not_late_and_a_gap_in_the_middle_is():
    assert late({"2026-03-01", "2026-03-02", "2026-03-03"}) == []
    assert [row["partition_key"] for row in late({"2026-03-01", "2026-03-03"})] == ["2026-03-02"]


def test_nothing_is_promised_before_anything_landed():
    assert late(set()) == []


def test_a_clock_that_was_set_back_makes_nothing_late():
    assert late({"2026-03-01"}, now=NOW - timedelta(days=400)) == []


def test_the_same_rows_come_again_while_nothing_lands_or_falls_due():
    assert late({"2026-03-01"}) == late({"2026-03-01"}, now=NOW + 23 * HOURS)
    assert late({"2026-03-01"}) != late({"2026-03-01"}, now=NOW + 24 * HOURS)


@pytest.mark.parametrize(("grain", "first"), [("hour", "2001-01-01T00"), ("day", "1990-01-01"), ("month", "0001-01")])
def test_a_log_that_ended_long_ago_is_watched_only_so_far_back(grain, first):
    rows = late({first}, grain=grain)
    assert len(rows) == 100
    assert 990 <= len(due_partitions(first, grain, within=6 * HOURS, now=NOW)) <= 1000
    assert rows[0]["value"] >= 990


def test_months_and_hours_are_due_by_their_own_calendar():
    assert [row["partition_key"] for row in late({"2026-01"}, grain="month")] == ["2026-02"]
    hours = [row["partition_key"] for row in late({"2026-03-03T20"}, grain="hour")]
    assert hours == ["2026-03-03T21", "2026-03-03T22", "2026-03-03T23"]


def test_a_key_of_another_grain_is_refused():
    with pytest.raises(UnknownPartitionKey, match="is no day"):
        late({"2026-03"})
