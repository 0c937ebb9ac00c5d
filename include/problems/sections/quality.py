"""What must hold before anybody reads a partition."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from include.problems.expectation_rules import complaint
from include.problems.sections.base import BadField, Name, Section


class Expectation(Section):
    """One Great Expectations expectation by its own name and arguments; `stop` keeps the partition out."""

    expect: str
    severity: Literal["stop", "warn"]
    column: Name | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _great_expectations_knows_it(self) -> Self:
        found = complaint(self.expect, self.column, self.arguments)
        if found is not None:
            raise BadField(*found)
        return self


class Quality(Section):
    """The suite a partition must pass before anybody reads it."""

    expectations: list[Expectation] = Field(min_length=1)
