import json
from datetime import UTC, datetime

import pytest

from include.review.label_files import LONGEST_LINE, FileAnswer, batch_lines, read_lines

GOOD = {"batch_id": "round-002", "item_id": "a|1", "label": "wanted", "labelled_by": "kim"}


def read(*records, **changes):
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    options = {
        "key": ["shop", "number"],
        "classes": ["wanted", "unsolicited"],
        "open_items": {"round-002": frozenset({"a|1", "b|2"})},
        "closed_batches": frozenset({"round-001"}),
        "reserved_names": frozenset({"demo-reviewer"}),
    }
    return read_lines(lines, **(options | changes))


def test_a_good_line_is_an_answer_and_a_blank_one_is_nothing():
    answers, rejected = read(GOOD, "", "   ")
    assert answers == [FileAnswer("round-002", "a|1", "kim", "wanted")]
    assert rejected == []


def test_the_item_may_be_named_by_its_key_columns():
    by_key = {key: value for key, value in GOOD.items() if key != "item_id"} | {"shop": "b", "number": 2}
    assert read(by_key)[0][0].item_id == "b|2"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{", "not a JSON object"),
        ("[" * 9_999, "not a JSON object"),
        ("[1]", "not a JSON object"),
        ("x" * (LONGEST_LINE + 1), "longer than 10,000 characters"),
        (GOOD | {"label": None}, "no label"),
        (GOOD | {"labelled_by": "  "}, "no labelled_by"),
        (GOOD | {"labelled_by": "a\u202eb"}, "labelled_by is no name of up to 100 characters"),
        (GOOD | {"labelled_by": "k" * 101}, "labelled_by is no name of up to 100 characters"),
        (GOOD | {"labelled_by": "demo-reviewer"}, "labelled_by is a reserved name"),
        (GOOD | {"label": "spam"}, "its label is not one of the classes"),
        (GOOD | {"batch_id": "round-001"}, "its batch is finished"),
        (GOOD | {"batch_id": "round-009"}, "its batch is unknown"),
        (GOOD | {"item_id": "z|9"}, "its item is not in its batch"),
        (GOOD | {"item_id": 7}, "no item_id"),
    ],
)
def test_one_bad_line_among_good_ones_is_rejected_with_its_reason_and_the_others_stay(bad, reason):
    answers, rejected = read(GOOD, bad, GOOD | {"item_id": "b|2"})
    assert [answer.item_id for answer in answers] == ["a|1", "b|2"]
    assert [(one.line_number, one.reason) for one in rejected] == [(2, reason)]


def test_who_answers_twice_in_one_file_has_answered_nothing():
    answers, rejected = read(GOOD, GOOD | {"label": "unsolicited"}, GOOD | {"labelled_by": "lee"}, GOOD)
    assert [answer.labelled_by for answer in answers] == ["lee"]
    assert [one.line_number for one in rejected] == [1, 2, 4]


def test_a_reason_never_repeats_what_the_line_held():
    _, rejected = read(GOOD | {"label": "secret"}, '{"item_id": "secret"')
    assert not [one for one in rejected if "secret" in one.reason]


def test_every_line_is_an_answer_or_rejected():
    lines = [GOOD, "x", GOOD | {"item_id": "b|2"}, GOOD, {}]
    answers, rejected = read(*lines)
    assert len(answers) + len(rejected) == len(lines)


def test_an_exported_line_can_be_filled_in_and_read_again():
    fields = {"subject": "<b>여보세요</b>", "sent_at": datetime(2002, 8, 1, tzinfo=UTC), "score": None}
    (line,) = batch_lines([{"batch_id": "round-002", "item_id": "a|1", "fields": fields}], ["wanted", "unsolicited"])
    filled = json.loads(line) | {"label": "wanted", "labelled_by": "kim"}
    assert filled["fields"] == {"subject": "<b>여보세요</b>", "sent_at": "2002-08-01T00:00:00+00:00", "score": None}
    assert read(filled)[0] == [FileAnswer("round-002", "a|1", "kim", "wanted")]
    assert read(line)[1][0].reason == "no label"


def test_an_exported_line_does_not_say_why_the_item_was_chosen():
    (line,) = batch_lines([{"batch_id": "b", "item_id": "i", "fields": {}}], ["x"])
    assert set(json.loads(line)) == {"batch_id", "item_id", "fields", "classes", "label", "labelled_by"}
