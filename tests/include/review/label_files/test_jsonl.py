import json
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.review.label_files.jsonl import LONGEST_NOTE, FileAnswer, batch_lines, named_items, read_lines
from include.settings import REPOSITORY

GOOD = {"batch_id": "round-002", "item_id": "a|1", "label": "wanted", "labelled_by": "kim"}


def read(*records, **changes):
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    options = {
        "name_rows": lambda record: [f"{record['shop']}|{record['number']}"] if "shop" in record else [],
        "classes": ["wanted", "unsolicited"],
        "open_items": {"round-002": frozenset({"a|1", "b|2"})},
        "closed_batches": frozenset({"round-001"}),
        "reserved_names": frozenset({"demo-reviewer"}),
        "not_for": {("round-002", "lee"): frozenset({"a|1"})},
    }
    return read_lines("\n".join(lines).encode(), **(options | changes))


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
        (GOOD | {"note": "x" * (LONGEST_NOTE + 1)}, "note is no text of up to 2,000 characters"),
        (GOOD | {"note": ["x"]}, "note is no text of up to 2,000 characters"),
        (GOOD | {"label": None}, "no label"),
        (GOOD | {"labelled_by": "  "}, "no labelled_by"),
        (GOOD | {"labelled_by": "a\u202eb"}, "labelled_by is no name of up to 100 characters"),
        (GOOD | {"labelled_by": "k" * 101}, "labelled_by is no name of up to 100 characters"),
        (GOOD | {"labelled_by": "demo-reviewer"}, "labelled_by is a reserved name"),
        (GOOD | {"labelled_by": "demo-reviewer "}, "labelled_by is a reserved name"),
        (json.dumps(GOOD)[:-1] + ', "label": "unsolicited"}', "a field stands in it twice"),
        (GOOD | {"note": "\ud83d"}, "it holds half of a character: one of two surrogates without the other"),
        (GOOD | {"label": "spam"}, "its label is not one of the classes"),
        (GOOD | {"batch_id": "round-001"}, "its batch is finished"),
        (GOOD | {"batch_id": "round-009"}, "its batch is unknown"),
        (GOOD | {"labelled_by": "lee"}, "it wants somebody who has not answered it before"),
        (GOOD | {"item_id": "z|9"}, "its item is not in its batch"),
        (GOOD | {"item_id": 7}, "its item is not in its batch"),
        (GOOD | {"item_id": [7]}, "no item_id"),
    ],
)
def test_one_bad_line_is_refused_with_its_reason_and_others_stay(bad, reason):
    answers, rejected = read(GOOD, bad, GOOD | {"item_id": "b|2"})
    assert [answer.item_id for answer in answers] == ["a|1", "b|2"]
    assert [(one.line_number, one.reason) for one in rejected] == [(2, reason)]


def test_who_answers_twice_in_one_file_has_answered_nothing():
    answers, rejected = read(GOOD, GOOD | {"label": "unsolicited"}, GOOD | {"labelled_by": "ann"}, GOOD)
    assert [answer.labelled_by for answer in answers] == ["ann"]
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


MAILS = REPOSITORY / "include" / "problems" / "data" / "ad_review" / "mail.parquet"


def come_back(texts: list[str]) -> list[str]:
    """Export items with these texts, let somebody fill in every line, and name the items that came back."""
    items = [{"batch_id": "b", "item_id": str(row), "fields": {"body": text}} for row, text in enumerate(texts)]
    records = [json.loads(line) for line in "\n".join(batch_lines(items, ["x"])).split("\n")]
    assert [record["fields"]["body"] for record in records] == texts
    open_items = {"b": frozenset(str(row) for row in range(len(texts)))}
    # The team's program may write characters as they are, or escape them.
    for is_ascii in (True, False):
        filled = (json.dumps(one | {"label": "x", "labelled_by": "k"}, ensure_ascii=is_ascii) for one in records)
        answers, rejected = read(*filled, classes=["x"], open_items=open_items)
        assert rejected == []
    return [answer.item_id for answer in answers]


def test_every_built_in_mail_comes_back_when_its_line_is_filled_in():
    texts = pq.read_table(MAILS).column("body").to_pylist()
    assert max(map(len, texts)) > 10_000
    assert any("\u2028" in text or "\u0085" in text for text in texts)
    assert come_back(texts) == [str(row) for row in range(6_046)]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=8))
def test_any_text_comes_back_as_one_line(texts):
    assert come_back(texts) == [str(row) for row in range(len(texts))]


def test_an_exported_file_has_one_line_for_each_item_in_any_program():
    items = [{"batch_id": "b", "item_id": "i", "fields": {"body": "a\u2028b\u2029c\u0085d\r\ne\x0bf\x1cg"}}]
    assert len("".join(batch_lines(items, ["x"])).splitlines()) == 1


def test_a_mark_at_the_start_and_carriage_returns_are_no_part_of_a_line():
    line = json.dumps(GOOD)
    windows = f"\ufeff{line}\r\n\r\n".encode()
    options = {"name_rows": lambda _: [], "classes": ["wanted"], "open_items": {"round-002": frozenset({"a|1"})}}
    answers, rejected = read_lines(
        windows, **options, closed_batches=frozenset(), reserved_names=frozenset(), not_for={}
    )
    assert ([answer.item_id for answer in answers], rejected) == (["a|1"], [])


def test_a_note_comes_with_the_answer():
    assert read(GOOD | {"note": "see the header"})[0][0].note == "see the header"


def test_numbers_of_a_key_are_read_as_they_are_written():
    record = '{"batch_id": "round-002", "shop": "b", "number": 1.10, "label": "wanted", "labelled_by": "kim"}'
    assert read(record, open_items={"round-002": frozenset({"b|1.10"})})[0][0].item_id == "b|1.10"


def test_columns_of_a_log_called_round_arm_and_status_refuse_no_answer():
    columns = {"round": "1", "arm": "placebo", "status": "enrolled"}
    assert read(GOOD | columns) == ([FileAnswer("round-002", "a|1", "kim", "wanted")], [])


def test_one_person_is_one_however_a_name_is_spelled():
    answers, rejected = read(
        GOOD | {"labelled_by": " Zoe\u0301 "}, GOOD | {"labelled_by": "Zo\u00e9", "label": "unsolicited"}
    )
    assert (answers, [one.line_number for one in rejected]) == ([], [1, 2])


def test_lines_of_old_macs_are_read():
    answers, rejected = read("\r".join(json.dumps(GOOD | {"item_id": item}) for item in ("a|1", "b|2")))
    assert ([answer.item_id for answer in answers], rejected) == (["a|1", "b|2"], [])


def test_every_row_that_a_readable_line_may_be_about_is_named():
    lines = [b'{"item_id": "a|1"}', b'{"number": "2"}', b"no json", b"", b'{"item_id": 3}', b'["a"]', b"\xff"]
    named = named_items(b"\xef\xbb\xbf" + b"\n".join(lines), lambda record: [f"x|{record['number']}", "older"])
    assert named == {"a|1", "x|2", "older", "3"}
