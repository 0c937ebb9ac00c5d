"""A column that many tables share has one name, one type and one meaning."""

from collections import defaultdict

import pytest
from sqlalchemy import Boolean, Date, DateTime, Float, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB

from include.warehouse.tables import METADATA, base

TYPES = [
    (base.text, Text),
    (base.count, Integer),
    (base.number, Float),
    (base.flag, Boolean),
    (base.moment, DateTime),
    (base.day, Date),
]


@pytest.mark.parametrize(("declare", "kind"), TYPES)
def test_a_column_is_required_unless_it_says_otherwise(declare, kind):
    column = declare("name", "what it is")
    assert isinstance(column.type, kind)
    assert (column.nullable, column.comment) == (False, "what it is")
    assert declare("name", "what it is", nullable=True).nullable


def test_a_moment_keeps_its_zone_and_a_document_may_be_missing():
    assert base.moment("at_utc", "when").type.timezone
    assert isinstance(base.document("shown", "what").type, JSONB)
    assert base.document("shown", "what").nullable


def all_columns():
    return [column for table in METADATA.sorted_tables for column in table.columns]


def test_a_name_with_a_unit_has_one_type_in_every_table():
    types = defaultdict(set)
    for column in all_columns():
        if column.name.startswith(("n_", "is_")) or column.name.endswith(("_ratio", "_nats", "_ms", "_id", "_key")):
            types[column.name].add(type(column.type).__name__)
    assert {name: found for name, found in types.items() if len(found) > 1} == {}
    assert len(types) > 30


def test_a_time_says_that_it_is_utc_and_nothing_else_says_so():
    times = {column.name for column in all_columns() if isinstance(column.type, DateTime)}
    others = {column.name for column in all_columns()} - times
    assert [name for name in times if not name.endswith("_utc")] == []
    assert [name for name in others if name.endswith("_utc")] == []
