import duckdb
import pyarrow as pa
import pytest

from include.engine.duckdb_sql import describe, select
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine

pytestmark = pytest.mark.usefixtures("each_engine")


@pytest.fixture
def rows():
    return relation_of_arrow(open_engine(), pa.table({"k": ["b", "a"], "n": [1, None]}))


def test_a_query_adds_a_column_and_keeps_the_others(rows):
    added = select(rows, "SELECT *, n IS NULL AS none FROM {rows}", {"none": "boolean"})
    assert added.schema().names == ("k", "n", "none")
    assert added.order_by("k").to_pyarrow().to_pydict() == {"k": ["a", "b"], "n": [None, 1], "none": [True, False]}


def test_a_query_may_put_another_type_in_a_columns_place(rows):
    asked = select(rows, "SELECT * REPLACE (CAST(n AS VARCHAR) AS n) FROM {rows}", {"n": "string"})
    assert asked.order_by("k").to_pyarrow()["n"].to_pylist() == [None, "1"]


def test_a_query_that_does_not_add_gives_its_own_columns_alone(rows):
    asked = select(rows, "SELECT upper(k) AS big FROM {rows}", {"big": "string"}, is_adding=False)
    assert asked.columns == ("big",)
    assert sorted(asked.to_pyarrow()["big"].to_pylist()) == ["A", "B"]


def test_queries_may_be_asked_of_what_queries_gave(rows):
    once = select(rows, "SELECT *, k || '!' AS loud FROM {rows}", {"loud": "string"})
    twice = select(once.filter(once.n.notnull()), "SELECT *, loud || '!' AS louder FROM {rows}", {"louder": "string"})
    assert twice.to_pyarrow()["louder"].to_pylist() == ["b!!"]


def test_a_query_is_described_without_asking_a_row(rows):
    broken = select(rows, "SELECT *, error('a row was asked') AS e FROM {rows}", {"e": "string"})
    schema = describe(broken, "SELECT n + 1.5 AS m, k FROM {rows}")
    assert (schema.names, schema.field("k").type) == (["m", "k"], pa.string())


@pytest.mark.parametrize("query", ["SELECT m FROM {rows}", "SELEC n FROM {rows}"])
def test_what_is_no_question_about_these_columns_is_refused(rows, query):
    with pytest.raises(duckdb.Error):
        describe(rows, query)
