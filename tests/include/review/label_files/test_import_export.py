"""Labels from files, through the steps, on the small desk."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from include.errors import UnknownBatch
from include.review.batches.choice import Choice
from include.review.batches.store import Batch, write_batch
from include.review.steps import choose_batch, export_batch, import_labels
from include.warehouse.tables.review import LABEL_FILE, REPLACED_LABEL
from tests.include.review.conftest import MAILS, MONTHS, PROBLEM, answers_of, drop, watch


def test_a_file_answers_a_batch_and_its_bad_lines_are_counted_with_reasons(opened, mulgil_home):
    good = answers_of(opened)
    drop(mulgil_home, *good[:9], "?", good[9].replace("wanted", "spam"), "!")
    outcome = import_labels(problem=PROBLEM)
    assert (outcome["n_rows"], outcome["n_rejected"]) == (9, 3)
    assert {(label["labelled_by"], label["is_demo"]) for label in opened.labels} == {("kim", False)}
    (row,) = opened.rows(LABEL_FILE)
    assert (row["n_stored"], row["n_rejected"]) == (9, 3)
    assert row["reasons"] == [
        {"reason": "not a JSON object", "n_lines": 2, "first_line": 10},
        {"reason": "its label is not one of the classes", "n_lines": 1, "first_line": 11},
    ]
    assert watch()["keys"] == []


def test_a_file_is_read_once_and_again_when_it_changes(opened, mulgil_home):
    good = answers_of(opened)
    drop(mulgil_home, *good[:4])
    assert import_labels(problem=PROBLEM)["n_rows"] == 4
    assert import_labels(problem=PROBLEM)["n_rows"] == 0
    drop(mulgil_home, *good[:4], good[4])
    assert import_labels(problem=PROBLEM)["n_rows"] == 5
    assert len(opened.labels) == 5


def test_files_of_one_run_that_change_one_answer_are_all_kept(opened, mulgil_home):
    said = ("wanted", "unsolicited", "wanted")
    for n, label in enumerate(said):
        drop(mulgil_home, answers_of(opened, label=label)[0], name=f"file-{n}.jsonl")
    assert import_labels(problem=PROBLEM)["n_rows"] == 3
    history = sorted((row["replaced_at_utc"], row["label"]) for row in opened.rows(REPLACED_LABEL))
    assert [label for _, label in history] == list(said[:2])
    assert [row["label"] for row in opened.labels] == ["wanted"]


def test_where_no_file_was_dropped_nothing_happens(opened):
    assert import_labels(problem=PROBLEM)["files"] == {}


def test_bytes_that_are_no_text_are_rejected_lines_and_stop_nothing(opened, mulgil_home):
    drop(mulgil_home, *answers_of(opened)[:1])
    (mulgil_home / "landing" / "labels" / PROBLEM / "broken.jsonl").write_bytes(b"\xff\xfe\x00\n")
    outcome = import_labels(problem=PROBLEM)
    assert (outcome["n_rows"], outcome["n_rejected"]) == (1, 1)
    reasons = [reason["reason"] for row in opened.rows(LABEL_FILE) for reason in row["reasons"]]
    assert reasons == ["not UTF-8"]


def test_a_file_that_answers_everything_says_how_many_items_want_a_second_person(desk, mulgil_home):
    (mulgil_home / "landing").mkdir()
    desk.write_problem(overlap_share=0.4)
    desk.publish(*MONTHS)
    choose_batch(problem=PROBLEM, partition_key="2002-09")
    drop(mulgil_home, *answers_of(desk))
    outcome = import_labels(problem=PROBLEM)
    assert (outcome["n_second_wanted"], outcome["reason"]) == (4, "4 items want a second person")
    assert desk.rows(LABEL_FILE)[0]["n_second_wanted"] == 4
    assert watch()["keys"] == []
    drop(mulgil_home, *answers_of(desk, labelled_by="lee"), name="lee.jsonl")
    assert import_labels(problem=PROBLEM)["n_second_wanted"] == 0
    assert watch()["keys"] == ["round-001"]


def test_a_file_cannot_answer_again_what_wants_somebody_else(opened, mulgil_home):
    drop(mulgil_home, *answers_of(opened), name="first.jsonl")
    import_labels(problem=PROBLEM)
    watch()
    asked = opened.items[0]["item_id"]
    item = Choice(asked, "2002-08", "relabel", 1.0, None, None, is_for_others=True)
    due = datetime.now(UTC) + timedelta(days=1)
    batch = Batch(PROBLEM, "round-002", 2, None, 1, 20, datetime.now(UTC), due, "round-001")
    with opened.engine.begin() as connection:
        write_batch(connection, batch, [item])
    line = {"batch_id": "round-002", "item_id": asked, "label": "wanted"}
    drop(mulgil_home, *(json.dumps(line | {"labelled_by": person}) for person in ("kim", "lee")))
    outcome = import_labels(problem=PROBLEM)
    assert (outcome["n_rows"], outcome["n_rejected"], outcome["n_second_wanted"]) == (1, 1, 0)
    (monday,) = [row for row in opened.rows(LABEL_FILE) if row["object_key"].endswith("monday.jsonl")]
    assert monday["reasons"][0]["reason"] == "it wants somebody who has not answered it before"


def test_an_exported_batch_comes_back_as_labels(opened, mulgil_home):
    written = export_batch(problem=PROBLEM, partition_key="round-001")
    assert written["n_rows"] == 10
    lines = [json.loads(line) for line in Path(written["path"]).read_text(encoding="utf-8").splitlines()]
    assert [line["item_id"] for line in lines] == [
        item["item_id"] for item in sorted(opened.items, key=lambda item: item["position"])
    ]
    assert {line["fields"]["subject"] for line in lines} == {"hello"}
    drop(mulgil_home, *(json.dumps(line | {"label": "wanted", "labelled_by": "lee"}) for line in lines))
    import_labels(problem=PROBLEM)
    assert watch()["keys"] == ["round-001"]


def test_a_batch_that_does_not_exist_cannot_be_exported(opened):
    with pytest.raises(UnknownBatch, match="no batch 'round-009'"):
        export_batch(problem=PROBLEM, partition_key="round-009")


def test_a_note_of_a_file_is_kept_beside_its_answer(opened, mulgil_home):
    line = json.loads(answers_of(opened)[0]) | {"note": "see the header\x00"}
    drop(mulgil_home, json.dumps(line))
    import_labels(problem=PROBLEM)
    assert [label["note"] for label in opened.labels] == ["see the header\ufffd"]


def test_an_item_may_be_named_by_its_key_column(opened, mulgil_home):
    item = opened.items[0]["item_id"]
    drop(mulgil_home, json.dumps({"batch_id": "round-001", "mail_id": item, "label": "wanted", "labelled_by": "kim"}))
    assert import_labels(problem=PROBLEM)["n_rows"] == 1


def test_an_exported_label_that_did_not_count_is_refused_and_counted(opened, mulgil_home):
    free = sorted(MAILS.keys() - {item["item_id"] for item in opened.items})
    statuses = ["counts", "waiting", "withdrawn", "replaced", "tests", "overruled"]
    lines = [
        {"item_id": item, "label": "wanted", "labelled_by": "ann", "arm": "random", "round": "round-001", "status": one}
        for item, one in zip(free, statuses, strict=False)
    ]
    own_column = {"item_id": free[6], "label": "wanted", "labelled_by": "ann", "status": "withdrawn"}
    drop(mulgil_home, *(json.dumps(line) for line in [*lines, own_column]))
    assert import_labels(problem=PROBLEM)["n_rows"] == 2
    assert {row["item_id"] for row in opened.labels} == {free[0], free[6]}
    (row,) = opened.rows(LABEL_FILE)
    assert row["reasons"] == [{"reason": "it did not count when it was exported", "n_lines": 5, "first_line": 2}]


def test_a_column_of_the_log_called_note_is_no_reviewers_note(opened, mulgil_home):
    path = opened.problems_dir / f"{PROBLEM}.yaml"
    problem = yaml.safe_load(path.read_text(encoding="utf-8"))
    problem["source"]["columns"]["note"] = {"type": "string"}
    path.write_text(yaml.safe_dump(problem), encoding="utf-8")
    first, second = (json.loads(line) for line in answers_of(opened)[:2])
    drop(mulgil_home, json.dumps(first | {"note": "of the log"}), json.dumps(second | {"review_note": "of kim"}))
    import_labels(problem=PROBLEM)
    notes = {row["item_id"]: row["note"] for row in opened.labels}
    assert notes == {first["item_id"]: None, second["item_id"]: "of kim"}
