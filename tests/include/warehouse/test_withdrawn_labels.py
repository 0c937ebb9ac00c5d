import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, insert, select, text, update

from include.warehouse.tables.explaining import MODEL_NOTE
from include.warehouse.tables.learning import MODEL_VERSION
from include.warehouse.tables.review import LABEL, LABEL_FLAG, PERSON_BLOCK
from include.warehouse.withdrawn_labels import TOPIC, mark_models
from tests.include.review.conftest import _ANY

NOW = datetime(2002, 10, 1, tzinfo=UTC)
OLD, NEW = "round-001-aaaaaa", "round-002-bbbbbb"


def lay(connection):
    """Two versions, the second trained a day later, and three answers of a script in the first round."""
    row = {column.name: _ANY[type(column.type).__name__] for column in MODEL_VERSION.columns if not column.nullable}
    for version, day in ((OLD, 0), (NEW, 2)):
        changes = {"problem": "mail", "model_version": version, "trained_at_utc": NOW + timedelta(days=day)}
        connection.execute(insert(MODEL_VERSION), [row | changes])
    answer = {"problem": "mail", "batch_id": "round-001", "labelled_by": "script", "label": "junk", "arm": "random"}
    answer |= {"is_demo": False, "labelled_at_utc": NOW}
    connection.execute(insert(LABEL), [answer | {"item_id": f"m{n}"} for n in range(3)])


def test_models_that_learned_before_the_block_are_marked_and_the_mark_goes_with_it(house):
    block = {"problem": "mail", "labelled_by": "script", "n_labels": 3, "reason": "a script", "blocked_by": "boss"}
    with house.engine.begin() as connection:
        lay(connection)
        assert mark_models(connection, "mail") == []
        connection.execute(insert(PERSON_BLOCK), [block | {"blocked_at_utc": NOW + timedelta(days=1)}])
        assert mark_models(connection, "mail") == [OLD]
        note = connection.execute(select(MODEL_NOTE.c.note).where(MODEL_NOTE.c.topic == TOPIC)).scalar_one()
        assert note.startswith("3 of the answers that it learned from, by script, were withdrawn since.")
        connection.execute(update(PERSON_BLOCK).values(lifted_at_utc=NOW))
        assert mark_models(connection, "mail") == []
        assert connection.execute(select(MODEL_NOTE)).all() == []


def test_withdrawn_batches_mark_models_and_later_rounds_do_not_count(house):
    flag = {"problem": "mail", "batch_id": "round-001", "labelled_by": "script", "n_labels": 3, "reason": "fast"}
    flag |= {"flagged_at_utc": NOW + timedelta(days=1), "status": "waiting"}
    with house.engine.begin() as connection:
        lay(connection)
        connection.execute(insert(LABEL_FLAG), [flag])
        assert mark_models(connection, "mail") == []
        connection.execute(update(LABEL_FLAG).values(status="withdrawn"))
        assert mark_models(connection, "mail") == [OLD]
        connection.execute(delete(LABEL).where(LABEL.c.item_id != "m0"))
        connection.execute(update(LABEL).values(batch_id="round-002"))
        assert mark_models(connection, "mail") == []


def test_two_leads_at_once_mark_each_model_once(house):
    block = {"problem": "mail", "labelled_by": "script", "n_labels": 3, "reason": "a script", "blocked_by": "boss"}
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with house.engine.begin() as connection:
        lay(connection)
        connection.execute(insert(PERSON_BLOCK), [block | {"blocked_at_utc": NOW + timedelta(days=1)}])

    def mark():
        with house.engine.begin() as connection:
            return mark_models(connection, "mail")

    def is_waited_for():
        with house.engine.connect() as connection:  # in one transaction the answer would stay as it is
            return connection.scalar(waiting)

    with ThreadPoolExecutor(1) as pool:
        with house.engine.begin() as first:
            assert mark_models(first, "mail") == [OLD]
            second, deadline = pool.submit(mark), time.monotonic() + 20
            while not is_waited_for():
                assert time.monotonic() < deadline, "nobody waits"
        assert second.result() == [OLD]
    with house.engine.connect() as connection:
        assert connection.scalars(select(MODEL_NOTE.c.model_version)).all() == [OLD]
