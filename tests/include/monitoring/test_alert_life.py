from datetime import UTC, datetime, timedelta

import pytest

from include.monitoring.alert_life import due_events, escalation_reason, read_lives

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def make_standing(cause="drift", **changes):
    row = {"problem": "p", "alert_id": cause, "partition_key": "2026-02", "action": "warn", "message": "It moved."}
    return row | {"metric": "psi_ratio", "subject": "speed", "value": 0.4, "bound": 0.25} | changes


def happen(events, now=NOW, standing=(), fine_again=None, escalate_after=None):
    """Give all events after those that are due now."""
    due = due_events(standing, read_lives(events), fine_again or {}, now=now, escalate_after=escalate_after)
    return [*events, *due]


def by_person(events, event, **changes):
    row = {**events[-1], "event_number": events[-1]["event_number"] + 1, "event": event, "is_by_person": True}
    return [*events, row | {"actor": "ada", "reason": "known"} | changes]


def told(events):
    return [row["event"] for row in events]


def test_what_stands_is_opened_once_and_running_again_adds_nothing():
    events = happen([], standing=[make_standing()])
    assert told(events) == ["opened"]
    assert (events[0]["reason"], events[0]["actor"], events[0]["event_number"]) == ("It moved.", "monitor", 1)
    assert happen(events, NOW + DAY, [make_standing()]) == events


def test_what_is_fine_again_closes_by_itself_and_names_the_window():
    events = happen(happen([], standing=[make_standing()]), fine_again={"drift": "2026-03"})
    assert told(events) == ["opened", "closed"]
    assert (events[1]["partition_key"], events[1]["reason"]) == ("2026-03", "2026-03 was fine again.")
    assert events[1]["is_by_person"] is False
    assert happen(events, fine_again={"drift": "2026-03"}) == events
    assert told(happen(events, standing=[make_standing()])) == ["opened", "closed", "opened"]


def test_what_nobody_measures_any_more_closes_and_says_so():
    events = happen(happen([], standing=[make_standing()]))
    assert (events[1]["event"], events[1]["reason"]) == ("closed", "It is measured no longer.")
    assert events[1]["partition_key"] == "2026-02"


@pytest.mark.parametrize(("waited", "n_escalated"), [(4 * HOUR - timedelta(seconds=1), 0), (4 * HOUR, 1)])
def test_an_alert_escalates_once_after_the_problems_time(waited, n_escalated):
    events = happen([], standing=[make_standing()], escalate_after=4 * HOUR)
    for moment in (NOW + waited, NOW + 2 * DAY if n_escalated else NOW + waited):
        events = happen(events, moment, [make_standing()], escalate_after=4 * HOUR)
    assert told(events).count("escalated") == n_escalated


def test_the_action_escalates_at_once_and_without_a_time_nothing_escalates():
    assert told(happen([], standing=[make_standing(action="escalate")])) == ["opened", "escalated"]
    events = happen([], standing=[make_standing()])
    assert happen(events, NOW + 365 * DAY, [make_standing()]) == events


def test_a_snoozed_alert_waits_its_time_anew_after_the_snooze():
    events = happen([], standing=[make_standing()], escalate_after=HOUR)
    events = by_person(events, "snoozed", until_utc=NOW + DAY)
    for moment, n in ((NOW + 5 * HOUR, 0), (NOW + DAY, 0), (NOW + DAY + HOUR, 1)):
        due = happen(events, moment, [make_standing()], escalate_after=HOUR)
        assert told(due).count("escalated") == n
    assert told(happen(events, NOW + HOUR, fine_again={"drift": "2026-03"}))[-1] == "closed"


def test_what_a_person_closed_opens_anew_when_it_stands_again_and_escalates_anew():
    events = happen([], standing=[make_standing(action="escalate")])
    closed = by_person(events, "closed")
    assert happen(closed, NOW + DAY) == closed
    again = happen(closed, NOW + DAY, [make_standing(partition_key="2026-03", action="escalate")])
    assert told(again)[-2:] == ["opened", "escalated"]
    assert [row["event_number"] for row in again] == [1, 2, 3, 4, 5]


def test_a_clock_that_was_set_back_escalates_nothing_and_keeps_the_order():
    events = happen([], standing=[make_standing()], escalate_after=HOUR)
    assert happen(events, NOW - 365 * DAY, [make_standing()], escalate_after=HOUR) == events
    closed = happen(events, NOW - DAY)
    assert read_lives(closed[::-1])["drift"].is_open is False


def test_causes_live_apart_and_their_order_does_not_matter():
    standing = [make_standing(), make_standing("calibration")]
    events = happen([], standing=standing)
    assert [row["alert_id"] for row in events] == ["calibration", "drift"]
    assert happen([], standing=standing[::-1]) == events
    left = happen(events, standing=standing[:1], fine_again={"calibration": "2026-03"})
    assert [(row["alert_id"], row["event"]) for row in left[2:]] == [("calibration", "closed")]


def test_the_reason_of_an_escalation_says_which_rule_it_was():
    assert escalation_reason("escalate", NOW, NOW, None) == "monitor.action is escalate."
    assert escalation_reason("warn", NOW, NOW + HOUR, HOUR) == "Nobody closed or snoozed it within 1:00:00."
    assert escalation_reason("warn", NOW, NOW + HOUR, None) is None
    assert escalation_reason("escalate", NOW + HOUR, NOW, HOUR) is None
