"""Columns that are computed from others, by SQL over one row.

What does not belong here: computing them (`include/lake/derived_columns.py`).
"""

import re
from collections.abc import Collection
from typing import Literal, Self

from pydantic import Field, model_validator

from include.problems.sections.base import BadField, Name, Period, Section, SqlExpression


class Derived(Section):
    """A column that ingest computes from the other columns of its row, as they are stored: typed and masked.

    A row in which it cannot be computed goes to quarantine; where it is NULL, NaN or infinite the value is missing.
    """

    type: Literal["string", "integer", "number", "boolean", "timestamp"]
    sql: SqlExpression
    description: str = ""
    unit: str = ""


class Lag(Section):
    """A column that is computed, when a row is read, from earlier rows of the same key: never from later ones.

    Attributes:
        per: rows with the same value here are counted; a row without one has no lag.
        over: so long before its event.
        gap: only what is at least so long ago; just before the event without it.
        sql: aggregates of DuckDB over the columns of those rows, such as count(*) or sum(price).
    """

    per: Name
    over: Period
    gap: Period | None = None
    sql: SqlExpression
    type: Literal["integer", "number"] = "number"
    description: str = ""
    unit: str = ""

    @model_validator(mode="after")
    def _the_gap_leaves_something(self) -> Self:
        if self.gap is not None and self.gap >= self.over:
            raise BadField("gap", f"{self.gap} leaves nothing of over, which is {self.over}; write a shorter one")
        return self


class Lookup(Section):
    """Columns of another log as of a row's event: of the newest row with the same key that is not later.

    Attributes:
        from_log: another log of the problem.
        on: a row's column to the log's.
        columns: of the log, taken by their names; or new name to the log's.
    """

    from_log: Name = Field(alias="from")
    on: dict[Name, Name] = Field(min_length=1)
    columns: list[Name] | dict[Name, Name] = Field(min_length=1)

    @property
    def taken(self) -> dict[str, str]:
        """Names of the new columns to those of the log."""
        return dict(self.columns) if isinstance(self.columns, dict) else {name: name for name in self.columns}


def columns_in(sql: str, columns: Collection[str]) -> set[str]:
    """Name the columns that an expression may read; quoted text is a value, not a column."""
    # The engine takes IS_FRAUD for is_fraud; names are written in small letters.
    words = set(re.findall(r"\w+", re.sub(r"'[^']*'", " ", sql).lower()))
    return words & set(columns)
