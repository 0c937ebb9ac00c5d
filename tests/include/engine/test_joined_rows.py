import pyarrow as pa

from include.engine import joined_rows
from include.engine.joined_rows import select_joined
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine

QUERY = """
    , few AS (SELECT * FROM right_rows WHERE v > 1)
    SELECT l.k, few.v, {'v': few.v} AS said FROM left_rows AS l LEFT JOIN few USING (k)
"""
COLUMNS = {"k": "string", "v": "int64", "said": "struct<v: int64>"}
WANTED = [{"k": "a", "v": 2, "said": {"v": 2}}, {"k": "b", "v": None, "said": {"v": None}}]


def ask():
    left = relation_of_arrow(open_engine(), pa.table({"k": ["a", "b"]}))
    right = relation_of_arrow(open_engine(), pa.table({"k": ["a", "b"], "v": [2, 1]}))
    rows = select_joined({"left_rows": left, "right_rows": right}, QUERY, COLUMNS)
    return rows.order_by("k").to_pyarrow().to_pylist()


def test_a_question_over_two_relations_is_answered_as_by_hand():
    assert ask() == WANTED


def test_an_engine_of_another_dialect_gives_the_same_rows(monkeypatch):
    monkeypatch.setattr(joined_rows, "is_spark", lambda _: True)
    assert ask() == WANTED
