import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select

from include.monitoring import alert_history, alert_outbox
from include.monitoring.alert_outbox import MOST_ATTEMPTS
from include.monitoring.alerts import find_alerts
from include.problems.sections.monitor import Monitor, Tell
from include.warehouse.tables.monitoring import ALERT, ALERT_MESSAGE, FEATURE_DRIFT
from tests.include.monitoring.test_alerts import LIMITS
from tests.include.monitoring.test_store import make_alert, make_drift

NOW = datetime.now(UTC)
LATER = NOW + timedelta(hours=2)
OWNER, BOTH = {"mail": ["owner@example.org"]}, {"mail": ["call@example.org"], "webhook": "hook"}
TELL = Tell.model_validate({"owner": OWNER, "on_call": BOTH})


def monitor(tell=TELL, **changes):
    given = {"features": ["speed"], "reference_partitions": 2, "minimum_rows": 40, "tell": tell} | changes
    return Monitor(**given)


MONITOR = monitor(escalate_after=timedelta(hours=2))


@pytest.fixture
def stand(house):
    """Let an alert stand, and write what happened."""

    def stand_one(*, now=NOW, file=MONITOR, problem="p", cause="drift", key="2013-03"):
        with house.engine.begin() as connection:
            alert = make_alert(key, cause, problem=problem) | {"opened_at_utc": NOW}
            connection.execute(insert(FEATURE_DRIFT), [make_drift(key, cause, problem=problem)])
            connection.execute(insert(ALERT), [alert])
            alert_history.bring_up_to_date(connection, problem, file, now)

    return stand_one


@pytest.fixture
def look(house):
    def look_again(*, now=NOW, file=MONITOR):
        with house.engine.begin() as connection:
            alert_history.bring_up_to_date(connection, "p", file, now)

    return look_again


@pytest.fixture
def snooze(house):
    def snooze_drift(days):
        until = NOW + timedelta(days=days)
        with house.engine.begin() as connection:
            alert_history.snooze_alert(connection, "p", "drift", person="ada", reason="r", until=until, now=NOW)
        return until

    return snooze_drift


@pytest.fixture
def end(house, look):
    """Let no alert stand any more, and write that it is closed."""

    def end_all(**arguments):
        with house.engine.begin() as connection:
            for table in (ALERT, FEATURE_DRIFT):
                connection.execute(delete(table))
        look(**arguments)

    return end_all


@pytest.fixture
def tell(house):
    """Send what is due; give the messages that were sent, and what came of all."""

    def tell_now(*, now=NOW, to=TELL, problem="p", send=None, **limits):
        sent = []
        told = alert_outbox.tell_waiting(
            house.engine, problem, to, send or sent.append, link="https://x/alerts/p", now=now, **limits
        )
        return sent, told

    return tell_now


@pytest.fixture
def stored(house):
    def read(*names):
        with house.engine.connect() as connection:
            columns = (ALERT_MESSAGE.c[name] for name in names)
            query = select(*columns).order_by(*ALERT_MESSAGE.primary_key)
            return [tuple(row) for row in connection.execute(query)]

    return read


def refuse(message):
    raise OSError(f"no server\nfor {message.channel}")


def kinds(sent):
    return sorted((message.facts["event"], message.channel, *message.addresses) for message in sent)


def test_what_happened_is_told_once_to_whom_it_concerns(stand, look, tell):
    stand()
    assert kinds(tell()[0]) == [("opened", "mail", "owner@example.org")]
    assert tell()[0] == []
    look(now=LATER)
    assert kinds(tell(now=LATER)[0]) == [("escalated", "mail", "call@example.org"), ("escalated", "webhook")]
    assert tell(now=LATER + timedelta(days=9))[0] == []


def test_the_end_is_told_to_everybody_who_heard_of_the_life(stand, look, tell, house):
    stand()
    look(now=LATER)
    tell(now=LATER)
    with house.engine.begin() as connection:
        alert_history.close_alert(connection, "p", "drift", person="ada", reason="a holiday", now=LATER)
    sent, _ = tell(now=LATER)
    assert kinds(sent) == [
        ("closed", "mail", "call@example.org"), ("closed", "mail", "owner@example.org"), ("closed", "webhook"),
    ]  # fmt: skip
    assert all("ada: a holiday" in message.text for message in sent)
    stand(now=LATER, key="2013-04")
    assert kinds(tell(now=LATER)[0]) == [("opened", "mail", "owner@example.org")]


def test_a_hundred_columns_of_one_cause_are_one_message(house, tell):
    drifts = [make_drift(feature=f"c{n}", psi_ratio=0.3 + n / 1000) for n in range(100)]
    for row in drifts:
        row |= {"unseen_ratio": None, "psi_rest_ratio": None}
        row["bins"] = [{"name": "low", "n_rows": 60, "n_reference": 60}]
    [alert] = find_alerts(drifts, [], LIMITS, {("2013-03", "drift"): 120})
    with house.engine.begin() as connection:
        connection.execute(insert(ALERT), [alert | {"opened_at_utc": NOW}])
        alert_history.bring_up_to_date(connection, "p", MONITOR, NOW)
    [message], told = tell()
    assert "100 of 120" in message.text
    assert "c99" in message.text
    assert told.n_told == 1


def test_without_anybody_named_nobody_is_told_and_naming_somebody_tells_no_history(stand, look, tell, stored):
    stand(file=monitor(None))
    look()
    assert tell()[0] == []
    assert stored("status") == []


def test_an_escalation_goes_to_the_owner_where_nobody_is_on_call(stand, tell):
    only = Tell.model_validate({"owner": OWNER})
    stand(file=monitor(only, escalate_after=None, action="warn"))
    assert kinds(tell(to=only)[0]) == [("opened", "mail", "owner@example.org")]
    assert alert_outbox.ways_of(only, "escalated") == [("owner", "mail")]


def test_what_meets_a_snooze_is_told_when_its_time_is_over(stand, tell, snooze, stored):
    stand()
    until = snooze(days=3)
    for now in (NOW, until - timedelta(seconds=1)):
        sent, told = tell(now=now)
        assert (sent, told.n_silent) == ([], 0)
    assert stored("status", "n_attempts", "next_attempt_at_utc") == [("waiting", 0, until)]
    assert kinds(tell(now=until)[0]) == [("opened", "mail", "owner@example.org")]


def test_what_began_and_ended_within_a_snooze_is_never_told(stand, end, tell, snooze, stored):
    stand()
    until = snooze(days=3)
    tell()
    end(now=LATER)
    for now in (LATER, until, until + timedelta(days=9)):
        assert tell(now=now)[0] == []
    assert stored("event_number", "status", "n_attempts") == [(1, "silent", 0), (3, "silent", 0)]


def test_the_end_of_a_snoozed_alert_is_told_to_whom_its_beginning_was(stand, end, tell, snooze):
    stand()
    tell()
    snooze(days=3)
    end(now=LATER)
    assert kinds(tell(now=LATER)[0]) == [("closed", "mail", "owner@example.org")]


def test_the_snooze_of_a_later_life_silences_no_earlier_one(stand, tell, snooze, house):
    stand()
    tell()
    with house.engine.begin() as connection:
        alert_history.close_alert(connection, "p", "drift", person="ada", reason="r", now=NOW)
    stand(key="2013-04")
    snooze(days=3)
    assert kinds(tell()[0]) == [("closed", "mail", "owner@example.org")]


def test_the_end_waits_for_the_beginning_and_is_silent_where_that_is_given_up(stand, end, tell, stored):
    stand()
    tell(send=refuse)
    end(now=NOW)
    assert tell()[0] == []
    soon = NOW + alert_outbox.FIRST_WAIT
    tell(now=soon, send=refuse)
    assert stored("event_number", "status", "n_attempts") == [(1, "waiting", 2), (2, "waiting", 0)]
    nobody = Tell.model_validate({"owner": {"webhook": "hook"}})
    tell(now=soon + timedelta(hours=1), to=nobody)
    tell(now=soon + timedelta(hours=1))
    assert stored("event_number", "status") == [(1, "given_up"), (2, "silent")]


def test_the_end_is_written_for_nobody_who_was_never_to_hear(stand, end, look, tell, stored):
    stand()
    tell(send=refuse, to=Tell.model_validate({"owner": {"webhook": "hook"}}))  # given up
    end(now=LATER)
    assert stored("event_number", "status") == [(1, "given_up")]


def test_what_is_a_day_too_late_is_given_up_and_said(stand, tell, stored):
    stand()
    late = NOW + timedelta(days=1, seconds=1)
    sent, told = tell(now=late)
    assert (sent, told.n_given_up, told.n_waiting) == ([], 1, 0)
    assert told.errors == [f"drift, number 1, to owner by mail: {alert_outbox.TOO_LATE}"]
    assert stored("status", "n_attempts", "last_error") == [("given_up", 0, alert_outbox.TOO_LATE)]


def test_without_anybody_named_no_end_is_written_either(stand, end, tell, stored):
    stand()
    tell()
    end(now=LATER, file=monitor(None))
    assert stored("event_number", "status") == [(1, "told")]


def test_what_is_opened_anew_after_a_snooze_is_told(stand, tell, house, snooze):
    stand()
    snooze(days=3)
    with house.engine.begin() as connection:
        alert_history.close_alert(connection, "p", "drift", person="ada", reason="r", now=NOW)
    stand(key="2013-04")
    sent, told = tell()
    assert (kinds(sent), told.n_silent) == ([("opened", "mail", "owner@example.org")], 2)


def test_a_server_that_refuses_is_asked_again_later_and_the_reason_is_kept(stand, tell, stored):
    stand()
    _, told = tell(send=refuse)
    assert told.errors == ["drift, number 1, to owner by mail: OSError: no server for mail"]
    assert stored("status", "n_attempts", "last_error") == [("waiting", 1, "OSError: no server for mail")]
    assert tell()[0] == []  # not yet
    [message], _ = tell(now=NOW + alert_outbox.FIRST_WAIT)
    assert message.key == "p/drift/1/owner"
    [(status, n_attempts, error, told_at)] = stored("status", "n_attempts", "last_error", "told_at_utc")
    assert (status, n_attempts, error) == ("told", 2, None)
    assert told_at >= NOW


def test_after_a_stated_number_of_attempts_it_is_given_up_with_its_reason(stand, tell, stored):
    stand()
    now, n_asked = NOW, []

    def refuse_and_count(message):
        n_asked.append(message)
        refuse(message)

    for _ in range(MOST_ATTEMPTS + 3):
        tell(now=now, send=refuse_and_count)
        now += timedelta(days=1)
    assert len(n_asked) == MOST_ATTEMPTS
    assert stored("status", "last_error") == [("given_up", "OSError: no server for mail")]


def test_the_waits_double_and_the_last_attempt_is_half_a_day_after_the_first(stand, tell, stored):
    stand()
    now = NOW
    for _ in range(MOST_ATTEMPTS - 1):
        tell(now=now, send=refuse)
        [(now,)] = stored("next_attempt_at_utc")
    assert now - NOW == timedelta(minutes=5 * 127)


def test_a_server_that_hangs_costs_its_time_once_and_keeps_no_other_way_waiting(stand, look, tell, stored):
    stand()
    stand(cause="output_drift")
    look(now=LATER)
    freed, begun, sent = threading.Event(), [], []

    def hang_by_mail(message):
        if message.channel == "mail" and message.addresses == ("call@example.org",):
            begun.append(message)
            freed.wait(30)
        else:
            sent.append(message)

    _, told = tell(now=LATER, send=hang_by_mail, longest_send_s=0.05)
    freed.set()
    assert len(begun) == 1
    assert (len(sent), told.n_waiting) == (4, 2)
    assert told.errors == ["drift, number 2, to on_call by mail: The server did not finish within 0.05 seconds."]
    assert sorted(stored("status", "n_attempts")) == [("told", 1)] * 4 + [("waiting", 0), ("waiting", 1)]


def test_one_that_nobody_takes_is_behind_those_that_were_not_tried(stand, tell):
    stand()
    tell(send=refuse)
    stand(cause="output_drift", now=NOW + timedelta(hours=1))
    sent = []

    def refuse_drift(message):
        sent.append(message.facts["alert_id"])
        if message.facts["alert_id"] == "drift":
            refuse(message)

    tell(now=NOW + timedelta(days=1), send=refuse_drift)
    assert sent == ["output_drift", "drift"]


def test_a_run_that_took_too_long_leaves_the_rest_to_the_next(stand, tell):
    stand()
    sent, told = tell(longest_run_s=-1)
    assert (sent, told.n_waiting) == ([], 1)
    assert len(tell()[0]) == 1


def test_two_problems_hear_of_their_own_alone(stand, tell):
    stand()
    stand(problem="q")
    _, broken = tell(send=refuse)
    sent, _ = tell(problem="q")
    assert broken.n_told == 0
    assert [message.facts["problem"] for message in sent] == ["q"]


def test_two_runs_at_once_send_each_message_once(stand, house):
    for cause in ("drift", "output_drift"):
        stand(cause=cause)
    sent, barrier = [], threading.Barrier(4)

    def run(_):
        barrier.wait(20)
        alert_outbox.tell_waiting(house.engine, "p", TELL, sent.append, link="", now=NOW)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert sorted(message.facts["alert_id"] for message in sent) == ["drift", "output_drift"]


def test_a_message_whose_process_was_killed_is_sent_again(stand, tell, monkeypatch):
    class Killed(BaseException):
        """Airflow ends a task by an exception that is no Exception."""

    def die(*_, **__):
        raise Killed

    stand()
    with monkeypatch.context() as patch:
        patch.setattr(alert_outbox, "_note", die)
        with pytest.raises(Killed):
            tell()
    [message], _ = tell(now=NOW + alert_outbox.FIRST_WAIT)
    assert message.facts["event"] == "opened"


def test_whom_the_file_names_no_longer_is_given_up_at_once(stand, look, tell, stored):
    stand()
    look(now=LATER)
    _, told = tell(now=LATER, to=Tell.model_validate({"owner": {"webhook": "hook"}}))
    assert (told.n_told, told.n_given_up) == (0, 3)
    assert set(stored("status", "last_error")) == {("given_up", "monitor.tell names nobody here any more.")}


def test_an_alert_that_stands_no_more_is_told_of_all_the_same(stand, tell, house):
    stand()
    with house.engine.begin() as connection:
        connection.execute(delete(ALERT))
    [message], _ = tell()
    assert "It moved." in message.text
