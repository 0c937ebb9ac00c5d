import pytest

from include.problems.sections.monitor import Monitor

BROKEN = [
    ("monitor.features", "distance_miles", "field monitor.features: must be a list: [a, b], or one - a line (it"),
    ("monitor.features", [], "field monitor.features: List should have at least 1 item"),
]


@pytest.mark.parametrize(("place", "value", "line"), BROKEN)
def test_one_broken_field_is_named_with_its_remedy(refusal_of, place, value, line):
    assert line in refusal_of(place, value)


@pytest.mark.parametrize("field", ["psi_alert", "unseen_alert", "ece_alert", "relative_error_alert"])
@pytest.mark.parametrize("threshold", [0, -0.1, True, float("inf")])
def test_a_threshold_that_always_or_never_alerts_is_refused(refusal_of, field, threshold):
    assert f"field monitor.{field}" in refusal_of(f"monitor.{field}", threshold)


def test_an_alert_only_warns(read):
    monitor = read().monitor
    assert (monitor.action, monitor.reference_partitions) == ("warn", 3)


def test_an_action_that_nothing_takes_is_refused(refusal_of):
    assert "field monitor.action: Input should be 'warn', 'escalate' or 'retrain'" in refusal_of("monitor.action", "x")


def test_an_alert_that_asks_for_a_training_needs_one_that_the_log_teaches(refusal_of, read):
    assert "field monitor.action: retrain needs the section training" in refusal_of(
        "monitor.action", "retrain", training=None
    )


def test_how_often_a_training_is_asked_for_stands_only_where_one_is(refusal_of):
    refusal = refusal_of("monitor.retrain_every", "P2D")
    assert "field monitor.retrain_every: nothing asks for a training; write action: retrain" in refusal


@pytest.mark.parametrize("field", ["escalate_after", "arrives_within"])
@pytest.mark.parametrize("period", [3, "3 hours", "PT0S"])
def test_a_promised_time_is_a_period_longer_than_nothing(refusal_of, field, period):
    assert f"field monitor.{field}" in refusal_of(f"monitor.{field}", period)


@pytest.mark.parametrize(
    ("more", "is_needed"),
    [
        ({"escalate_after": "PT6H"}, True),
        ({"arrives_within": "PT6H"}, True),
        ({"tell": {"owner": {"webhook": "team-alerts"}}}, True),  # to send again what was not taken
        ({"action": "retrain"}, True),  # to announce again what Airflow lost
        ({}, False),
    ],
)
def test_a_clock_is_needed_for_each_promised_time_and_for_messages(more, is_needed):
    assert Monitor(features=["a"], reference_partitions=1, **more).needs_clock is is_needed


def test_a_share_above_one_is_no_share(refusal_of):
    assert "field monitor.unseen_alert" in refusal_of("monitor.unseen_alert", 1.1)


@pytest.mark.parametrize("n", [0, -1, 2.5, "3"])
def test_a_reference_is_at_least_one_whole_partition(refusal_of, n):
    assert "field monitor.reference_partitions" in refusal_of("monitor.reference_partitions", n)


@pytest.mark.parametrize(
    "address",
    ["", "team", "a@b c", "a@example.org\nBcc: eve@example.org", "a@example.org, b@example.org", "A <a@example.org>"],
)
def test_what_is_not_one_mail_address_is_refused(refusal_of, address):
    refusal = refusal_of("monitor.tell", {"owner": {"mail": [address]}})
    assert "field monitor.tell.owner.mail" in refusal
    assert "is no mail address; write one address" in refusal


def test_a_webhook_is_named_by_its_connection_and_never_by_its_address(refusal_of):
    refusal = refusal_of("monitor.tell", {"owner": {"webhook": "https://hooks.example.org/T0/secret"}})
    assert "field monitor.tell.owner.webhook: is no name of an Airflow connection" in refusal


@pytest.mark.parametrize(
    ("on_call", "line"),
    [
        ({}, "field monitor.tell.on_call.mail: names nobody; write mail"),
        ({"mail": ["a@example.org"] * 2}, "field monitor.tell.on_call.mail: a@example.org stands there more than once"),
    ],
)
def test_a_recipient_is_somebody_and_named_once(refusal_of, on_call, line):
    assert line in refusal_of("monitor.tell", {"owner": {"webhook": "hook"}, "on_call": on_call})


def test_somebody_on_call_without_an_owner_is_refused(refusal_of):
    assert "field monitor.tell.owner" in refusal_of("monitor.tell", {"on_call": {"webhook": "hook"}})
