"""What docs/debugging.md tells somebody in trouble to type works."""

import re

import pytest
from sqlalchemy import create_engine, text

from include import errors
from include.settings import REPOSITORY

PAGE = (REPOSITORY / "docs" / "debugging.md").read_text("utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def warehouse(migrated_warehouse_url):
    engine = create_engine(migrated_warehouse_url)
    yield engine
    engine.dispose()


def test_every_query_of_the_page_runs_against_a_warehouse(warehouse):
    assert len(QUERIES) > 5
    for query in QUERIES:
        with warehouse.connect() as connection:
            assert connection.execute(text(query)).keys()


def test_every_error_that_the_page_names_is_one_that_people_can_meet():
    table = PAGE.split("| error | means | do |")[1].split("\n\n")[0]
    named = re.findall(r"`([A-Z]\w+)`", "".join(row.split("|")[1] for row in table.splitlines() if row.count("|") > 2))
    assert len(named) > 8
    assert [name for name in named if not hasattr(errors, name)] == []
