from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Text, insert, select, update

from include.lake.garbage_collection import expire_snapshots
from include.lake.reading import current_snapshot, open_rows
from include.landing.steps import find_unheard_models, mark_trained_models
from include.landing.withdrawal.models import TOPIC
from include.warehouse.tables.explaining import MODEL_NOTE
from include.warehouse.tables.learning import MODEL_VERSION
from tests.include.landing.withdrawal.test_objects import ASKED, ingest, land_and_ingest, withdraw

pytestmark = pytest.mark.slow


@pytest.fixture
def models(landing, flight):
    """Land a good and a wrong file, and register a model trained on both, one on January only, and one on neither."""
    landing.drop("good.jsonl", flight("a"), flight("f", "2013-02-05T00:00:00Z"))
    before = land_and_ingest() and current_snapshot("lake.flights")
    landing.drop("wrong.jsonl", flight("b"), flight("c"), flight("e", "2013-02-06T00:00:00Z"))
    land_and_ingest()
    needed = [column for column in MODEL_VERSION.columns if not column.nullable]
    row = {column.name: "x" if isinstance(column.type, Text) else 0 for column in needed}
    row |= {"problem": "flights", "labels_as_of_utc": "2026-01-01T00:00Z", "trained_at_utc": datetime.now(UTC)}
    held = {"trained_through": "2013-02", "snapshot_id": current_snapshot("lake.flights")}
    versions = [
        row | held | {"model_version": "both"},
        row | held | {"model_version": "january", "trained_through": "2013-01"},
        row | held | {"model_version": "neither", "snapshot_id": before},
        row | held | {"model_version": "long ago", "trained_at_utc": datetime.now(UTC) - timedelta(days=2)},
    ]
    with landing.house.engine.begin() as connection:
        connection.execute(insert(MODEL_VERSION), versions)
    return landing


def marks(landing):
    query = select(MODEL_VERSION.c.model_version, MODEL_VERSION.c.n_withdrawn)
    with landing.house.engine.connect() as connection:
        return dict(connection.execute(query.where(MODEL_VERSION.c.rows_withdrawn_at_utc.is_not(None))).all())


def notes(landing):
    query = select(MODEL_NOTE.c.model_version, MODEL_NOTE.c.note).where(MODEL_NOTE.c.topic == TOPIC)
    with landing.house.engine.connect() as connection:
        return dict(connection.execute(query).all())


def test_a_model_of_withdrawn_rows_is_marked_and_its_snapshot_stays_readable(models):
    snapshot = current_snapshot("lake.flights")
    withdraw("flights/wrong.jsonl")
    ingest("2013-01", "2013-02")
    found = mark_trained_models(objects=["flights/wrong.jsonl"], **ASKED)
    assert found == {"versions": ["both", "january", "long ago"], "n_rows": 3}
    assert marks(models) == {"both": 3, "january": 2, "long ago": 3}
    assert notes(models)["january"].startswith("2 of the rows that it could learn from were withdrawn since (gates of")
    assert open_rows("lake.flights", snapshot_id=snapshot).count().to_pyarrow().as_py() == 5
    assert mark_trained_models(objects=["flights/wrong.jsonl"], **ASKED) == found


def test_the_mark_goes_when_the_objects_are_let_in_again(models):
    withdraw("flights/wrong.jsonl")
    mark_trained_models(objects=["flights/wrong.jsonl"], **ASKED)
    withdraw("flights/wrong.jsonl", run_id="w2", action="restore")
    assert mark_trained_models(objects=["flights/wrong.jsonl"], **ASKED) == {"versions": [], "n_rows": 0}
    assert (marks(models), notes(models)) == ({}, {})


def test_a_training_that_was_under_way_is_marked_by_the_next_look(models):
    withdraw("flights/wrong.jsonl")
    find_unheard_models(problem="flights")
    assert marks(models) == {"both": 3, "january": 2}


def test_a_mended_file_of_the_same_name_marks_no_model(models, flight):
    withdraw("flights/wrong.jsonl")
    ingest("2013-01", "2013-02")
    models.drop("wrong.jsonl", flight("b2"), flight("e2", "2013-02-06T00:00:00Z"))
    land_and_ingest()
    taught = {"trained_at_utc": datetime.now(UTC), "snapshot_id": current_snapshot("lake.flights")}
    with models.house.engine.begin() as connection:
        connection.execute(update(MODEL_VERSION).where(MODEL_VERSION.c.model_version == "long ago").values(taught))
    assert mark_trained_models(objects=["flights/wrong.jsonl"], **ASKED)["versions"] == ["both", "january"]


def test_a_model_of_the_good_bytes_that_wrong_ones_replaced_is_not_marked(models, flight):
    models.drop("good.jsonl", flight("w"))
    land_and_ingest()
    withdraw("flights/good.jsonl")
    assert mark_trained_models(objects=["flights/good.jsonl"], **ASKED)["versions"] == []


def test_what_an_expired_commit_does_not_say_counts_unless_it_had_left(models, flight):
    withdraw("flights/wrong.jsonl")
    expire_snapshots("lake.flights", named_by="flights")
    assert mark_trained_models(objects=["flights/wrong.jsonl"], **ASKED)["versions"] == ["both", "january", "long ago"]
    ingest("2013-01", "2013-02")
    models.drop("wrong.jsonl", flight("b2"))
    land_and_ingest()
    models.drop("later.jsonl", flight("p", "2013-03-06T00:00:00Z"))
    land_and_ingest()
    taught = {"trained_at_utc": datetime.now(UTC), "snapshot_id": current_snapshot("lake.flights")}
    with models.house.engine.begin() as connection:
        connection.execute(update(MODEL_VERSION).where(MODEL_VERSION.c.model_version == "long ago").values(taught))
    expire_snapshots("lake.flights", named_by="flights")
    assert mark_trained_models(objects=["flights/wrong.jsonl"], **ASKED)["versions"] == ["both", "january"]
