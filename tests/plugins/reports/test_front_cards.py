"""The cards of the front page say what is true of a problem, and nothing where its file raises no question."""

from datetime import UTC, datetime
from typing import Any

import pytest

from include.problems.reading import load_problems
from include.problems.schema import Problem
from include.settings import read_settings
from reports import front_cards
from reports.front import PARTS
from reports.front_cards import Asked, Card
from reports.front_texts import TEXTS

NOW = datetime(2013, 2, 1, 8, 30, tzinfo=UTC)
PROBLEMS = {problem.name: problem for problem in load_problems(read_settings().problems_dir)[0]}


def ask(name: str, missing: tuple[str, ...] = (), *, may_answer: bool = True, **rows: Any) -> Asked:
    """Give what is asked about a problem of the repository: no rows but those named, one or a list each."""
    found = {part: [] for part in PARTS} | {key: row if isinstance(row, list) else [row] for key, row in rows.items()}
    return Asked(PROBLEMS[name], found, missing, TEXTS["en"], "en", may_answer)


def said(card: Card | None) -> str:
    assert card is not None
    return "\n".join([card.figure, *(line.text for line in card.lines)])


def make_arrival(**changes: Any) -> dict[str, Any]:
    row = {"newest_key": "2013-06", "newest_verdict": "published", "published_key": "2013-06"}
    return row | {"n_partitions": 6, "n_published": 6} | changes


def make_alert(cause: str, **changes: Any) -> dict[str, Any]:
    row = {"alert_id": cause, "partition_key": "2013-06", "value": 2.0, "state": "open"}
    return row | changes


def make_month(**changes: Any) -> dict[str, Any]:
    row = {"month": "2013-06", "n_labelled": 1_200, "mean_predicted_ratio": 0.23, "observed_ratio": 0.33}
    return row | {"n_compared": 1, "n_beyond": 0} | changes


def make_profit(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"expected_key": "2013-07", "estimate": 0.5, "low": 0.25, "high": 0.75}
    return row | {"realised_key": "2013-06", "actual": 0.4, "n_labelled": 900, "is_covered": True} | changes


def make_result(**changes: Any) -> dict[str, Any]:
    lifts = dict.fromkeys(("promised_lift_ratio", "realised_lift_ratio", "realised_low", "realised_high"))
    row = {"experiment": "experiment", "decision": "wait", "phase": "pilot", "winner": None, "variant_in_force": None}
    return row | lifts | changes


def test_a_problem_that_has_nothing_says_so_and_is_not_bad() -> None:
    card = front_cards.arriving(ask("flight_delay"))
    assert said(card).startswith("nothing yet\nNo partition has landed.")
    assert not card.is_bad


@pytest.mark.parametrize("verdict", ["refused", "failed"])
def test_a_newest_partition_that_is_kept_out_is_bad(verdict: str) -> None:
    arrival = make_arrival(newest_key="2013-07", newest_verdict=verdict)
    card = front_cards.arriving(ask("flight_delay", arrivals=arrival))
    assert card.figure == "2013-06"
    assert "The newest, 2013-07:" in said(card)
    assert card.is_bad


def test_where_nothing_is_published_no_partition_is_called_so() -> None:
    arrival = make_arrival(newest_verdict="refused", published_key=None, n_published=0)
    told = said(front_cards.arriving(ask("flight_delay", arrivals=arrival)))
    assert told.startswith("none is published\n0 of 6 partitions are in.\nThe newest, 2013-06: refused.")


def test_late_partitions_are_counted_and_a_failed_wait_is_bad() -> None:
    late = front_cards.arriving(ask("flight_delay", arrivals=make_arrival(), alerts=make_alert("late", value=988.0)))
    assert "Partitions that have not arrived in time: 988." in said(late)
    assert late.is_bad
    waits = {"partition_key": "2013-05", "dag_id": "flight_delay__monitor", "since_utc": NOW, "n_waiting": 3}
    for n_failed, is_bad in ((0, False), (1, True)):
        card = front_cards.arriving(
            ask("flight_delay", arrivals=make_arrival(), waiting=waits | {"n_failed": n_failed})
        )
        assert "2013-05 in flight_delay__monitor, since 2013-02-01 08:30 UTC; 3 waiting in all" in said(card)
        assert card.is_bad is is_bad


def test_on_time_is_only_said_where_a_time_was_promised() -> None:
    promised = PROBLEMS["flight_delay"].monitor
    assert promised is not None
    for within in (None, NOW - NOW.replace(day=1, hour=0)):
        asked = ask("flight_delay", arrivals=make_arrival())
        monitor = promised.model_copy(update={"arrives_within": within})
        problem = asked.problem.model_copy(update={"monitor": monitor})
        told = said(front_cards.arriving(Asked(problem, asked.rows, (), asked.words, "en", may_answer=True)))
        assert ("None is late." in told) is (within is not None)


@pytest.mark.parametrize(
    ("changes", "figure", "words", "tone"),
    [
        ({}, "said 23, happened 33", "Within what chance allows.", "good"),
        ({"n_beyond": 1}, "said 23, happened 33", "Further off than chance allows in 1 of 1 partitions.", "bad"),
        ({"n_compared": 0}, "said 23, happened 33", "Not held against chance yet.", ""),
        ({"n_labelled": 99}, "too few answers", "Only 99 rows of 2013-06 have a known answer; a figure needs 100.", ""),
    ],
)
def test_said_and_happened_have_a_state_and_enough_rows(
    changes: dict[str, Any], figure: str, words: str, tone: str
) -> None:
    card = front_cards.honest(ask("flight_delay", honesty=make_month(**changes)))
    assert card is not None
    assert (card.figure, card.tone) == (figure, tone)
    assert words in said(card)


def test_the_class_that_is_furthest_off_speaks_for_all() -> None:
    worst = {"partition_key": "2013-06", "class_name": "Adelie", "mean_predicted_ratio": 0.5, "positive_ratio": None}
    for n_compared, n_beyond, words, tone in (
        (3, 0, "Within", "good"),
        (3, 2, "allows: 2 of 3 classes", "bad"),
        (2, 1, "allows: 1 of 2 classes", "bad"),
        (0, 0, "Not held against chance yet.", ""),
    ):
        row = worst | {"n_labelled": 70, "n_classes": 3, "n_compared": n_compared, "n_beyond": n_beyond}
        card = front_cards.honest(ask("penguins", classes=row))
        assert "Adelie: said 50, happened –" in said(card)
        assert words in said(card)
        assert card is not None
        assert card.tone == tone


@pytest.mark.parametrize(("low", "tone"), [(0.7, "good"), (0.85, "bad"), (None, "")])
def test_an_interval_that_holds_too_seldom_is_bad(low: float | None, tone: str) -> None:
    row = {"month": "2013-06", "stated_ratio": 0.8, "coverage_ratio": 0.9, "coverage_low": low, "coverage_high": 0.95}
    card = front_cards.honest(ask("bikes", quantities=row | {"n_labelled": 3_000}))
    assert card is not None
    assert (card.figure, card.tone) == ("said 80, held 90", tone)


def test_the_worst_alert_is_named_and_snoozed_ones_alone_are_not_bad() -> None:
    month = make_month()
    escalated = [make_alert("drift", state="escalated"), make_alert("late")]
    card = front_cards.honest(ask("flight_delay", honesty=month, alerts=escalated))
    assert "Open alerts: 2, escalated: 1; the worst: Columns of the log have moved (2013-06)." in said(card)
    assert card is not None
    assert card.is_bad
    snoozed = front_cards.honest(ask("flight_delay", honesty=month, alerts=make_alert("drift", state="snoozed")))
    assert "Open alerts: 1, all snoozed" in said(snoozed)
    assert snoozed is not None
    assert not snoozed.is_bad


def test_a_log_that_is_only_ingested_is_asked_one_question() -> None:
    plain = PROBLEMS["campaign"].model_copy(update={"experiment": None, "experiments": {}})
    asked = ask("campaign", arrivals=make_arrival())
    asked = Asked(plain, asked.rows, (), asked.words, "en", may_answer=True)
    questions = (front_cards.honest, front_cards.pays, front_cards.waits_for_me)
    assert [question(asked) for question in questions] == [None, None, None]
    assert front_cards.arriving(asked).figure == "2013-06"


def test_an_experiment_alone_pays_by_what_it_really_added() -> None:
    assert front_cards.honest(ask("campaign")) is None
    waits = said(front_cards.pays(ask("campaign")))
    assert waits == "not known yet\nExperiment: nothing of its log was published yet."
    lifts = {"realised_lift_ratio": -0.0058, "realised_low": -0.02, "realised_high": 0.0, "promised_lift_ratio": 0.25}
    row = make_result(decision="send", phase="rest", winner="b", variant_in_force="b", **lifts)
    told = said(front_cards.pays(ask("campaign", experiments=row)))
    assert told.startswith("-0.58 of 100\n")
    assert "“b” is sent and beats the control" in told
    assert "-0.58 of 100 (-2 to +0); +25 were promised." in told


@pytest.mark.parametrize(
    ("changes", "words", "is_bad"),
    [
        ({"phase": "ended"}, "it is over", False),
        ({"decision": "send", "variant_in_force": "b", "phase": "paused"}, "paused by its file", False),
        ({"decision": "send", "variant_in_force": "b"}, "not shown to beat", False),
        ({"decision": "keep_control", "variant_in_force": "a"}, "the control “a” is kept", False),
        ({"phase": "hold"}, "on hold", False),
        ({"decision": "blocked"}, "a check fails", True),
        ({"decision": "blocked", "phase": "ended"}, "it is over", False),
        ({}, "the pilot is running", False),
    ],
)
def test_an_experiment_says_how_it_stands(changes: dict[str, Any], words: str, is_bad: bool) -> None:
    card = front_cards.pays(ask("campaign", experiments=make_result(**changes)))
    assert words in said(card)
    assert card is not None
    assert card.is_bad is is_bad


@pytest.mark.parametrize(
    ("changes", "words", "is_bad"),
    [
        ({}, "Earned: +40 dollars of 100 rows of 2013-06, over 900 rows", False),
        ({"is_covered": False}, "outside of what was expected", True),
        ({"actual": -0.031}, "Earned: -3.1 dollars", True),
        ({"low": None, "high": None}, "how sure is not known yet", False),
        ({"estimate": -0.5}, "-50 dollars", True),
        ({"realised_key": None, "actual": None}, "expected of 100 rows of 2013-07 (+25 to +75)", False),
        ({"expected_key": None}, "not known yet\nEarned: +40 dollars of 100 rows of 2013-06", False),
        ({"expected_key": None, "actual": -0.4}, "Earned: -40 dollars", True),
    ],
)
def test_money_is_told_per_100_rows_and_a_loss_is_bad(changes: dict[str, Any], words: str, is_bad: bool) -> None:
    card = front_cards.pays(ask("flight_delay", profits=make_profit(**changes)))
    assert words in said(card)
    assert card is not None
    assert card.is_bad is is_bad


def test_of_several_classes_no_money_is_awaited_that_nobody_measures() -> None:
    several = front_cards.pays(ask("penguins"))
    assert said(several).startswith("not estimated\nWhat is earned is estimated of two classes and of quantities.")
    assert several is not None
    assert [line.href for line in several.lines] == ["problems/penguins?lang=en"]
    assert "No partition was scored and priced yet." in said(front_cards.pays(ask("flight_delay")))


def test_a_quantity_earns_what_planning_with_it_gained() -> None:
    row = {"month": "2013-06", "profit_gain": -1_234.5, "n_labelled": 3_000}
    card = front_cards.pays(ask("bikes", quantities=row))
    assert card is not None
    assert (card.figure, card.tone) == ("-1,234 dollars", "bad")


def test_what_waits_is_counted_and_leads_to_where_it_is_done() -> None:
    batch = {"n_batches": 2, "n_waiting": 14, "due_at_utc": NOW, "is_overdue": True}
    waits = [{"kind": "version", "name": "v 2&3", "n_labels": None}, {"kind": "answers", "name": "", "n_labels": 40}]
    tie = {"experiment": "mail", "until_utc": NOW}
    card = front_cards.waits_for_me(ask("ad_review", batches=batch, approvals=waits, ties=tie))
    assert card is not None
    assert card.figure == "14 to answer, 3 to decide"
    assert "overdue" in said(card)
    assert [line.href for line in card.lines] == [
        "",
        "../desk/",
        "../models/card?problem=ad_review&version=v+2%263",
        "../desk/",
        "../experiments/experiment?problem=ad_review&experiment=mail&lang=en",
    ]


def test_who_may_not_answer_is_led_to_no_desk() -> None:
    batch = {"n_batches": 1, "n_waiting": 14, "due_at_utc": NOW, "is_overdue": False}
    card = front_cards.waits_for_me(ask("ad_review", may_answer=False, batches=batch))
    assert "Answering is for those who may edit" in said(card)
    assert card is not None
    assert not card.is_bad
    assert {line.href for line in card.lines} == {""}


@pytest.mark.parametrize(
    "question", [front_cards.arriving, front_cards.honest, front_cards.pays, front_cards.waits_for_me]
)
def test_what_could_not_be_read_is_said_and_nothing_in_its_place(question: Any) -> None:
    problem: Problem = PROBLEMS["flight_delay"]
    asked = ask(problem.name, missing=tuple(PARTS))
    card = question(asked)
    assert [line.text.partition(",")[0] for line in card.lines] == ["Not shown"]
    assert card.figure == ""
    assert card.is_bad
