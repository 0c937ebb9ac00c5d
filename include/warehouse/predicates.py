"""Conditions that several rooms put to the warehouse.

What does not belong here: anything that names a table.
"""

from collections.abc import Iterable

from sqlalchemy import Column, ColumnElement, Text, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY


def is_one_of(column: Column[str], values: Iterable[str]) -> ColumnElement[bool]:
    """Ask for any of several texts; as one array, for PostgreSQL takes 65,535 values in a statement and no more.

    Args:
        values: any number of texts, also none, which no row is one of.
    """
    return column == any_(literal(list(values), ARRAY(Text)))
