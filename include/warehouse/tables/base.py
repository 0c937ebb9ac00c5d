"""The metadata that all tables share, and the columns that many of them have.

Same quantity, same name, in every table: a helper here is the one place where a shared column is spelled.
"""

from typing import Any

from sqlalchemy import Boolean, Column, Date, DateTime, Float, Integer, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB

from include.names import CORE

METADATA = MetaData(
    schema=CORE,
    naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_name)s"},
)


def text(name: str, comment: str, *, key: bool = False, nullable: bool = False) -> Column[Any]:
    """Declare a text column."""
    return Column(name, Text, primary_key=key, nullable=nullable, comment=comment)


def count(name: str, comment: str, *, key: bool = False, nullable: bool = False) -> Column[Any]:
    """Declare a whole number, in rows or items unless the comment says otherwise."""
    return Column(name, Integer, primary_key=key, nullable=nullable, autoincrement=False, comment=comment)


def number(name: str, comment: str, *, nullable: bool = False) -> Column[Any]:
    """Declare a double; the comment names its unit and range."""
    return Column(name, Float, nullable=nullable, comment=comment)


def flag(name: str, comment: str, *, nullable: bool = False) -> Column[Any]:
    """Declare a yes-or-no column."""
    return Column(name, Boolean, nullable=nullable, comment=comment)


def moment(name: str, comment: str, *, key: bool = False, nullable: bool = False) -> Column[Any]:
    """Declare a time with its zone; written in UTC."""
    return Column(name, DateTime(timezone=True), primary_key=key, nullable=nullable, comment=comment)


def day(name: str, comment: str, *, nullable: bool = False) -> Column[Any]:
    """Declare a calendar date."""
    return Column(name, Date, nullable=nullable, comment=comment)


def document(name: str, comment: str, *, nullable: bool = True) -> Column[Any]:
    """Declare a JSON document for what only a person or a page reads, never a join."""
    return Column(name, JSONB, nullable=nullable, comment=comment)


def problem_key() -> Column[Any]:
    """Declare the key that every table starts with."""
    return text("problem", "name of the problem file", key=True)


def partition_key(*, key: bool = True) -> Column[Any]:
    """Declare the data's own time, as the problem's grain writes it: 2013-01-01T05, 2013-01-01 or 2013-01."""
    return text("partition_key", "the data's own hour, day or month", key=key)
