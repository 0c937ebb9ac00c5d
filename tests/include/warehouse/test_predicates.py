import pytest
from sqlalchemy import select

from include.names import Coverage, Stage
from include.warehouse.coverage import mark
from include.warehouse.predicates import is_one_of
from include.warehouse.tables.runs import COVERAGE

MORE_THAN_A_STATEMENT_TAKES = [f"2013-{number}" for number in range(70_000)]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ([], []),
        (["2013-02"], ["2013-02"]),
        (["2013-01", "2013-02", "'); --"], ["2013-01", "2013-02"]),
        ([*MORE_THAN_A_STATEMENT_TAKES, "2013-01"], ["2013-01"]),
    ],
    ids=["none", "one", "several", "70,000"],
)
def test_any_number_of_values_finds_the_rows_that_have_one(house, asked, found):
    with house.engine.begin() as connection:
        for key in ("2013-01", "2013-02", "2013-03"):
            mark(connection, "predicates", Stage.LAND, key, Coverage.DONE)
        keys = select(COVERAGE.c.partition_key).where(COVERAGE.c.problem == "predicates").order_by("partition_key")
        assert list(connection.scalars(keys.where(is_one_of(COVERAGE.c.partition_key, asked)))) == found
