"""A round of three classes, and one of several labels: chosen by entropy over all, answered at the desk and by file."""

import json
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml
from sqlalchemy import insert

from include.errors import DeskRefused
from include.lake.writing import replace_partition
from include.names import CLASS_NAME, PARTITION_KEY, ROW_KEY, predictions_table
from include.problems.reading import load_problem
from include.review.desk import service
from include.review.desk.permissions import Person
from include.review.label_files.import_export import export_batch
from include.review.metrics.store import measure_label_agreement, measure_review
from include.review.steps import choose_batch, import_labels
from include.warehouse.tables.desk import REVIEW_CONTENT
from include.warehouse.tables.learning import MODEL_METRIC
from include.warehouse.tables.review import AGREEMENT, LABEL_FILE
from tests.include.review.conftest import MAILS, MONTHS, PROBLEM, drop

CLASSES = ["rude", "spam", "wanted"]
KIM, LEE = Person("kim", frozenset()), Person("lee", frozenset())


def declare(desk: Any, make_version: Any, *, is_multiple: bool) -> Any:
    """Declare three classes, publish, and score by a model to be believed: of the first mails nobody is sure."""
    path = desk.problems_dir / f"{PROBLEM}.yaml"
    problem = yaml.safe_load(path.read_text())
    problem["label"] = {"classes": CLASSES, "source": "desk"} | ({"multiple": True} if is_multiple else {})
    problem["value"] = {"unit": "mails"}
    if is_multiple:
        problem["value"] |= {"true_positive": 1, "false_positive": -1, "true_negative": 0, "false_negative": -1}
    problem.pop("baseline", None)
    problem["review"] |= {"overlap_share": 0.0}
    path.write_text(yaml.safe_dump(problem))
    desk.publish(*MONTHS)
    for month in MONTHS:
        mails = [mail for mail, where in MAILS.items() if where == month]
        sure = np.array([1 / 3 + min(1.0, MAILS_AT[mail] / 10) * 0.6 for mail in mails])
        p = np.column_stack([sure, (1 - sure) / 2, (1 - sure) / 2])
        columns = {
            PARTITION_KEY: [month] * 3 * len(mails),
            ROW_KEY: [mail for mail in mails for _ in CLASSES],
            "model_version": ["2002-09-abc"] * 3 * len(mails),
            CLASS_NAME: CLASSES * len(mails),
            "p_positive": pa.array(p.ravel(), pa.float64()),
        }
        replace_partition(predictions_table(PROBLEM), month, pa.table(columns))
    make_version("2002-09-abc", threshold_ratio=0.5)
    losses = {"problem": PROBLEM, "model_version": "2002-09-abc", "metric": "log_loss", "n_rows": 50}
    with desk.engine.begin() as connection:
        for candidate, loss in (("x", 0.3), ("dummy", 0.6)):
            connection.execute(insert(MODEL_METRIC), losses | {"candidate": candidate, "value": loss})
    choose_batch(problem=PROBLEM, partition_key="2002-09")
    return load_problem(PROBLEM)


MAILS_AT = {mail: place for place, mail in enumerate(MAILS)}


@pytest.fixture
def landing(mulgil_home):
    (mulgil_home / "landing").mkdir()
    return mulgil_home


def test_three_classes_are_asked_by_entropy_and_the_desk_shows_all_of_them(desk, make_version):
    problem = declare(desk, make_version, is_multiple=False)
    asked = [item for item in desk.items if item["arm"] == "entropy"]
    assert asked
    assert {item["item_id"] for item in asked} <= {mail for mail, at in MAILS_AT.items() if at < 14}
    assert all(0 < item["entropy_nats"] <= np.log(3) + 1e-9 for item in asked)
    assert all(item["p_positive"] is None for item in desk.items)
    assert all(set(row["class_probabilities"]) == set(CLASSES) for row in desk.rows(REVIEW_CONTENT))
    item = service.take_item(desk.engine, problem, "round-001", KIM, "en")
    view = item["model"]
    assert view["positive"] == "rude"
    assert [one["name"] for one in view["classes"]] == CLASSES
    assert view["most_entropy_nats"] == pytest.approx(np.log(3))
    place = service.Place(PROBLEM, "round-001", item["item_id"])
    common = {"note": None, "looked_ms": None}
    with pytest.raises(DeskRefused):
        service.answer(desk.engine, problem, place, KIM, label="weed", request_id="r0000001", **common)
    service.answer(desk.engine, problem, place, KIM, label="spam", request_id="r0000002", **common)
    assert [row["label"] for row in desk.labels] == ["spam"]


def test_files_and_the_desk_take_no_one_and_three_labels(desk, make_version, landing):
    problem = declare(desk, make_version, is_multiple=True)
    asked = [item for item in desk.items if item["arm"] == "entropy"]
    assert max(item["entropy_nats"] for item in asked) > np.log(3)  # summed over labels
    keys = [item["item_id"] for item in desk.items]
    labels: list[Any] = [[], ["spam"], ["wanted", "rude", "spam"], ["weed"], '["spam"]']
    drop(
        landing,
        *[
            json.dumps({"batch_id": "round-001", "item_id": key, "label": label, "labelled_by": "kim"})
            for key, label in zip(keys, labels, strict=False)
        ],
    )
    outcome = import_labels(problem=PROBLEM)
    assert (outcome["n_rows"], outcome["n_rejected"]) == (4, 1)
    assert [reason["reason"] for row in desk.rows(LABEL_FILE) for reason in row["reasons"]] == [
        "its label is not one of the classes"
    ]
    stored = {row["item_id"]: row["label"] for row in desk.labels}
    assert [stored[key] for key in (*keys[:3], keys[4])] == ["[]", '["spam"]', '["rude", "spam", "wanted"]', '["spam"]']
    item = service.take_item(desk.engine, problem, "round-001", LEE, "en")
    place = service.Place(PROBLEM, "round-001", item["item_id"])
    told = service.answer(
        desk.engine, problem, place, LEE, label='["wanted","rude"]', note=None, looked_ms=None, request_id="r0000003"
    )
    assert told["label"] == '["rude", "wanted"]'
    with desk.engine.begin() as connection:
        lines, _ = export_batch(connection, problem, "round-001", MONTHS)
        measure_review(connection, problem, datetime(2002, 10, 1, tzinfo=UTC))
    assert json.loads(lines[0])["classes"] == CLASSES
    assert desk.rows(AGREEMENT) == []  # nobody has answered what another one has


def test_people_agree_about_each_label_by_itself(desk, make_version):
    label = declare(desk, make_version, is_multiple=True).label
    rng = np.random.default_rng(0)
    answers = {
        f"i{at}": {"kim": json.dumps(["rude"] if at % 2 else []), "lee": json.dumps(["rude", "spam"] if at % 2 else [])}
        for at in range(40)
    }
    rows = {(row["scope"], row["subject"]): row for row in measure_label_agreement(answers, label, rng)}
    by_label = {subject: row["value"] for (scope, subject), row in rows.items() if scope == "class"}
    assert by_label["rude"] == pytest.approx(1.0)
    assert by_label["spam"] < 0
    assert rows["all", ""]["value"] < 1
