from datetime import UTC, datetime

import pytest

SINCE = "2013-02-01T00:00:00Z"

BROKEN = [
    ([{"since": SINCE, "until": SINCE}], "until: 2013-02-01 00:00 is not after since, 2013-02-01 00:00"),
    ([{"since": SINCE}, {"since": "2013-02-03T00:00:00Z"}], "pauses.0: since 2013-02-01 00:00 has no end (until)"),
    (
        [{"since": SINCE, "until": "2013-02-05T00:00:00Z"}, {"since": "2013-02-03T00:00:00Z"}],
        "pauses.1.since: 2013-02-03 00:00 begins before the pause above it is over, 2013-02-05 00:00",
    ),
    ([{"since": "2013-02-01T00:00:00"}], "pauses.0.since: a time without its zone means another moment"),
]


@pytest.mark.parametrize(("pauses", "said"), BROKEN)
def test_pauses_that_leave_open_what_counts_are_refused(refusal_of, pauses, said):
    assert said in refusal_of("experiment.pauses", pauses)


def test_a_pause_holds_from_its_first_moment_to_the_one_before_its_end(read):
    pauses = [{"since": SINCE, "until": "2013-02-02T00:00:00Z"}, {"since": "2013-02-02T00:00:00Z"}]
    experiment = read("experiment.pauses", pauses).experiment
    first, second = datetime(2013, 2, 1, tzinfo=UTC), datetime(2013, 2, 2, tzinfo=UTC)
    assert experiment.paused_since(datetime(2013, 1, 31, 23, tzinfo=UTC)) is None
    assert [experiment.paused_since(moment) for moment in (first, second)] == [first, second]
