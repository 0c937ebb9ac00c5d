"""Nobody answers what another holds, nothing is answered twice, and what is refused is refused with a reason."""

import threading
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from include.errors import DeskRefused
from include.names import Arm, Stage
from include.problems.sections.review import Route
from include.review.batches import store as batches
from include.review.batches.assignments import Place
from include.review.batches.completion import finish_batch_if_complete
from include.review.desk import service
from include.review.desk.actions import finish_if_nothing_waits
from include.review.desk.permissions import Person
from include.review.desk.refusals import Refusal
from include.warehouse import coverage
from include.warehouse.tables.desk import REVIEW_AUDIT, REVIEW_CONTENT, REVIEW_PASS, REVIEW_SEAT
from include.warehouse.tables.review import AGREEMENT, LABEL, REVIEW_BATCH
from tests.include.review.desk.conftest import (
    ADA,
    BEN,
    CAN,
    answer,
    expire,
    finish,
    item_of,
    pass_on,
    place,
    refused,
    take,
    undo,
)
from tests.laid_desk import BATCH, NOW, PROBLEM, explain, lay_out, make_choice, make_problem, rows

# ---------------------------------------------------------------- one after another


def test_the_next_item_comes_until_there_is_none_and_whoever_is_last_has_news(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    ada, ben = item_of(take(engine)), item_of(take(engine, BEN))
    given = {"label": "wanted", "note": None, "looked_ms": None}
    after = []
    for person, item_id in ((ADA, ada), (BEN, ben), (ADA, ada)):
        service.answer(engine, make_problem(), place(item_id), person, request_id=f"request-{person.name}", **given)
        after.append(service.move_on(engine, make_problem(), BATCH, person, "en"))
    nothing, news, told = after
    assert (nothing["item"], nothing["is_finished"], nothing["is_news"]) == (None, False, False)
    assert (news["item"], news["is_finished"], news["is_news"]) == (None, True, True)
    assert (told["item"], told["is_finished"], told["is_news"]) == (None, True, False)


def test_who_loses_the_race_for_the_end_is_told_that_it_is_over(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    held = {person: item_of(take(engine, person)) for person in (ADA, BEN)}
    for person, item_id in held.items():
        given = {"label": "wanted", "note": None, "looked_ms": None, "request_id": f"request-{person.name}"}
        service.answer(engine, make_problem(), place(item_id), person, **given)

    def finish_after_ben(*arguments: Any) -> bool:  # he comes between her look for a next item and her look for the end
        assert finish(engine, BEN)
        return finish_if_nothing_waits(*arguments)

    monkeypatch.setattr(service.actions, "finish_if_nothing_waits", finish_after_ben)
    told = service.move_on(engine, make_problem(), BATCH, ADA, "en")
    assert told == {"item": None, "is_finished": True, "is_news": False}


# ---------------------------------------------------------------- leases


def test_two_people_get_different_items_and_each_keeps_theirs(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    assert [item_of(take(engine, person)) for person in (ADA, BEN, ADA)] == ["mail-01", "mail-02", "mail-01"]
    assert take(engine, CAN) is None


def test_an_overlap_item_goes_to_two_people_and_never_to_one_twice(engine: Engine) -> None:
    lay_out(engine, [make_choice(1, n_answers_wanted=2)])
    answer(engine, item_of(take(engine, ADA)))
    assert take(engine, ADA) is None
    assert item_of(take(engine, BEN)) == "mail-01"
    assert take(engine, CAN) is None


def test_an_abandoned_item_comes_back_and_the_late_answer_is_refused(engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    take(engine, ADA)
    assert take(engine, BEN) is None
    expire(engine)
    assert item_of(take(engine, BEN)) == "mail-01"
    assert refused(answer, engine, "mail-01", ADA) == Refusal.NOT_HELD
    assert answer(engine, "mail-01", BEN)["is_finished"]


def test_a_late_answer_counts_while_nobody_else_has_the_item(engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    take(engine, ADA)
    expire(engine)
    assert answer(engine, "mail-01", ADA)["is_finished"]


def test_the_lease_is_as_long_as_the_problem_says(engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    take(engine, ADA, make_problem(lease=timedelta(hours=3)))
    assignment = rows(engine, REVIEW_SEAT)[0]
    assert assignment["expires_at_utc"] - assignment["taken_at_utc"] == timedelta(hours=3)


def test_what_somebody_leaves_is_free_at_once(engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    take(engine, ADA)
    assert service.leave(engine, place(), ADA) == {"given_back": ["mail-01"]}
    assert item_of(take(engine, BEN)) == "mail-01"


def test_a_skilled_item_waits_for_a_trained_person(engine: Engine) -> None:
    problem = make_problem(routes=[Route(when="true", skill="medical")], skills={"medical": ["ben", "Nurse"]})
    lay_out(engine, [make_choice(1, skill="medical"), make_choice(2)])
    assert item_of(take(engine, ADA, problem)) == "mail-02"
    assert item_of(take(engine, BEN, problem)) == "mail-01"
    service.leave(engine, place(), BEN)
    assert item_of(take(engine, Person("can", frozenset({"nurse"})), problem)) == "mail-01"


@pytest.mark.slow
def test_five_people_at_once_answer_everything_once_and_overlap_twice(engine: Engine) -> None:
    lay_out(engine, [make_choice(number, n_answers_wanted=1 + (number % 10 == 0)) for number in range(60)])
    people = [Person(f"person-{number}") for number in range(5)]
    finished: list[bool] = []

    def work(person: Person) -> None:
        with suppress(DeskRefused):  # somebody else was faster with the last item, and the batch is finished
            while (item := take(engine, person)) is not None:
                finished.append(answer(engine, item["item_id"], person)["is_finished"])

    threads = [threading.Thread(target=work, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers = Counter(row["item_id"] for row in rows(engine, LABEL))
    assert answers == {f"mail-{number:02d}": 1 + (number % 10 == 0) for number in range(60)}
    assert (finished.count(True), rows(engine, REVIEW_BATCH)[0]["status"]) == (1, "answered")


# ---------------------------------------------------------------- answers


def test_an_answer_carries_what_was_shown_with_it(engine: Engine) -> None:
    lay_out(engine, [make_choice(1, p_positive=0.38), make_choice(2)])
    item = take(engine)
    answer(engine, item_of(item), note=" sounds real ", label="unsolicited")
    label = rows(engine, LABEL)[0]
    assert (label["label"], label["note"], label["arm"], label["is_demo"]) == (
        "unsolicited",
        "sounds real",
        "entropy",
        False,
    )
    shown = label["shown"]
    assert shown["content_hash"] == rows(engine, REVIEW_CONTENT)[0]["content_hash"]
    assert (shown["model"]["n_of_100"], shown["model"]["model_version"], shown["was_blind"]) == (38, "v001", False)
    assert item is not None
    assert item["model"] == shown["model"]


def test_what_moved_the_model_is_shown_the_strongest_first_and_for_this_item_only(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    explain(engine, "mail-01", {"friend": 1.5, "meeting": -0.7})
    item = take(engine)
    assert item is not None
    assert item["model"]["reasons"] == [
        {"feature": "friend", "contribution": 1.5},
        {"feature": "meeting", "contribution": -0.7},
    ]
    answer(engine, "mail-01")
    other = take(engine)
    assert other is not None
    assert other["model"]["reasons"] == []


def test_a_blind_problem_shows_the_model_only_after_the_answer(engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    item = take(engine, ADA, make_problem(blind=True))
    assert item is not None
    assert (item["model"], item["is_blind"]) == (None, True)
    assert "0.38" not in str(item)
    assert answer(engine, "mail-01")["model"]["n_of_100"] == 38
    shown = rows(engine, LABEL)[0]["shown"]
    assert (shown["was_blind"], shown["model"]) == (True, None)


def test_neither_arm_nor_known_answer_leaves_the_room_before_the_batch_is_finished(engine: Engine) -> None:
    lay_out(engine, [make_choice(1, arm=Arm.GOLD, gold_label="unsolicited"), make_choice(2)])
    item = take(engine)
    given = answer(engine, item_of(item))
    assert item is not None
    assert not {"arm", "gold_label", "inclusion_probability"} & (item.keys() | given.keys())
    with engine.connect() as connection:
        assert refused(service.summarise, connection, make_problem(), BATCH, ADA) == Refusal.OPEN_BATCH
    answer(engine, item_of(take(engine)))
    with engine.connect() as connection:
        summary = service.summarise(connection, make_problem(), BATCH, ADA)
    assert (summary["n_answered"], summary["n_gold"], summary["n_gold_agreed"]) == (2, 1, 0)
    assert summary["differences"][0]["excerpt"] == "Subject of mail-01"


def test_the_page_is_believed_about_time_up_to_what_is_possible(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    for item_id, looked in (("mail-01", 0), ("mail-02", 10**9)):
        take(engine)
        answer(engine, item_id, looked_ms=looked)
    short, long = [row["duration_ms"] for row in rows(engine, LABEL)]
    assert short == 0
    assert 0 < long < 60_000


def test_a_request_that_is_sent_again_is_done_once(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    take(engine)
    first = answer(engine, "mail-01", request_id="r-1")
    again = answer(engine, "mail-01", request_id="r-1", label="unsolicited")
    assert first == again
    assert [row["label"] for row in rows(engine, LABEL)] == ["wanted"]
    assert [row["action"] for row in rows_of_audit(engine)] == ["take", "answer"]


def test_the_same_request_of_another_person_is_another_request(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    take(engine, ADA)
    take(engine, BEN)
    answer(engine, "mail-01", ADA, request_id="r-1")
    answer(engine, "mail-02", BEN, request_id="r-1")
    assert len(rows(engine, LABEL)) == 2


def test_the_second_tab_is_told_what_the_first_one_said(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    take(engine)
    answer(engine, "mail-01", label="unsolicited")
    with pytest.raises(DeskRefused) as caught:
        answer(engine, "mail-01", label="wanted")
    assert (caught.value.code, caught.value.values) == (Refusal.ANSWERED_ALREADY, {"label": "unsolicited"})
    assert [row["label"] for row in rows(engine, LABEL)] == ["unsolicited"]


@pytest.mark.parametrize(
    ("item_id", "more", "code"),
    [
        ("mail-01", {"label": "perhaps"}, Refusal.UNKNOWN_CLASS),
        ("mail-01", {"note": "x" * 2001}, Refusal.TEXT_TOO_LONG),
        ("mail-99", {}, Refusal.UNKNOWN_ITEM),
        ("mail-02", {}, Refusal.NOT_HELD),
    ],
)
def test_a_wrong_answer_is_refused_and_written_down(engine: Engine, item_id: str, more: Any, code: str) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    take(engine)
    assert refused(answer, engine, item_id, **more) == code
    assert rows(engine, LABEL) == []
    last = rows_of_audit(engine)[-1]
    assert (last["action"], last["result"], last["reason"], last["item_id"]) == ("answer", "refused", code, item_id)


def test_an_item_of_another_problem_is_unknown(engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    lay_out(engine, [make_choice(7)], problem="campaign")
    assert refused(answer, engine, "mail-07") == Refusal.UNKNOWN_ITEM


def test_nothing_is_taken_or_answered_in_a_finished_or_unknown_batch(engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    take(engine)
    answer(engine, "mail-01")
    assert refused(answer, engine, "mail-01") == Refusal.FINISHED_BATCH
    assert refused(take, engine) == Refusal.FINISHED_BATCH
    assert refused(undo, engine, "mail-01") == Refusal.FINISHED_BATCH
    assert refused(service.take_item, engine, make_problem(), "round-099", ADA, "en") == Refusal.UNKNOWN_BATCH


def test_a_finished_batch_is_covered_and_waits_to_be_announced_once(engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    take(engine)
    answer(engine, "mail-01")
    with engine.connect() as connection:
        assert coverage.done_partitions(connection, PROBLEM, Stage.REVIEW) == [BATCH]
    assert rows(engine, REVIEW_BATCH)[0]["announced_at_utc"] is None
    service.mark_announced(engine, PROBLEM, BATCH)
    first = rows(engine, REVIEW_BATCH)[0]["announced_at_utc"]
    service.mark_announced(engine, PROBLEM, BATCH)
    assert first is not None
    assert rows(engine, REVIEW_BATCH)[0]["announced_at_utc"] == first


# ---------------------------------------------------------------- skip, escalate, undo, open


def test_a_skipped_item_goes_to_another_person_and_is_let_go_after_two(engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    take(engine, ADA)
    assert not pass_on(engine, "mail-01", ADA)["is_finished"]
    assert take(engine, ADA) is None
    assert item_of(take(engine, BEN)) == "mail-01"
    assert pass_on(engine, "mail-01", BEN)["is_finished"]
    assert (len(rows(engine, REVIEW_PASS)), rows(engine, LABEL)) == (2, [])


def test_an_escalated_item_waits_for_nobody_at_this_desk(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    take(engine)
    pass_on(engine, "mail-01", action="escalate", reason="ask a lawyer")
    assert item_of(take(engine, BEN)) == "mail-02"
    assert answer(engine, "mail-02", BEN)["is_finished"]


def test_after_the_due_time_one_skip_is_enough_and_an_unanswered_item_still_waits(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)], due=timedelta(days=1))
    take(engine)
    pass_on(engine, "mail-01")
    late = datetime.now(UTC) + timedelta(days=2)
    with engine.begin() as connection:
        assert not finish_batch_if_complete(connection, PROBLEM, BATCH, late)
    assert [row["state"] for row in rows(engine, REVIEW_SEAT)] == ["passed", "open"]
    answer(engine, item_of(take(engine)))
    assert rows(engine, REVIEW_BATCH)[0]["status"] == "answered"


def test_passing_on_without_a_reason_is_refused(engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    take(engine)
    assert refused(pass_on, engine, "mail-01", reason="  ") == Refusal.REASON_MISSING


def test_an_answer_taken_back_is_gone_and_the_item_is_shown_again(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    take(engine)
    answer(engine, "mail-01", label="unsolicited", note="hm")
    assert item_of(take(engine)) == "mail-02"
    back = undo(engine, "mail-01")
    assert (item_of(back["item"]), back["taken_back"]) == ("mail-01", {"label": "unsolicited", "note": "hm"})
    assert rows(engine, LABEL) == []
    answer(engine, "mail-01")
    assert [row["label"] for row in rows(engine, LABEL)] == ["wanted"]


@pytest.mark.parametrize("action", ["skip", "escalate"])
def test_what_was_passed_on_can_be_taken_back(engine: Engine, action: str) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    take(engine)
    pass_on(engine, "mail-01", action=action)
    assert item_of(undo(engine, "mail-01")["item"]) == "mail-01"
    assert rows(engine, REVIEW_PASS) == []
    assert answer(engine, "mail-01")["item_id"] == "mail-01"


def test_a_skip_cannot_be_taken_back_from_whom_it_went_to(engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    take(engine, ADA)
    pass_on(engine, "mail-01", ADA)
    take(engine, BEN)
    assert refused(undo, engine, "mail-01", ADA) == Refusal.NOT_HELD
    assert len(rows(engine, REVIEW_PASS)) == 1


def test_nobody_takes_back_what_another_person_said(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    take(engine, ADA)
    answer(engine, "mail-01", ADA)
    assert refused(undo, engine, "mail-01", BEN) == Refusal.NOTHING_TO_UNDO
    assert len(rows(engine, LABEL)) == 1


def test_a_sensitive_item_gives_nothing_until_it_is_opened_and_that_is_written_down(engine: Engine) -> None:
    lay_out(engine, [make_choice(1, is_sensitive=True), make_choice(2)], {"mail-01": ("Blood", "Gore")})
    explain(engine, "mail-01", {"gore": 2.0})
    item = take(engine)
    assert item is not None
    assert (item["is_covered"], item["fields"], item["model"]["reasons"]) == (True, [], [])
    with engine.connect() as connection:
        assert refused(service.read_text, connection, place("mail-01"), ADA, "body") == Refusal.COVERED
    assert refused(answer, engine, "mail-01") == Refusal.COVERED
    opened = service.open_cover(engine, make_problem(), place("mail-01"), ADA, "en")
    assert [field["value"] for field in opened["fields"]] == ["Blood", "Gore"]
    assert [reason["feature"] for reason in opened["model"]["reasons"]] == ["gore"]
    answer(engine, "mail-01")
    assert rows(engine, LABEL)[0]["shown"]["was_covered"] is False
    assert "open" in [row["action"] for row in rows_of_audit(engine)]


def test_a_long_text_comes_in_part_and_whole_on_request_to_its_holder_only(engine: Engine) -> None:
    lay_out(engine, [make_choice(1)], {"mail-01": ("s", "x" * 1_000_000)})
    item = take(engine)
    assert item is not None
    assert (len(item["fields"][1]["value"]), item["fields"][1]["n_characters"]) == (20_000, 1_000_000)
    with engine.connect() as connection:
        assert len(service.read_text(connection, place("mail-01"), ADA, "body")) == 1_000_000
        assert refused(service.read_text, connection, place("mail-01"), BEN, "body") == Refusal.NOT_HELD
        assert refused(service.read_text, connection, place("mail-01"), ADA, "nobody") == Refusal.UNKNOWN_ITEM


# ---------------------------------------------------------------- what is read


def test_batches_are_listed_by_their_due_time_and_only_for_whom_they_are(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    lay_out(engine, [make_choice(3)], problem="campaign", due=timedelta(days=-1))
    lay_out(engine, [make_choice(4)], problem="secret")
    take(engine)
    answer(engine, "mail-01")
    problems = {PROBLEM: make_problem(), "campaign": make_problem().model_copy(update={"name": "campaign"})}
    with engine.connect() as connection:
        listed = service.list_batches(connection, problems, ADA)
    assert [(row["problem"], row["is_overdue"], row["n_settled"], row["n_seats"]) for row in listed] == [
        ("campaign", True, 0, 1),
        (PROBLEM, False, 1, 2),
    ]


def test_progress_counts_mine_and_todays_and_names_what_can_be_taken_back(engine: Engine) -> None:
    lay_out(engine, [make_choice(number) for number in range(4)])
    take(engine, BEN)
    answer(engine, "mail-00", BEN)
    take(engine)
    answer(engine, "mail-01")
    take(engine)
    pass_on(engine, "mail-02", action="escalate")
    midnight = datetime.now(UTC) - timedelta(hours=1)
    with engine.connect() as connection:
        progress = service.read_progress(connection, place(), ADA, midnight)
        later = service.read_progress(connection, place(), ADA, midnight + timedelta(days=1))
    assert progress == {"n_seats": 4, "n_settled": 3, "n_mine": 1, "n_today": 1, "last_item_id": "mail-02"}
    assert later["n_today"] == 0


def test_how_a_finished_batch_went_is_found_again_by_who_answered_it(engine: Engine) -> None:
    for number in (1, 2, 3):
        lay_out(engine, [make_choice(number)], batch_id=f"round-00{number}")
        item = service.take_item(engine, make_problem(), f"round-00{number}", BEN if number == 2 else ADA, "en")
        where, given = Place(PROBLEM, f"round-00{number}", item_of(item)), {"note": None, "looked_ms": None}
        person = BEN if number == 2 else ADA
        service.answer(engine, make_problem(), where, person, label="wanted", request_id=f"request-{number}", **given)
        if number < 3:
            assert finish_if_nothing_waits(engine, PROBLEM, where.batch_id, person.name)
    problems = {PROBLEM: make_problem()}
    with engine.connect() as connection:
        found = service.list_finished(connection, problems, ADA)
        assert service.list_finished(connection, {}, ADA) == []
    assert [(row["batch_id"], row["title"], row["round_number"]) for row in found] == [
        ("round-001", make_problem().title, 1)
    ]


def test_reports_of_people_are_for_leads(engine: Engine) -> None:
    lay_out(engine, [make_choice(1, arm=Arm.GOLD, gold_label="wanted")])
    take(engine)
    answer(engine, "mail-01")
    with engine.connect() as connection:
        assert refused(service.report_people, connection, make_problem(), ADA) == Refusal.LEADS_ONLY
        report = service.report_people(connection, make_problem(leads=["Quality"]), Person("q", frozenset({"quality"})))
    assert [(row["person"], row["n_answered"], row["n_gold_agreed"]) for row in report] == [("ada", 1, 1)]


def test_agreement_is_reported_to_leads_without_known_answers(engine: Engine) -> None:
    figures = {"problem": PROBLEM, "n_items": 8, "value": 0.5, "low": 0.1, "high": 0.9, "measured_at_utc": NOW}
    named = [("reviewer", "ada", "cohen_kappa"), ("reviewer", "ada", "gold_ratio"), ("all", "", "fleiss_kappa")]
    named += [("class", "wanted", "krippendorff_alpha"), ("all", "", "krippendorff_alpha")]
    with engine.begin() as connection:
        for scope, subject, statistic in named:
            row = figures | {"scope": scope, "subject": subject, "statistic": statistic}
            connection.execute(AGREEMENT.insert().values(row))
        assert refused(service.report_agreement, connection, make_problem(), ADA) == Refusal.LEADS_ONLY
        lead = Person("q", frozenset({"quality"}))
        report = service.report_agreement(connection, make_problem(leads=["Quality"]), lead)
    assert [(row["scope"], row["subject"], row["statistic"]) for row in report] == [
        ("all", "", "fleiss_kappa"),
        ("all", "", "krippendorff_alpha"),
        ("class", "wanted", "krippendorff_alpha"),
        ("reviewer", "ada", "cohen_kappa"),
    ]
    assert {name: report[0][name] for name in ("n_items", "value", "low", "high")} == {
        "n_items": 8, "value": 0.5, "low": 0.1, "high": 0.9
    }  # fmt: skip


def test_answers_from_elsewhere_take_seats_too(engine: Engine) -> None:
    lay_out(engine, [make_choice(1, n_answers_wanted=2), make_choice(2, n_answers_wanted=2)])
    with engine.begin() as connection:
        for person, is_demo, item_id in (("ada", False, "mail-01"), ("demo-reviewer", True, "mail-02")):
            batches.write_answers(
                connection,
                PROBLEM,
                BATCH,
                {item_id: "wanted"},
                classes=["wanted"],
                labelled_by=person,
                is_demo=is_demo,
                now=datetime.now(UTC),
            )
    states = [(row["item_id"], row["state"], row["person"]) for row in rows(engine, REVIEW_SEAT)]
    assert states == [
        ("mail-01", "answered", "ada"),
        ("mail-01", "open", None),
        ("mail-02", "answered", None),
        ("mail-02", "answered", None),
    ]
    assert take(engine, ADA) is None
    assert item_of(take(engine, BEN)) == "mail-01"


def rows_of_audit(engine: Engine) -> list[dict[str, Any]]:
    return sorted(rows(engine, REVIEW_AUDIT), key=lambda row: row["written_at_utc"])
