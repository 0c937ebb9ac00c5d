from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, select

from include.learning.data.dataset import read_rows
from include.learning.data.features import build_features
from include.learning.errors import CannotExplain
from include.learning.explain import batch_items
from include.learning.explain.contributions import REST
from include.learning.explain.model_parts import take_apart
from include.learning.registry import artifacts, versions
from include.names import ROW_KEY, Arm
from include.problems.reading import load_problem
from include.warehouse.tables.explaining import LOCAL_EXPLANATION
from include.warehouse.tables.review import REVIEW_BATCH, REVIEW_ITEM
from tests.include.learning.test_steps import train

NOW = datetime(2002, 3, 1, tzinfo=UTC)


def fill(table, **values):
    """Give a row of a table in which only some columns matter."""
    blank = {str: "x", int: 1, float: 0.5, bool: False}
    row = {column.name: None if column.nullable else blank.get(column.type.python_type) for column in table.columns}
    return row | values


@pytest.fixture
def version(house, mails, answer):
    """Give the version of a model that was learned from 80 mails."""
    _, truth = mails
    answer(dict(list(truth.items())[:80]), "round-001")
    return train("mail", "round-001")["model_version"]


@pytest.fixture
def open_batch(house):
    def run(batch_id, version, items):
        common = {"problem": "mail", "batch_id": batch_id}
        with house.engine.begin() as connection:
            batch = common | {"model_version": version, "chosen_at_utc": NOW, "due_at_utc": NOW}
            connection.execute(insert(REVIEW_BATCH), [fill(REVIEW_BATCH, **batch)])
            for item in items:
                month = f"2002-0{1 + int(item[1:]) % 2}"
                row = common | {"item_id": item, "partition_key": month, "arm": Arm.ENTROPY}
                connection.execute(insert(REVIEW_ITEM), [fill(REVIEW_ITEM, **row)])

    return run


def explained(house):
    columns = (LOCAL_EXPLANATION.c.batch_id, LOCAL_EXPLANATION.c.item_id, LOCAL_EXPLANATION.c.rank)
    with house.engine.connect() as connection:
        return sorted(tuple(row) for row in connection.execute(select(*columns)))


def stored_model(house, version):
    with house.engine.connect() as connection:
        row = versions.find_version(connection, "mail", version)
    return artifacts.load_registered(versions.models_folder(house.settings, "mail"), row)


def test_parts_of_an_item_sum_to_the_models_log_odds_before_calibration(house, version):
    stored = stored_model(house, version)
    rows = read_rows(load_problem("mail"), ["2002-01"], spec=stored.spec).head(3)
    found = batch_items.explain_items(stored, rows)
    parts_of = take_apart(stored.model)
    said = parts_of.classifier.decision_function(parts_of.encoder.transform(build_features(rows, stored.spec)))
    for item, log_odds in zip(rows[ROW_KEY], said, strict=True):
        parts = [row for row in found if row["item_id"] == item]
        assert [row["rank"] for row in parts] == list(range(len(parts)))
        assert parts[0]["feature"] == REST
        total = sum(row["contribution"] for row in parts)
        assert total == pytest.approx(log_odds, abs=1e-6)


def test_explaining_again_replaces_a_batch_and_leaves_its_neighbour(house, version, open_batch):
    open_batch("round-002", version, ["m0100", "m0101"])
    open_batch("round-003", version, ["m0100"])
    problem = load_problem("mail")
    for batch_id, n_rows in (("round-002", 2), ("round-003", 1)):
        found = batch_items.explain_batch(problem, batch_id)
        assert found == {"problem": "mail", "batch_id": batch_id, "n_rows": n_rows, "reason": ""}
    before = explained(house)
    assert {row[:2] for row in before} == {("round-002", "m0100"), ("round-002", "m0101"), ("round-003", "m0100")}
    batch_items.explain_batch(problem, "round-002")
    assert explained(house) == before


def test_a_batch_that_no_model_chose_and_one_nobody_opened_say_so(house, version, open_batch):
    open_batch("round-002", None, ["m0100"])
    for batch_id in ("round-002", "round-009"):
        found = batch_items.explain_batch(load_problem("mail"), batch_id)
        assert (found["n_rows"], found["reason"]) == (0, "No model had an opinion when the batch was chosen.")
    assert explained(house) == []


def test_a_model_that_cannot_be_explained_leaves_earlier_words_and_says_why(house, version, open_batch, monkeypatch):
    open_batch("round-002", version, ["m0100"])
    batch_items.explain_batch(load_problem("mail"), "round-002")
    before = explained(house)

    def refuse(*_):
        raise CannotExplain("no exact contributions")

    monkeypatch.setattr(batch_items, "take_apart", refuse)
    found = batch_items.explain_batch(load_problem("mail"), "round-002")
    assert (found["n_rows"], found["reason"]) == (0, "no exact contributions")
    assert explained(house) == before


def test_an_item_that_the_lake_lost_is_left_out_and_not_counted(house, version, open_batch):
    open_batch("round-002", version, ["m0100", "m9999"])
    assert batch_items.explain_batch(load_problem("mail"), "round-002")["n_rows"] == 1
    assert {row[1] for row in explained(house)} == {"m0100"}
