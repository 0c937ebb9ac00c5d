from datetime import UTC, datetime

import pytest
from sqlalchemy import insert

from include.experiments.outbox.standing import read_standing
from include.problems.reading import load_problem
from include.warehouse.tables.experiments import ALLOCATION
from tests.include.experiments.outbox.factories import NOW

SHARED = {"problem": "mailing", "experiment": "experiment", "place": 0, "low": 0.0, "high": 1.0}


@pytest.fixture
def stand(mailing):
    """Say what stands after windows were written."""

    def read(*windows, now=NOW, **changes):
        mailing.write_problem(**changes)
        with mailing.house.engine.begin() as connection:
            if windows:
                connection.execute(insert(ALLOCATION), [SHARED | window for window in windows])
            return read_standing(connection, load_problem("mailing").alone_with("experiment"), "experiment", now)

    return read


def window(key, phase, variant):
    return {"partition_key": key, "phase": phase, "variant": variant, "share_ratio": 1.0}


def test_before_the_first_window_the_pilot_of_the_file_stands_as_version_one(stand):
    found = stand(expected_shares={"old": 1, "new": 3})
    assert (found.phase, found.window_key, found.plan_version) == ("pilot", None, 1)
    assert [(one.variant, one.low, one.high) for one in found.ranges] == [("old", 0.0, 0.25), ("new", 0.25, 1.0)]


def test_the_newest_window_stands(stand):
    found = stand(window("2026-05-30", "pilot", "old"), window("2026-05-31", "rest", "new"))
    assert (found.phase, found.window_key, found.held_variant) == ("rest", "2026-05-31", None)
    assert found.told == "In its phase rest (window 2026-05-31)."


@pytest.mark.parametrize(
    ("changes", "phase"),
    [
        ({"pauses": [{"since": "2026-06-01T00:00:00Z"}]}, "paused"),
        ({"pauses": [{"since": "2026-06-01T00:00:00Z", "until": "2026-06-01T11:59:59Z"}]}, "rest"),
        ({"pauses": [{"since": "2026-06-01T12:00:01Z"}]}, "rest"),
        ({"variants": ["old", "newer"]}, "hold"),
        ({"start": "2026-05-01T00:00:00Z", "end": {"after": "P30D"}}, "ended"),
    ],
)
def test_what_the_file_says_by_now_stands_above_the_window(stand, changes, phase):
    found = stand(window("2026-05-31", "rest", "new"), **changes)
    assert (found.phase, bool(found.ranges)) == (phase, phase == "rest")


def test_a_pause_that_is_over_by_the_file_alone_still_lists_nobody(stand):
    row = window("2026-05-31", "paused", None) | {"low": None, "high": None, "share_ratio": None}
    assert stand(row, now=datetime(2026, 6, 3, tzinfo=UTC)).phase == "hold"
