import pytest
from sqlalchemy import select

from include.warehouse.loading import replace_rows, upsert_rows
from include.warehouse.tables.quality import REJECTED_RECORD


def rejected(partition_key="2013-01", reason="bad time", n_rows=1):
    return {
        "problem": "p",
        "partition_key": partition_key,
        "reason": reason,
        "n_rows": n_rows,
        "example": None,
    }


def stored(connection):
    query = select(REJECTED_RECORD.c.partition_key, REJECTED_RECORD.c.reason, REJECTED_RECORD.c.n_rows)
    return sorted(tuple(row) for row in connection.execute(query))


def test_a_partition_is_replaced_whole_and_its_neighbour_is_left_alone(house):
    with house.engine.begin() as connection:
        neighbour = rejected("2013-02")
        replace_rows(connection, REJECTED_RECORD, {"problem": "p", "partition_key": "2013-02"}, [neighbour])
        where = {"problem": "p", "partition_key": "2013-01"}
        replace_rows(connection, REJECTED_RECORD, where, [rejected(reason="a"), rejected(reason="b")])
        assert replace_rows(connection, REJECTED_RECORD, where, [rejected(reason="c")]) == 1
        assert stored(connection) == [("2013-01", "c", 1), ("2013-02", "bad time", 1)]


def test_replacing_by_nothing_empties_the_partition(house):
    with house.engine.begin() as connection:
        where = {"problem": "p", "partition_key": "2013-01"}
        replace_rows(connection, REJECTED_RECORD, where, [rejected()])
        assert replace_rows(connection, REJECTED_RECORD, where, []) == 0
        assert stored(connection) == []


def test_one_row_outside_among_good_ones_is_refused_and_nothing_is_deleted(house):
    with house.engine.begin() as connection:
        where = {"problem": "p", "partition_key": "2013-01"}
        replace_rows(connection, REJECTED_RECORD, where, [rejected()])
        with pytest.raises(ValueError, match=r"1 of 2 rows for rejected_record lie outside .*2013-03"):
            replace_rows(connection, REJECTED_RECORD, where, [rejected(), rejected("2013-03")])
        assert stored(connection) == [("2013-01", "bad time", 1)]


def test_no_condition_is_refused(house):
    with house.engine.begin() as connection, pytest.raises(ValueError, match="would empty the table"):
        replace_rows(connection, REJECTED_RECORD, {}, [rejected()])


def test_upserting_overwrites_the_same_key_only(house):
    with house.engine.begin() as connection:
        upsert_rows(connection, REJECTED_RECORD, [rejected(reason="a"), rejected(reason="b")])
        assert upsert_rows(connection, REJECTED_RECORD, [rejected(reason="b", n_rows=9)]) == 1
        assert upsert_rows(connection, REJECTED_RECORD, []) == 0
        assert stored(connection) == [("2013-01", "a", 1), ("2013-01", "b", 9)]


def test_a_row_of_keys_alone_may_be_upserted_twice(house):
    from sqlalchemy import Column, MetaData, Table, Text

    keys = Table("only_keys", MetaData(), Column("a", Text, primary_key=True))
    with house.engine.begin() as connection:
        keys.create(connection)
        upsert_rows(connection, keys, [{"a": "x"}])
        upsert_rows(connection, keys, [{"a": "x"}, {"a": "y"}])
        assert sorted(connection.scalars(select(keys.c.a))) == ["x", "y"]
