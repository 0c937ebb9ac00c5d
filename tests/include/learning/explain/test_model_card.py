"""Versions of a real training, described on a real lake and a real warehouse."""

from typing import Any

import numpy as np
import pytest
import yaml
from sqlalchemy import insert, select

from include.learning import steps
from include.learning.explain import model_card
from include.learning.explain.contributions import REST
from include.names import Arm
from include.problems.reading import load_problem
from include.warehouse.tables import explaining as tables
from include.warehouse.tables.review import REVIEW_BATCH, REVIEW_ITEM
from tests.include.learning.conftest import LATE, WORDS
from tests.include.learning.test_steps import MONTHS, train

METHODS = {"permutation", "ablation", "mutual_information", "l1_path", "contribution"}
DESCRIBED = [
    tables.HELDOUT_BIN,
    tables.FEATURE_IMPORTANCE,
    tables.PARTIAL_DEPENDENCE,
    tables.FAIRNESS_METRIC,
    tables.WEAK_SEGMENT,
    tables.FEATURE_RANGE,
    tables.MODEL_NOTE,
]


def read(house: Any, table: Any) -> list[dict[str, Any]]:
    with house.engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]


def describe(problem: str, version: str) -> dict[str, Any]:
    fitted = {"versions": [version], "model_version": version}
    return steps.describe_model(problem=problem, partition_key="key", fitted=fitted)


@pytest.fixture
def described_trips(house, problems_dir, trips):
    """Train on three months in which the lines are protected, and describe the version."""
    training = LATE["training"] | {"protected": [{"column": "line"}]}
    (problems_dir / "late.yaml").write_text(yaml.safe_dump(LATE | {"training": training}))
    trips(MONTHS[:3])
    version = train("late", MONTHS[2])["model_version"]
    assert describe("late", version)["n_rows"] > 300
    return version


def test_trees_are_described_by_every_question_over_every_heldout_row(house, described_trips):
    rows = read(house, tables.FEATURE_IMPORTANCE)
    assert {row["method"] for row in rows} == METHODS
    for method in METHODS - {"l1_path"}:
        by_feature = {row["feature"]: row for row in rows if row["method"] == method}
        assert set(by_feature) == {"rain_mm", "hour", "line"}
        assert by_feature["rain_mm"]["rank"] < by_feature["line"]["rank"]
        assert by_feature["rain_mm"]["low"] <= by_feature["rain_mm"]["value"] <= by_feature["rain_mm"]["high"]
    curve = [row["p_positive"] for row in read(house, tables.PARTIAL_DEPENDENCE) if row["feature"] == "rain_mm"]
    assert curve == sorted(curve)
    assert curve[-1] > curve[0] + 0.2
    bins = read(house, tables.HELDOUT_BIN)
    groups = read(house, tables.FAIRNESS_METRIC)
    assert {(row["group_name"], row["group_value"]) for row in groups} == {("line", "blue"), ("line", "red")}
    in_groups = sum(row["n_rows"] for row in groups if row["metric"] == "selection_rate")
    assert sum(row["n_rows"] for row in bins) == in_groups > 300
    ranges = {row["feature"]: row for row in read(house, tables.FEATURE_RANGE)}
    assert ranges["hour"]["low"] == 5
    assert ranges["hour"]["high"] == 22
    assert sorted(ranges["line"]["options"]) == ["blue", "red"]
    notes = {row["topic"]: row["note"] for row in read(house, tables.MODEL_NOTE)}
    assert set(notes) == {"refit", "rows"}
    assert "which the model was at last fitted on too" in notes["rows"]


def test_describing_twice_says_the_same_and_too_few_rows_are_a_note(house, described_trips, monkeypatch):
    before = [read(house, table) for table in DESCRIBED]
    describe("late", described_trips)
    assert [read(house, table) for table in DESCRIBED] == before
    # Too few rows are a sentence, not a crash.
    monkeypatch.setattr(model_card, "MAX_ROWS", 10)
    describe("late", described_trips)
    assert read(house, tables.FEATURE_IMPORTANCE) == []
    notes = {row["topic"]: row["note"] for row in read(house, tables.MODEL_NOTE)}
    assert notes["importance"].startswith("10 rows, ")
    assert "20 rows of both classes are needed" in notes["importance"]


@pytest.fixture
def described_mails(house, mails, answer):
    """Learn from 80 answers, one of which is plainly wrong, and look at the labels."""
    _, truth = mails
    answers = dict(list(truth.items())[:80])
    wrong = next(item for item, label in answers.items() if label == "junk")
    answer(answers | {wrong: "wanted"}, "round-001")
    version = train("mail", "round-001")["model_version"]
    describe("mail", version)
    fitted = {"versions": [version], "model_version": version}
    found = steps.suspect_labels(problem="mail", partition_key="round-001", fitted=fitted)
    return version, wrong, found


def test_a_plainly_wrong_label_is_suspected_first_and_words_describe_text_models(house, described_mails):
    _, wrong, found = described_mails
    rows = read(house, tables.SUSPECTED_LABEL)
    first = next(row for row in rows if row["rank"] == 1)
    assert (first["item_id"], first["given_label"], first["suggested_label"]) == (wrong, "wanted", "junk")
    assert first["given_ratio"] < 0.5
    assert first["n_examined"] == 80
    assert found["n_rows"] == len(rows) <= 5
    assert "of 80 labels are suspected" in found["reason"]
    # The same version, described by its words.
    rows = read(house, tables.FEATURE_IMPORTANCE)
    assert {row["method"] for row in rows} == METHODS
    telling = set(WORDS[True]) | set(WORDS[False])
    strongest = {row["feature"] for row in rows if row["method"] == "contribution" and row["rank"] <= 4}
    assert strongest <= telling
    assert read(house, tables.PARTIAL_DEPENDENCE) == []
    assert {row["feature"] for row in read(house, tables.FEATURE_RANGE)} == {"subject", "body"}


def open_batch(house: Any, version: str | None, items: list[str]) -> None:
    def example(table, **values):
        blank = {str: "x", int: 1, float: 0.5, bool: False}
        row = {column.name: None if column.nullable else blank.get(column.type.python_type) for column in table.columns}
        return row | values

    now = np.datetime64("2002-03-01").astype("datetime64[ms]").item()
    common = {"problem": "mail", "batch_id": "round-002"}
    with house.engine.begin() as connection:
        batch = common | {"model_version": version, "chosen_at_utc": now, "due_at_utc": now}
        connection.execute(insert(REVIEW_BATCH), [example(REVIEW_BATCH, **batch)])
        rows = [
            example(
                REVIEW_ITEM, **common, item_id=item, partition_key=f"2002-0{1 + int(item[1:]) % 2}", arm=Arm.ENTROPY
            )
            for item in items
        ]
        connection.execute(insert(REVIEW_ITEM), rows)


def test_the_explanation_of_every_item_sums_to_its_log_odds(house, described_mails):
    version, _, _ = described_mails
    open_batch(house, version, ["m0100", "m0101"])
    chosen = {"batch_id": "round-002"}
    assert steps.explain_batch(problem="mail", partition_key="round-001", chosen=chosen)["n_rows"] == 2
    rows = read(house, tables.LOCAL_EXPLANATION)
    assert {row["item_id"] for row in rows} == {"m0100", "m0101"}
    first = [row for row in rows if row["item_id"] == "m0100"]
    assert (first[0]["rank"], first[0]["feature"]) == (0, REST)
    sizes = [abs(row["contribution"]) for row in first[1:]]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) <= 10
    steps.explain_batch(problem="mail", partition_key="round-001", chosen=chosen)
    assert read(house, tables.LOCAL_EXPLANATION) == rows


def test_a_first_batch_is_explained_by_nobody(house, mails):
    open_batch(house, None, ["m0100"])
    outcome = steps.explain_batch(problem="mail", partition_key="2002-01", chosen={"batch_id": "round-002"})
    assert outcome["n_rows"] == 0
    assert "No model had an opinion" in outcome["reason"]
    assert load_problem("mail").review is not None
