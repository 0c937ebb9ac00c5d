"""Where a log lands, what its fields are, and what makes a row a row."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Discriminator, Field, Tag, model_validator

from include.problems.sections.base import (
    BadField,
    KeyName,
    Name,
    Prefix,
    Section,
    require_column,
    require_different,
)
from include.problems.sections.columns import Code, Column, EventTime, require_equally_private
from include.problems.sections.computed import Derived, Lag, columns_in

EVENT_TIME = "event_time"  # the column that a rule for the event time becomes
# Where a record stands, as a key may name it: the lake keeps both of every row.
PLACE_COLUMNS = {"_object": Column(type="string"), "_line": Column(type="integer")}
# A log that says nothing else: what is older than computers' clocks is a mistake.
FIRST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


def _kind_of_time(value: object) -> str:
    """Tell a column's name from a rule; the tags are left out where an error names the field."""
    return "[rule]" if isinstance(value, dict | EventTime) else "[name]"


class Source(Section):
    """Where the log lands, and what makes a row a row.

    Attributes:
        event_time_as_written: a column's name, or the rule that makes the column `event_time`.
        latest: later is a mistake; without it, whatever is more than a day later than its object arrived.
        missing: values of any column that stand for none.
        declared: the columns that are read out of records.
    """

    landing: Prefix
    # auto: recognised by the content of each object, CSV with other separators and JSON arrays included.
    format: Literal["jsonl", "csv", "parquet", "access_log", "auto"] = "jsonl"
    grain: Literal["hour", "day", "month"]
    key: list[KeyName] = Field(min_length=1)
    event_time_as_written: Annotated[
        Annotated[Name, Tag("[name]")] | Annotated[EventTime, Tag("[rule]")], Discriminator(_kind_of_time)
    ] = Field(alias="event_time")
    earliest: AwareDatetime = FIRST_MOMENT
    latest: AwareDatetime | None = None
    missing: list[Code] = Field(default_factory=list, description="values of any column that stand for none")
    declared: dict[Name, Column] = Field(min_length=1, alias="columns")
    derive: dict[Name, Derived] = Field(default_factory=dict, description="columns computed from a row's others")

    @property
    def event_time(self) -> str:
        """The column that says when a row happened."""
        return self.event_time_as_written if isinstance(self.event_time_as_written, str) else EVENT_TIME

    @property
    def event_time_rule(self) -> EventTime | None:
        """How the event time is found where no column of the log holds it."""
        return None if isinstance(self.event_time_as_written, str) else self.event_time_as_written

    @property
    def columns(self) -> dict[str, Column]:
        """Every column of the lake's table by name: those of the log, then those that are made of them."""
        if self.event_time_rule is None:
            return self.declared
        return {**self.declared, EVENT_TIME: Column(type="timestamp", unit="UTC")}

    @property
    def key_columns(self) -> dict[str, Column]:
        """The columns of the key, in its order."""
        return {name: PLACE_COLUMNS.get(name) or self.columns[name] for name in self.key}

    lags: dict[Name, Lag] = Field(default_factory=dict, description="columns computed from a key's earlier rows")

    @property
    def stored(self) -> dict[str, Column]:
        """The columns of a published row: those of the log, then the derived ones.

        What is derived from something that is known later is known later, too.
        """
        columns = dict(self.columns)
        for name, derived in self.derive.items():
            read = columns_in(derived.sql, columns)
            known: Literal["event", "later"] = (
                "later" if any(columns[own].known == "later" for own in read) else "event"
            )
            columns[name] = Column(
                type=derived.type, description=derived.description or derived.sql, unit=derived.unit, known=known
            )
        return columns

    def related_to(self, names: Collection[str]) -> set[str]:
        """Name what says the same as some columns: they, what they are derived from, and what is derived from those."""
        columns, related = self.stored, set(names)
        for name, derived in reversed(self.derive.items()):
            related |= columns_in(derived.sql, columns) if name in related else set()
        for name, derived in self.derive.items():
            related |= {name} if columns_in(derived.sql, related) else set()
        return related

    @model_validator(mode="after")
    def _derived_columns_have_names_of_their_own(self) -> Self:
        for name in self.derive:
            if name in self.columns:
                raise BadField(f"derive.{name}", "a column of the log has this name; give the derived one another")
        return self

    @model_validator(mode="after")
    def _lags_look_back_on_what_was_known(self) -> Self:
        columns = self.stored
        for name, lag in self.lags.items():
            if name in columns:
                raise BadField(f"lags.{name}", "a column of the log has this name; give the lag another")
            require_column(lag.per, columns, f"lags.{name}.per")
            if columns[lag.per].pii not in ("none", "identifier"):
                raise BadField(f"lags.{name}.per", f"{lag.per!r} is of class {columns[lag.per].pii}: many look alike")
            late = [own for own in sorted(columns_in(lag.sql, columns)) if columns[own].known == "later"]
            if late and lag.gap is None:
                rule = "is known only later, so of the row just before nobody knew it; write gap: how long that takes"
                raise BadField(f"lags.{name}.sql", f"{late[0]!r} {rule}")
        return self

    @model_validator(mode="after")
    def _columns_named_elsewhere_exist(self) -> Self:
        if self.event_time_rule is not None and EVENT_TIME in self.declared:
            rule = f"the rule for it becomes a column {EVENT_TIME!r}, and source.columns has one; rename that"
            raise BadField("event_time", rule)
        _require_key(self)
        require_column(self.event_time, self.columns, "event_time")
        if self.columns[self.event_time].type != "timestamp":
            found = self.columns[self.event_time].type
            raise BadField("event_time", f"column {self.event_time!r} is of type {found}; a timestamp is needed")
        if self.columns[self.event_time].pii != "none":
            pii = self.columns[self.event_time].pii
            raise BadField("event_time", f"{self.event_time!r} is of class {pii}, and a masked time is no time")
        if self.latest is not None and self.earliest >= self.latest:
            raise BadField("earliest", f"{self.earliest} is not before latest, {self.latest}")
        require_equally_private(self.declared)
        return self


def _require_key(source: Source) -> None:
    """Refuse a key that would lose rows, or mix them up."""
    require_different(source.key, "key")
    for name in source.key:
        require_column(name, source.columns.keys() | PLACE_COLUMNS.keys(), "key")
        column = source.key_columns[name]
        # Rows are named by what is stored of them, and two of one name are duplicates.
        if column.pii in {"contact", "free_text"}:
            rule = "many people look alike once masked, and rows would be lost; class identifier does not mix them"
            raise BadField("key", f"{name!r} is of class {column.pii}: {rule}")
        if column.type == "json":
            raise BadField("key", f"{name!r} is of type json; take a field out of it with path, and name rows by that")
    if "_line" in source.key and "_object" not in source.key:
        raise BadField("key", "_line counts the lines of one object, and every object has a first; add _object")
