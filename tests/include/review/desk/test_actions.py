"""What is corrected without a connection replaces what arrived before, and nothing else does."""

from typing import Any

import pytest
from sqlalchemy import Engine

from include.review.desk import actions, service
from include.review.desk.audit import writing
from include.review.desk.refusals import Refusal
from include.warehouse.tables.desk import REVIEW_PASS
from include.warehouse.tables.review import LABEL
from tests.include.review.desk.conftest import ADA, BEN, answer, finish, item_of, place, refused, take, undo
from tests.laid_desk import lay_out, make_choice, make_problem, rows

FIRST, SECOND = "request-first", "request-second"


def correct(engine: Engine, item_id: str, label: str, *replaces: str, person: Any = ADA) -> dict[str, Any]:
    given = {"note": None, "looked_ms": None, "request_id": SECOND}
    return service.answer(engine, make_problem(), place(item_id), person, label=label, replaces=replaces, **given)


def skip(engine: Engine, item_id: str, request_id: str, *replaces: str) -> Any:
    given = {"action": "skip", "reason": "no idea", "looked_ms": None, "request_id": request_id}
    return service.pass_on(engine, place(item_id), ADA, replaces=replaces, **given)


def test_a_correction_replaces_a_first_answer_that_arrived(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    item_id = item_of(take(engine))
    answer(engine, item_id, label="unsolicited", request_id=FIRST)
    correct(engine, item_id, "wanted", FIRST, "request-never-sent")
    assert [row["label"] for row in rows(engine, LABEL)] == ["wanted"]


def test_a_correction_of_what_never_arrived_is_an_answer(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    item_id = item_of(take(engine))
    correct(engine, item_id, "wanted", FIRST)
    assert [row["label"] for row in rows(engine, LABEL)] == ["wanted"]
    # The first answer comes late, after what corrected it.
    assert refused(answer, engine, item_id, label="unsolicited", request_id=FIRST) == Refusal.ANSWERED_ALREADY
    assert [row["label"] for row in rows(engine, LABEL)] == ["wanted"]


def test_an_answer_without_the_name_of_the_first_replaces_nothing(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    item_id = item_of(take(engine))
    answer(engine, item_id, label="unsolicited", request_id=FIRST)
    assert refused(correct, engine, item_id, "wanted", "request-of-nobody") == Refusal.ANSWERED_ALREADY
    assert [row["label"] for row in rows(engine, LABEL)] == ["unsolicited"]


def test_nobody_corrects_what_another_person_said(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    item_id = item_of(take(engine))
    answer(engine, item_id, label="unsolicited", request_id=FIRST)
    assert refused(correct, engine, item_id, "wanted", FIRST, person=BEN) == Refusal.NOT_HELD
    assert [row["label"] for row in rows(engine, LABEL)] == ["unsolicited"]


def test_a_skip_and_an_answer_replace_each_other(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    item_id = item_of(take(engine))
    answer(engine, item_id, request_id=FIRST)
    skip(engine, item_id, "request-skip", FIRST)
    assert (rows(engine, LABEL), len(rows(engine, REVIEW_PASS))) == ([], 1)
    correct(engine, item_id, "wanted", FIRST, "request-skip")
    assert ([row["label"] for row in rows(engine, LABEL)], rows(engine, REVIEW_PASS)) == (["wanted"], [])


def test_what_was_taken_back_already_is_corrected_all_the_same(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    item_id = item_of(take(engine))
    answer(engine, item_id, label="unsolicited", request_id=FIRST)
    undo(engine, item_id)
    correct(engine, item_id, "wanted", FIRST)
    assert [row["label"] for row in rows(engine, LABEL)] == ["wanted"]


def test_an_undo_sent_twice_says_twice_that_it_was_done(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    item_id = item_of(take(engine))
    answer(engine, item_id, label="unsolicited")
    told = [service.undo(engine, make_problem(), place(item_id), ADA, SECOND, "en") for _ in range(2)]
    assert [one["taken_back"]["label"] for one in told] == ["unsolicited"] * 2
    assert [one["item"]["item_id"] for one in told] == [item_id] * 2
    answer(engine, item_id)
    late = service.undo(engine, make_problem(), place(item_id), ADA, SECOND, "en")
    assert (late["taken_back"]["label"], late["item"]) == ("unsolicited", None)
    assert [row["label"] for row in rows(engine, LABEL)] == ["wanted"]


def test_a_name_of_one_request_is_no_name_of_another(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    item_id = item_of(take(engine))
    answer(engine, item_id, request_id=FIRST)
    assert refused(skip, engine, item_id, FIRST) == Refusal.MALFORMED
    assert refused(answer, engine, item_of(take(engine)), request_id=FIRST) == Refusal.MALFORMED
    assert len(rows(engine, LABEL)) == 1


@pytest.mark.parametrize(("looked_ms", "longest"), [(None, 60_000), (-5, 0), (10**12, 60_000)])
def test_a_time_is_believed_up_to_what_is_possible(engine: Engine, looked_ms: int | None, longest: int) -> None:
    lay_out(engine, [make_choice(1)])
    answer(engine, item_of(take(engine)), looked_ms=looked_ms)
    assert 0 <= rows(engine, LABEL)[0]["duration_ms"] <= longest


def test_only_one_call_finishes_a_batch(engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    answer(engine, item_of(take(engine)))
    assert finish(engine, ADA) is False
    last = answer(engine, item_of(take(engine)))
    assert (last["is_finished"], finish(engine, BEN)) == (True, False)


def test_a_batch_that_is_not_there_is_refused_by_name(engine: Engine) -> None:
    with pytest.raises(actions.DeskRefused) as caught, writing(engine, "take", place(), "ada") as write:
        actions.require_open(write.connection, place())
    assert (caught.value.code, caught.value.values) == (Refusal.UNKNOWN_BATCH, {"batch": "round-001"})
