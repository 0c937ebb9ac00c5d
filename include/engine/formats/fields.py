"""Which field of a record each column is read from, and what a file is told that has them under other names.

What belongs here: names and paths. What does not: reading values (`field_extraction.py`).
"""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from include.problems.sections.columns import Column
from include.problems.sections.source import PLACE_COLUMNS, Source

NO_COLUMN = "object has none of the columns of the problem's file"
MOST_LINES = 40  # that a flaw proposes; a person mends more than that with an editor
_PLAIN = re.compile(r"\w[\w.\-]*( [\w.\-]+)*")

Step = str | int


@dataclass(frozen=True)
class Field:
    """Where a record holds the values of one column.

    Attributes:
        column: the column.
        paths: where they may stand, the first that holds something wins: a field of that name, then a path.
        is_text: whether a number is to keep its spelling: 1.10 stays 1.10.
        is_json: whether the value is kept whole.
        codes: texts that stand for no value.
        numbers: numbers that stand for no value, however they are written.
    """

    column: str
    paths: tuple[tuple[Step, ...], ...]
    is_text: bool = False
    is_json: bool = False
    codes: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The fields of a record that may hold it, inside of them or whole."""
        return tuple(dict.fromkeys(str(path[0]) for path in self.paths))

    @property
    def is_plain(self) -> bool:
        """Say whether it is a field of the column's own name."""
        return self.paths == ((self.column,),)


@dataclass(frozen=True)
class Wanted:
    """What a problem reads out of an object.

    Attributes:
        fields: one for each column.
        required: columns without which no record can be used.
    """

    fields: tuple[Field, ...]
    required: frozenset[str] = frozenset()

    @cached_property
    def names(self) -> frozenset[str]:
        """The fields that may hold a column, or a part of one."""
        return frozenset(name for field in self.fields for name in field.names)

    @cached_property
    def opened(self) -> frozenset[str]:
        """The fields that hold JSON where a format has only text: something is taken out of them."""
        inside = {str(path[0]) for field in self.fields for path in field.paths if len(path) > 1}
        return frozenset(inside | {name for field in self.fields if field.is_json for name in field.names})

    def explain_header(self, found: Sequence[str]) -> str | None:
        """Say what is wrong with an object that has these columns and no others; None where records may be used.

        Names that may be anything, a person's too, are told only where they are one of the problem's file otherwise
        written.
        """
        lacking = [field for field in self.fields if set(found).isdisjoint(field.names)]
        if len(lacking) == len(self.fields):
            return NO_COLUMN + self.propose(found)
        needed = [field.column for field in lacking if field.column in self.required]
        if not needed:
            return None
        word = "column" if len(needed) == 1 else "columns"
        return f"object lacks the {word} {', '.join(needed)}, without which no row can be used{self.propose(found)}"

    def propose(self, found: Collection[str]) -> str:
        """Write the lines of a problem's file that read names which differ by case or punctuation only."""
        alike: dict[str, list[str]] = {}
        for name in found:
            alike.setdefault(_letters(name), []).append(name)
        lines = []
        for field in self.fields:
            close = alike.get(_letters(field.names[0]), []) if set(found).isdisjoint(field.names) else []
            if len(close) == 1 and close[0] not in self.names:
                lines.append(f"{field.column}: {{from: {_as_yaml(close[0])}}}")
        if not lines:
            return ""
        more = f", and {len(lines) - MOST_LINES} more alike" if len(lines) > MOST_LINES else ""
        shown = ", ".join(lines[:MOST_LINES])
        return f"; it has {len(lines)} of them otherwise written: below source.columns, write {shown}{more}"


def fields_of(source: Source) -> tuple[Field, ...]:
    """Say where records hold each column of a source."""
    return tuple(_field_of(name, column, source) for name, column in source.declared.items())


def wanted_of(source: Source) -> Wanted:
    """Say what a problem reads out of an object."""
    named = {source.event_time, *source.key} - PLACE_COLUMNS.keys()
    return Wanted(fields_of(source), frozenset(named & source.declared.keys()))


def plain_fields(names: Collection[str], texts: Collection[str] = ()) -> tuple[Field, ...]:
    """Read columns from fields of their own names; the numbers of `texts` keep their spelling."""
    return tuple(Field(name, ((name,),), is_text=name in texts) for name in names)


def group_by_field(fields: Sequence[Field]) -> list[list[str]]:
    """Group columns that may be read out of one and the same field."""
    group_of: dict[str, list[str]] = {}
    for field in fields:
        held = {id(group_of[name]): group_of[name] for name in field.names if name in group_of}
        merged = [column for group in held.values() for column in group] + [field.column]
        members = {name for name, group in group_of.items() if id(group) in held} | set(field.names)
        group_of |= dict.fromkeys(members, merged)
    return list({id(group): group for group in group_of.values()}.values())


def _field_of(name: str, column: Column, source: Source) -> Field:
    """Say where records hold one column."""
    codes = [*source.missing, *column.missing]
    kinds = ("integer", "number")
    numbers = tuple(float(code) for code in codes if not isinstance(code, str)) if column.type in kinds else ()
    return Field(
        name,
        _paths_of(name, column),
        column.type == "string",
        column.type == "json",
        tuple(dict.fromkeys(str(code) for code in codes)),
        numbers,
    )


def _paths_of(name: str, column: Column) -> tuple[tuple[Step, ...], ...]:
    """List where a column may stand: what is written with dots is a name first, and a path second."""
    if column.path is not None:
        return (tuple(column.path),)
    field = column.from_field or name
    steps = field.split(".")
    if len(steps) == 1 or not all(steps):
        return ((field,),)
    return (field,), tuple(int(step) if step.isdecimal() else step for step in steps)


def _letters(name: str) -> str:
    """Leave of a name what does not change with case and punctuation."""
    return re.sub(r"[\W_]+", "", name.casefold())


def _as_yaml(name: str) -> str:
    """Write a name so that YAML reads it as text."""
    is_word = _PLAIN.fullmatch(name) and not name.replace(".", "").replace("-", "").isdigit()
    return (
        name
        if is_word and name.lower() not in {"yes", "no", "on", "off", "true", "false", "null"}
        else json.dumps(name)
    )
