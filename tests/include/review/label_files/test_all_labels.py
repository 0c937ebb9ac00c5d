"""All labels out, and in again elsewhere."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert, update

from include.review.steps import export_labels, import_labels
from include.warehouse.tables.review import LABEL
from tests.include.review.conftest import PROBLEM, answers_of, drop


def test_every_label_is_written_with_who_when_arm_and_round_as_lines_and_table(opened, mulgil_home):
    drop(mulgil_home, *answers_of(opened))
    import_labels(problem=PROBLEM)
    written = export_labels(problem=PROBLEM)
    lines = [json.loads(line) for line in Path(written["path"]).read_text(encoding="utf-8").splitlines()]
    assert written["n_rows"] == len(lines) == 10
    assert {(line["labelled_by"], line["round"], line["status"]) for line in lines} == {("kim", "round-001", "counts")}
    assert {line["arm"] for line in lines} >= {"random"}
    text = Path(written["path"]).with_suffix(".csv").read_text(encoding="utf-8")
    table = list(csv.DictReader(io.StringIO(text)))
    assert [row["item_id"] for row in table] == [line["item_id"] for line in lines]
    assert table[0]["labelled_at"] == lines[0]["labelled_at"]


def test_where_nobody_labelled_the_file_is_empty(opened):
    assert export_labels(problem=PROBLEM)["n_rows"] == 0


def test_answers_that_tested_somebody_or_that_others_replaced_do_not_count(opened, mulgil_home):
    drop(mulgil_home, *answers_of(opened))
    import_labels(problem=PROBLEM)
    gold, overruled, repeated = [label for label in opened.labels if label["arm"] == "random"][:3]
    boss = overruled | {"labelled_by": "boss", "label": "unsolicited", "arm": "adjudication"}
    later = {"batch_id": "round-002", "labelled_at_utc": repeated["labelled_at_utc"] + timedelta(days=1)}
    with opened.engine.begin() as connection:
        connection.execute(update(LABEL).where(LABEL.c.item_id == gold["item_id"]).values(arm="gold"))
        connection.execute(insert(LABEL), [boss, repeated | later])
    text = Path(export_labels(problem=PROBLEM)["path"]).read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    told = {(line["item_id"], line["labelled_by"], line["round"]): line["status"] for line in lines}
    assert {key: status for key, status in told.items() if status != "counts"} == {
        (gold["item_id"], "kim", "round-001"): "tests",
        (overruled["item_id"], "kim", "round-001"): "overruled",
        (repeated["item_id"], "kim", "round-001"): "replaced",
    }
    assert len(told) == 12
