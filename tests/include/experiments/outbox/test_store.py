import pytest
from sqlalchemy.exc import IntegrityError

from include.experiments.outbox import store
from include.experiments.outbox.standing import Standing
from tests.include.experiments.factories import make_design
from tests.include.experiments.outbox.factories import NOW

WHERE = ("mailing", "june")
SOURCE = ("mailing.audience", "2026-06-01")
STANDING = Standing("pilot", None, "0" * 64, 1, [], make_design(), None, "")


def add(connection, *units, source=SOURCE):
    rows = (list(units), [f"row {unit}" for unit in units], ["new"] * len(units))
    return store.add_batch(connection, *WHERE, source, STANDING, rows, now=NOW)


def test_files_are_numbered_and_wait_until_they_are_marked(house):
    with house.engine.begin() as connection:
        assert [add(connection, "b", "a|,\n"), add(connection, "c")] == [1, 2]
        assert store.add_batch(connection, "mailing", "july", SOURCE, STANDING, (["a"], ["r"], ["x"]), now=NOW) == 1
        waiting = store.read_unwritten(connection, *WHERE)
        assert [(row["batch"], row["file"]) for row in waiting] == [
            (1, "mailing/june/000001.jsonl"),
            (2, "mailing/june/000002.jsonl"),
        ]
        assert [row["unit"] for row in store.read_batch(connection, *WHERE, 1)] == ["a|,\n", "b"]
        store.mark_written(connection, *WHERE, 1, NOW)
        assert [row["batch"] for row in store.read_unwritten(connection, *WHERE)] == [2]


def test_who_is_listed_is_found_by_unit_with_who_listed_them(house):
    with house.engine.begin() as connection:
        add(connection, "a", "b")
        assert store.find_listed(connection, *WHERE, ["b", "z"]) == {"b": SOURCE}
        assert store.find_listed(connection, "mailing", "july", ["b"]) == {}


def test_the_warehouse_itself_refuses_a_unit_that_is_listed(house):
    with house.engine.begin() as connection:
        add(connection, "a")
    with pytest.raises(IntegrityError), house.engine.begin() as connection:
        add(connection, "b", "a", source=("mailing.audience", "2026-06-02"))
    with house.engine.begin() as connection:
        assert store.find_listed(connection, *WHERE, ["a", "b"]) == {"a": SOURCE}


def test_counts_of_a_partition_replace_each_other(house):
    from include.warehouse.tables.sending import SEND_COUNT

    with house.engine.begin() as connection:
        store.write_counts(connection, *WHERE, SOURCE, {"listed": 3, "unit_missing": 1}, now=NOW)
        store.write_counts(connection, *WHERE, SOURCE, {"listed": 4}, now=NOW)
        rows = connection.execute(SEND_COUNT.select()).mappings().all()
    assert [(row["reason"], row["n_rows"]) for row in rows] == [("listed", 4)]
