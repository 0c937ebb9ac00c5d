"""What every section of a problem file shares: kinds of values, and the base that refuses unknown keys."""

from collections.abc import Collection
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from include.problems.expectation_rules import nearest


class BadField(ValueError):
    """A rule between fields is broken; `field` is where, below the section that found it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def _written_as_a_period(value: object) -> timedelta | str:
    """Refuse a bare number: pydantic would read 2 as two seconds, where two days were meant."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not value.startswith("P"):
        raise ValueError(f"write a period as ISO 8601 does: P2D is two days, PT6H six hours; it holds {value!r}")
    return value


def _longer_than_nothing(value: timedelta) -> timedelta:
    """Refuse a period in which nothing can happen."""
    if value <= timedelta(0):
        raise ValueError("a period is longer than nothing; P2D is two days, PT6H six hours")
    return value


_NAME = r"^[a-z][a-z0-9_]*$"


_PROBLEM_NAME = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"


_PREFIX = r"^[A-Za-z0-9_-][A-Za-z0-9._=-]*(/[A-Za-z0-9_-][A-Za-z0-9._=-]*)*/?$"


_EXPERIMENT_NAME = r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$"


NOT_BLANK = r"\S"


_KEY_NAME = r"^(_object|_line|[a-z][a-z0-9_]*)$"


# No space, no comma, no end of a line: an address is one address, and nothing else of a letter's head.
MAIL_ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$"


CONNECTION = r"^[A-Za-z0-9_.-]+$"


# As Airflow has them: growth-lead, ada.l, Ada, ada@example.org. Printable, and no blank.
USER_NAME = r"^[^\s\x00-\x1f\x7f-\x9f]+$"


# For the person who meets the pattern in a message.
PATTERNS = {
    _NAME: "is no name; write small letters, digits and _, and a letter first",
    _PROBLEM_NAME: "is no name of a problem; write small letters, digits and single _, and a letter first",
    _EXPERIMENT_NAME: "is no name of an experiment; write small letters, digits and single _ or -, and a letter first",
    _PREFIX: "is no prefix inside landing; write folder names with / between them, such as rides or team/rides",
    NOT_BLANK: "is blank; write an expression, or remove the key",
    MAIL_ADDRESS: "is no mail address; write one address without a display name, such as team@example.org",
    CONNECTION: "is no name of an Airflow connection; write the name, never the address: that may be secret",
    USER_NAME: "is no name of an Airflow user; write one without blanks, such as ada, ada.l or ada@example.org",
    _KEY_NAME: "is no name of a column, nor _object or _line; write small letters, digits and _, and a letter first",
}


# Strict: YAML's `yes` is true, and true would pass for 1.
Count = Annotated[int, Field(strict=True)]


Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


Share = Annotated[Number, Field(ge=0.0, le=1.0)]


Period = Annotated[timedelta, BeforeValidator(_written_as_a_period), AfterValidator(_longer_than_nothing)]


Name = Annotated[str, Field(pattern=_NAME, max_length=48)]


# A column, or where the record stands: _object is the object's key below landing, _line the line in it.
KeyName = Annotated[str, Field(pattern=_KEY_NAME, max_length=48)]


# Two underscores separate a problem's name from a stage or a table kind: `a__prediction` must not be a problem.
ProblemName = Annotated[str, Field(pattern=_PROBLEM_NAME, max_length=48)]


# Part of a flag's name, problem.experiment: no point.
ExperimentName = Annotated[str, Field(pattern=_EXPERIMENT_NAME, max_length=48)]


Prefix = Annotated[str, Field(pattern=_PREFIX)]


SqlPredicate = Annotated[str, Field(pattern=NOT_BLANK, description="a boolean DuckDB SQL expression over the columns")]


SqlExpression = Annotated[str, Field(pattern=NOT_BLANK, description="a DuckDB SQL expression over the columns")]


UserName = Annotated[str, Field(pattern=USER_NAME, max_length=256)]


PersonName = Annotated[str, Field(pattern=NOT_BLANK, description="a user's name, or an Airflow role that many have")]


class Section(BaseModel):
    """A part of a problem file: unknown keys are errors, values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, serialize_by_alias=True)


def require_column(name: object, columns: Collection[str], field: str) -> None:
    """Refuse a name that the source does not declare.

    Raises:
        BadField: it does not, with the nearest name that it declares.
    """
    if name not in columns:
        raise BadField(field, f"{name!r} is not declared in source.columns{nearest(str(name), columns)}")


def require_different(names: list[str], field: str) -> None:
    """Refuse a name that stands twice.

    Raises:
        BadField: one does.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadField(field, f"{', '.join(twice)} stands there more than once")
