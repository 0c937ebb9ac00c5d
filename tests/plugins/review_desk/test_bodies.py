"""What the page sends is taken as it should be, and nothing else is."""

from typing import Any

import pytest
from pydantic import ValidationError

from review_desk.bodies import AnswerBody, PassBody

ANSWER: dict[str, Any] = {
    "problem": "ad_review",
    "batch_id": "round-001",
    "item_id": "a|b 한국어",
    "label": "wanted",
    "request_id": "12345678",
}
PASS = {name: value for name, value in ANSWER.items() if name != "label"} | {"action": "skip", "reason": "why"}


def test_an_answer_needs_no_note_no_time_and_nothing_to_replace() -> None:
    body = AnswerBody.model_validate(ANSWER)
    assert (body.note, body.looked_ms, body.replaces) == (None, None, [])


@pytest.mark.parametrize(
    "change",
    [
        {"item_id": ""},
        {"item_id": "x" * 401},
        {"item_id": "a\x00"},
        {"label": "a\tb"},
        {"request_id": "short"},
        {"request_id": "x" * 65},
        {"looked_ms": -1},
        {"looked_ms": 2**31},
        {"note": "x" * 20_001},
        {"replaces": ["short"]},
        {"replaces": ["x" * 32] * 101},
        {"unknown": 1},
    ],
)
def test_an_answer_that_no_page_of_ours_sends_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AnswerBody.model_validate(ANSWER | change)


@pytest.mark.parametrize(("action", "is_taken"), [("skip", True), ("escalate", True), ("answer", False), ("", False)])
def test_an_item_is_passed_on_in_two_ways(action: str, is_taken: bool) -> None:
    try:
        PassBody.model_validate(PASS | {"action": action})
    except ValidationError:
        assert not is_taken
    else:
        assert is_taken
