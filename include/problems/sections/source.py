"""Where a log lands, what its fields are, and what makes a row a row."""

from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from include.problems.sections.base import BadField, Name, Prefix, Section, require_column, require_different


class Column(Section):
    """One field of the log: its type, unit and privacy class."""

    type: Literal["string", "integer", "number", "boolean", "timestamp"]
    description: str = ""
    unit: str = ""
    pii: Literal["none", "identifier", "contact", "free_text"] = "none"
    # `later`: not yet known when a decision is taken, only with the label or on the way to it; never a feature.
    known: Literal["event", "later"] = "event"


class Source(Section):
    """Where the log lands, and what makes a row a row."""

    landing: Prefix
    format: Literal["jsonl", "csv", "parquet", "access_log"] = "jsonl"
    grain: Literal["hour", "day", "month"]
    key: list[Name] = Field(min_length=1)
    event_time: Name
    earliest: AwareDatetime
    latest: AwareDatetime
    columns: dict[Name, Column] = Field(min_length=1)

    @model_validator(mode="after")
    def _columns_named_elsewhere_exist(self) -> Self:
        for name in self.key:
            require_column(name, self.columns, "key")
            pii = self.columns[name].pii
            # Rows are named by what is stored of them, and two of one name are duplicates.
            if pii in {"contact", "free_text"}:
                rule = "many people look alike once masked, and rows would be lost; class identifier keeps them apart"
                raise BadField("key", f"{name!r} is of class {pii}: {rule}")
        require_different(self.key, "key")
        require_column(self.event_time, self.columns, "event_time")
        if self.columns[self.event_time].type != "timestamp":
            found = self.columns[self.event_time].type
            raise BadField("event_time", f"column {self.event_time!r} is of type {found}; a timestamp is needed")
        if self.columns[self.event_time].pii != "none":
            pii = self.columns[self.event_time].pii
            raise BadField("event_time", f"{self.event_time!r} is of class {pii}, and a masked time is no time")
        if self.earliest >= self.latest:
            raise BadField("earliest", f"{self.earliest} is not before latest, {self.latest}")
        return self
