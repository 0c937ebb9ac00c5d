"""What one column of a log is: where a record holds it, its type, unit and privacy class."""

import re
from collections import defaultdict
from collections.abc import Mapping
from itertools import chain, combinations
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from include.problems.sections.base import BadField, Section, SqlExpression

EPOCHS = ("epoch_seconds", "epoch_milliseconds", "epoch_microseconds")
# Of strptime: what may stand in an object's name, and how many digits or which letters it is.
NAME_DIRECTIVES = {
    "%Y": r"\d{4}",
    "%y": r"\d{2}",
    "%m": r"\d{2}",
    "%d": r"\d{2}",
    "%j": r"\d{3}",
    "%H": r"\d{2}",
    "%M": r"\d{2}",
    "%S": r"\d{2}",
    "%b": r"[A-Za-z]{3}",
    "%%": "%",
}
_DIRECTIVE = re.compile(r"%.?")
_NAMING = ("identifier", "contact")


def _as_a_log_writes_it(value: object) -> object:
    """Refuse what YAML has read as something else than the log has: `no` is false there, and a date is a date."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("a code is text or a number; YAML has read it as something else: put it in quotes")
    return value


Code = Annotated[int | float | str, BeforeValidator(_as_a_log_writes_it)]


def _as_a_step(value: object) -> object:
    """Refuse what leads nowhere in a record."""
    if (
        isinstance(value, bool)
        or not isinstance(value, str | int)
        or value == ""
        or (isinstance(value, int) and value < 0)
    ):
        raise ValueError(f"a step is the name of a field, or a place in a list, from 0; it holds {value!r}")
    return value


Step = Annotated[str | int, BeforeValidator(_as_a_step)]


class Column(Section):
    """One field of the log: where it stands, its type, unit and privacy class.

    Attributes:
        from_field: the field that holds it, where that has another name: a field of this name, else a dotted path.
        path: names of fields and places in lists (from 0) that lead to it.
        missing: values that stand for none, beside those of the source.
        format: how a text holds a time, as strptime writes it, or since when a number counts: epoch_seconds,
            epoch_milliseconds, epoch_microseconds. ISO 8601 without it.
        known: `later` is not yet known when a decision is taken, only with the label or on the way to it; never a
            feature.
    """

    type: Literal["string", "integer", "number", "boolean", "timestamp", "json"]
    from_field: Annotated[str, Field(min_length=1, strict=True)] | None = Field(default=None, alias="from")
    path: list[Step] | None = Field(default=None, min_length=1)
    missing: list[Code] = Field(default_factory=list)
    format: str | None = None
    description: str = ""
    unit: str = ""
    pii: Literal["none", "identifier", "contact", "free_text"] = "none"
    known: Literal["event", "later"] = "event"

    @model_validator(mode="after")
    def _says_each_thing_once(self) -> Self:
        if self.from_field is not None and self.path is not None:
            raise BadField("path", "from says already where the column stands; remove one of them")
        if self.path is not None and not isinstance(self.path[0], str):
            raise BadField("path", f"a record is an object, and {self.path[0]} is no field of it; begin with a name")
        if self.format is not None and self.type != "timestamp":
            raise BadField("format", f"is how a time is written, and the column is of type {self.type}; remove it")
        if self.format is not None and self.format not in EPOCHS and "%" not in self.format:
            known = f"write it like %d/%m/%Y %H:%M, or one of {', '.join(EPOCHS)}"
            raise BadField("format", f"{self.format!r} is no way to write a time; {known}")
        if self.type == "json" and self.pii in _NAMING:
            rule = "masked value by value as free_text, or not at all"
            raise BadField("pii", f"a column of type json is {rule}; it is of class {self.pii}")
        return self


class EventTime(Section):
    """How the time of a row is found where no column holds it.

    Attributes:
        from_what: `object`: when the object arrived; `name`: its key holds it.
        pattern: how the key holds it, as strptime writes it.
        sql: computes it from columns.
    """

    from_what: Literal["object", "name"] | None = Field(default=None, alias="from")
    pattern: str | None = None
    sql: SqlExpression | None = None

    @model_validator(mode="after")
    def _one_rule_and_whole(self) -> Self:
        if (self.from_what is None) == (self.sql is None):
            raise ValueError("write one rule: from: object, from: name with a pattern, or sql")
        if (self.from_what == "name") != (self.pattern is not None):
            raise BadField("pattern", "belongs to from: name, and from: name needs one, such as sales_%Y-%m-%d")
        if self.pattern is not None:
            _require_pattern(self.pattern)
        return self


def _require_pattern(pattern: str) -> None:
    """Refuse a pattern that names no day or month, or that says more than can be found in a name."""
    directives = _DIRECTIVE.findall(pattern)
    unknown = [directive for directive in directives if directive not in NAME_DIRECTIVES]
    if unknown:
        raise BadField("pattern", f"{unknown[0]!r} is none of {' '.join(NAME_DIRECTIVES)}, which a name may hold")
    if not {"%Y", "%y"} & set(directives) or not {"%m", "%b", "%j"} & set(directives):
        raise BadField("pattern", f"{pattern!r} names no year and month (or day of the year): %Y-%m-%d does")
    if len(set(directives)) < len(directives):
        raise BadField("pattern", f"{pattern!r} asks twice for one part of a time")


def require_equally_private(columns: Mapping[str, Column]) -> None:
    """Refuse two columns of one field, or of a field and a part of it, of which one shows what the other hides.

    Raises:
        BadField: it names both.
    """
    places = {name: _place(name, column) for name, column in columns.items()}
    sharing: dict[str | int, list[str]] = defaultdict(list)
    for name, place in places.items():
        sharing[place[0]].append(name)
    for one, other in chain.from_iterable(combinations(names, 2) for names in sharing.values()):
        n = min(len(places[one]), len(places[other]))
        if places[one][:n] != places[other][:n]:
            continue
        outer, inner = sorted((one, other), key=lambda name: len(places[name]))
        if _shows(columns[outer].pii, columns[inner].pii, is_same=len(places[one]) == len(places[other])):
            what = ".".join(str(step) for step in places[outer])
            classes = f"{outer} (pii: {columns[outer].pii}) and {inner} (pii: {columns[inner].pii})"
            raise BadField(f"columns.{inner}.pii", f"{classes} both read {what}: one would show what the other hides")


def _shows(outer: str, inner: str, *, is_same: bool) -> bool:
    """Say whether of two privacy classes of one place one leaves readable what the other hides."""
    if inner == "none":
        return is_same and outer != "none"
    if inner == "free_text":
        return outer == "none" or (is_same and outer in _NAMING)
    return outer not in _NAMING


def _place(name: str, column: Column) -> tuple[str | int, ...]:
    """Say where a record holds a column, as a path."""
    if column.path is not None:
        return tuple(column.path)
    return tuple((column.from_field or name).split("."))
