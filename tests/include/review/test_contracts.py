import json
from pathlib import Path

import pytest

from include.review.contracts import (
    SHOWN_FILES,
    ExportedBatch,
    ImportedFile,
    ImportedFiles,
    OpenedBatch,
    RecordedAnswers,
    WatchedDesk,
)


def test_an_exported_batch_comes_back_from_json_as_it_was():
    written = ExportedBatch(Path("exports") / "mail" / "round 001.jsonl", 12)
    assert ExportedBatch.from_xcom(json.loads(json.dumps(written.to_xcom()))) == written


def test_a_wake_up_that_opens_nothing_names_no_batch_and_says_why():
    told = OpenedBatch(None, 0, "round-001 is still open").to_xcom()
    assert told == {"batch_id": None, "n_items": 0, "reason": "round-001 is still open", "n_rows": 0}


@pytest.mark.parametrize(("reason", "is_for_people"), [("recorded truth answers 2 rounds", True), ("", False)])
def test_a_batch_is_for_people_exactly_where_a_reason_says_so(reason, is_for_people):
    told = RecordedAnswers("round-003", 10, 4, reason).to_xcom()
    assert (told["is_for_people"], told["reason"]) == (is_for_people, reason)
    assert (told["n_answered"], told["n_rows"], told["n_items"]) == (4, 4, 10)


def test_lines_of_all_files_are_counted_and_only_the_first_files_named():
    files = tuple(ImportedFile(f"labels/mail/{number:03d}.jsonl", 3, 1, 0) for number in range(SHOWN_FILES + 5))
    told = ImportedFiles(files).to_xcom()
    assert (told["n_rows"], told["n_rejected"]) == (3 * len(files), len(files))
    assert list(told["files"]) == [file.object_key for file in files[:SHOWN_FILES]]
    assert told["files"]["labels/mail/000.jsonl"] == [3, 1]


@pytest.mark.parametrize(("n_second", "reason"), [(0, ""), (2, "2 items want a second person")])
def test_items_that_want_a_second_person_are_the_reason_given(n_second, reason):
    told = ImportedFiles((ImportedFile("a", 2, 0, n_second),)).to_xcom()
    assert (told["n_second_wanted"], told["reason"]) == (n_second, reason)


def test_what_is_escalated_is_named_with_who_is_told():
    told = WatchedDesk(("round-001",), ("round-002", "round-003"), "boss").to_xcom()
    assert told["reason"] == "escalated to boss: round-002, round-003"
    assert (told["keys"], told["n_rows"]) == (["round-001"], 1)
    assert WatchedDesk((), (), "boss").to_xcom()["reason"] == "nothing to announce"
