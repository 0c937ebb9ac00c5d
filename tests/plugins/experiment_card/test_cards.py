"""What the Experiments page says of rows: states, sentences, turns and changes, whatever the rows are."""

from typing import Any

import pytest

from experiment_card import cards
from include.problems.reading import load_problem

CAMPAIGN = load_problem("campaign").named_experiments["experiment"]


def result(**changes: Any) -> dict[str, Any]:
    row = {"phase": "pilot", "is_final": False, "decision": "wait", "variant_in_force": None, "winner": None}
    return row | changes


def variant(name: str, **changes: Any) -> dict[str, Any]:
    row = {"variant": name, "is_sent": False, "is_control": False, "verdict": "unclear", "lift_ratio": 0.03}
    return (
        row | {"low_any_look": 0.01, "high_any_look": 0.05, "shrunk_lift_ratio": 0.02, "expected_loss": 0.5} | changes
    )


@pytest.mark.parametrize(
    ("changes", "state", "lead"),
    [
        ({}, "running", "lead.running"),
        ({"phase": "wave 3"}, "running", "lead.running"),
        ({"decision": "blocked"}, "running", "lead.blocked"),
        ({"phase": "hold"}, "holding", "lead.holding"),
        ({"phase": "hold", "decision": "blocked"}, "holding", "lead.holding"),
        ({"phase": "rest", "is_final": True, "winner": "b", "variant_in_force": "b"}, "decided", "lead.send_claimed"),
        ({"phase": "rest", "is_final": True, "variant_in_force": "b"}, "decided", "lead.send"),
        ({"phase": "rest", "is_final": True, "decision": "keep_control"}, "decided", "lead.keep_control"),
        ({"phase": "ended"}, "ended", "lead.ended"),
        ({"phase": "paused"}, "paused", "lead.paused"),
        ({"phase": "paused", "is_final": True, "variant_in_force": "b"}, "paused", "lead.paused"),
        ({"phase": "ended", "is_final": True, "variant_in_force": "b"}, "ended", "lead.ended_decided"),
    ],
)
def test_a_state_follows_from_phase_and_decision(changes: dict[str, Any], state: str, lead: str) -> None:
    row = result(**changes)
    assert (cards.find_state(row, is_in_file=True), cards.find_lead(row, state)) == (state, lead)


@pytest.mark.parametrize(
    ("approver", "answer_by", "lead"),
    [("ada", "an hour", "lead.asking"), ("ada", None, "lead.to_ask"), (None, "an hour", "lead.holding")],
)
def test_a_person_is_asked_only_where_a_question_is_open(approver: str, answer_by: str, lead: str) -> None:
    row = result(phase="hold", decision="ask", answer_by_utc=answer_by)
    assert cards.find_lead(row, "holding", approver=approver) == lead


def test_one_without_a_window_has_not_begun_and_one_without_a_file_is_removed() -> None:
    assert cards.find_state(None, is_in_file=True) == "not_begun"
    assert cards.find_state(result(), is_in_file=False) == "removed"
    assert (cards.find_lead(None, "not_begun"), cards.find_lead(result(), "removed")) == (
        "lead.not_begun",
        "lead.removed",
    )


def row_of(key: str, phase: str, name: str | None, share: float | None) -> dict[str, Any]:
    return {"partition_key": key, "phase": phase, "variant": name, "share_ratio": share}


def test_what_is_sent_now_is_dated_by_its_first_window_without_a_break() -> None:
    rest = [("a", 0.3), ("b", 0.7)]
    rows = [row_of("01", "rest", *one) for one in rest] + [row_of("02", "hold", None, None)]
    rows += [row_of(key, "rest", *one) for key in ("03", "04") for one in rest]
    windows = cards.group_windows(rows)
    assert [window["shares"] for window in windows] == [dict(rest), {}, dict(rest), dict(rest)]
    assert cards.find_since(windows) == ("03", False)
    assert cards.find_since(windows[:2]) == ("02", False)
    assert cards.find_since([]) == (None, False)
    assert cards.find_since(windows[2:], n_read=len(windows[2:])) == ("03", True)


@pytest.mark.parametrize(("phase", "parts"), [("wave 12", ("wave", "12")), ("hold", ("hold", "")), (None, ("", ""))])
def test_a_wave_is_told_with_its_number(phase: str | None, parts: tuple[str, str]) -> None:
    assert cards.split_phase(phase) == parts


def test_traffic_is_the_slice_of_a_layer_or_everybody() -> None:
    sliced = CAMPAIGN.model_copy(update={"layer": "mail", "traffic": [0.25, 0.75]})
    told, whole = cards.describe_traffic(sliced), cards.describe_traffic(CAMPAIGN)
    assert told is not None
    assert (told["layer"], told["share"], told["low"]) == ("mail", 50.0, 0.25)
    assert whole is not None
    assert (whole["layer"], whole["share"]) == (None, 100.0)
    assert cards.describe_traffic(None) is None


def test_lifts_are_told_of_100_with_the_band_of_every_look() -> None:
    rows = [
        variant("a", lift_ratio=None, is_control=True),
        variant("b"),
        variant("c", is_sent=True),
        variant("old", low_any_look=None),
    ]
    told = cards.tell_lifts(rows, [])
    assert [row["variant"] for row in told] == ["c", "b"]
    assert told[0] | {"variant": "b"} == told[1]
    assert (told[0]["of_100"], told[0]["low"], told[0]["high"], told[0]["to_expect"]) == (3.0, 1.0, 5.0, 2.0)


@pytest.mark.parametrize(("kind", "of_100"), [("sum", 150.0), ("binary", 150.0), ("ratio", 1.5)])
def test_where_a_metric_decides_it_is_told_and_a_ratio_is_not_of_100(kind: str, of_100: float) -> None:
    metric = {"role": "primary", "kind": kind, "metric": "money", "variant": "b", "verdict": "better"}
    bands = {"lift": 1.5, "low_any_look": 0.5, "high_any_look": 2.5}
    (told,) = cards.tell_lifts([variant("b")], [metric | bands, metric | bands | {"role": "secondary"}])
    assert (told["of_100"], told["kind"], told["to_expect"]) == (of_100, kind, None)


def test_the_control_is_the_logs_own_or_that_of_the_file() -> None:
    assert cards.find_control([variant("b"), variant("a", is_control=True)], CAMPAIGN) == "a"
    assert (cards.find_control([], CAMPAIGN), cards.find_control([], None)) == ("none", "")


def test_a_change_of_the_plan_is_named_by_its_key_down_to_the_value() -> None:
    before = {"salt": "a", "decide": {"value": 1, "costs": {"b": 1}}, "gone": None, "of": []}
    after = {"salt": "a", "decide": {"value": 2, "costs": {"b": 1}}, "of": []}
    assert cards.changes_between(before, after) == [{"key": "decide.value", "before": 1, "after": 2}]
    assert cards.changes_between({}, {"end": {"after": "P1D"}}) == [
        {"key": "end.after", "before": None, "after": "P1D"}
    ]
    assert cards.changes_between(["a"], []) == []


def test_windows_that_came_to_the_same_end_are_one_turn() -> None:
    def window(key: str, outcome: str, plan: str = "p") -> dict[str, Any]:
        same = {"variant": None, "is_final": False, "plan_sha256": plan, "reason": f"why in {key}"}
        return {"partition_key": key, "outcome": outcome} | same

    rows = [window("05", "wait", "q"), window("04", "wait"), window("03", "blocked"), window("02", "wait")]
    turns = cards.only_turns([*rows, window("01", "wait")])
    assert [(row["partition_key"], row["until"]) for row in turns] == [
        ("05", "05"),
        ("04", "04"),
        ("03", "03"),
        ("01", "02"),
    ]
    assert [row["reason"] for row in turns][-1] == "why in 02"
    assert [row["is_cut"] for row in turns] == [False] * 4
    assert [row["is_cut"] for row in cards.only_turns(rows, n_read=4)] == [False, False, False, True]


def test_money_is_the_loss_over_those_who_are_to_come() -> None:
    decide = CAMPAIGN.decide.model_copy(update={"costs": {"b": 3.0}, "units_to_come": 1_000})
    priced = CAMPAIGN.model_copy(update={"decide": decide})
    rows = [variant("b"), variant("c", expected_loss=None)]
    assert cards.tell_money(priced, rows) == [
        {"variant": "b", "cost": 3.0, "loss": 0.5, "loss_to_come": 500.0},
        {"variant": "c", "cost": 0.0, "loss": None, "loss_to_come": None},
    ]
    assert cards.tell_money(None, rows) == []
