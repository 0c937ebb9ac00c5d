import duckdb
import pytest
from sqlalchemy import column, create_engine, custom_op, func, inspect, literal, select, table, text, types
from sqlalchemy.exc import NoSuchTableError, ProgrammingError
from sqlalchemy.sql.expression import BinaryExpression

from include.quality.duckdb_dialect import DuckDBAPI, database_url


@pytest.fixture
def engine():
    name = ":memory:dialect_test"
    with duckdb.connect(name) as keeper:
        keeper.execute(
            'CREATE TABLE ride (ride_id VARCHAR, miles DOUBLE, seats BIGINT, "at" TIMESTAMPTZ, tags VARCHAR[])'
        )
        keeper.execute(
            "INSERT INTO ride VALUES ('a', 1.5, 2, now(), []), ('b', NULL, 3, now(), []), ('c', 9, 4, now(), [])"
        )
        keeper.execute("CREATE VIEW long_ride AS SELECT * FROM ride WHERE miles > 5")
        engine = create_engine(database_url(name))
        yield engine
        engine.dispose()


def test_rows_can_be_read_after_their_connection_is_back_in_the_pool(engine):
    with engine.connect() as connection:
        result = connection.execute(text("SELECT ride_id FROM ride ORDER BY 1"))
    with engine.connect() as other:
        other.execute(text("SELECT 1"))
    assert result.fetchall() == [("a",), ("b",), ("c",)]


def test_rows_come_one_by_one_in_pieces_or_all_and_none_twice(engine):
    with engine.connect() as connection:
        result = connection.execute(text("SELECT ride_id FROM ride ORDER BY 1"))
        assert result.fetchone() == ("a",)
        assert result.fetchmany(1) == [("b",)]
        assert result.fetchall() == [("c",)]
        assert result.fetchall() == []


def test_a_cursor_gives_each_row_once_also_after_it_is_closed():
    cursor = DuckDBAPI.connect(":memory:").cursor()
    cursor.execute("SELECT unnest([?, 2, 3])", [1])
    cursor.close()
    assert (cursor.rowcount, cursor.fetchone(), cursor.fetchmany(), cursor.fetchall()) == (3, (1,), [(2,)], [(3,)])
    assert (cursor.fetchone(), cursor.fetchmany(), cursor.fetchall()) == (None, [], [])


def test_values_are_bound(engine):
    with engine.connect() as connection:
        found = connection.execute(text("SELECT seats FROM ride WHERE ride_id = :it"), {"it": "b' OR 1=1"}).fetchall()
    assert found == []


def test_columns_of_a_view_are_listed_in_their_order_with_their_types(engine):
    columns = inspect(engine).get_columns("long_ride")
    assert [column["name"] for column in columns] == ["ride_id", "miles", "seats", "at", "tags"]
    kinds = [types.VARCHAR, types.DOUBLE_PRECISION, types.BIGINT, types.TIMESTAMP, types.VARCHAR]
    assert [type(column["type"]) for column in columns] == kinds


def test_a_table_that_is_not_there_is_said_not_to_be(engine):
    assert inspect(engine).has_table("ride")
    assert inspect(engine).has_table("long_ride")
    assert not inspect(engine).has_table("nothing")
    with pytest.raises(NoSuchTableError):
        inspect(engine).get_columns("nothing")


def test_tables_and_views_are_told_apart_and_have_no_primary_key(engine):
    assert inspect(engine).get_table_names() == ["ride"]
    assert inspect(engine).get_view_names() == ["long_ride"]
    assert inspect(engine).get_pk_constraint("ride")["constrained_columns"] == []


@pytest.mark.parametrize(("operator", "is_found"), [("~", True), ("!~", False)])
def test_a_regular_expression_finds_its_pattern_anywhere_as_in_postgresql(engine, operator, is_found):
    expression = BinaryExpression(literal("N123AA"), literal("123"), custom_op(operator))
    with engine.connect() as connection:
        assert connection.execute(select(expression)).scalar() is is_found


def test_another_operator_is_left_as_it_is(engine):
    with engine.connect() as connection:
        assert connection.execute(select(literal("a").op("||")(literal("b")))).scalar() == "ab"


def test_a_quantile_is_a_value_of_the_column(engine):
    with engine.connect() as connection:
        query = select(func.percentile_disc(0.5).within_group(column("seats").asc())).select_from(table("ride"))
        assert connection.execute(query).scalar() == 3


def test_a_wrong_statement_is_sqlalchemys_own_error(engine):
    with engine.connect() as connection, pytest.raises(ProgrammingError, match="nothing"):
        connection.execute(text("SELECT * FROM nothing"))


def test_a_column_named_like_a_word_of_the_grammar_is_quoted(engine):
    with engine.connect() as connection:
        assert len(connection.execute(select(column("at")).select_from(table("ride"))).fetchall()) == 3


def test_two_names_are_two_databases(engine):
    other = create_engine(database_url(":memory:dialect_other"))
    assert inspect(other).get_table_names() == []
    other.dispose()
