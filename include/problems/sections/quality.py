"""What must hold before anybody reads a partition."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from include.problems.expectation_rules import complaint, complaint_about_rows
from include.problems.sections.base import BadField, Name, Number, Section


class Expectation(Section):
    """One Great Expectations expectation by its own name and arguments; `stop` keeps the partition out.

    Attributes:
        rows: what becomes of the rows that break it: they keep the whole partition out (refuse), or they alone go
            to quarantine and the rest is audited again (quarantine).
    """

    expect: str
    severity: Literal["stop", "warn"]
    column: Name | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)
    rows: Literal["refuse", "quarantine"] = "refuse"

    @model_validator(mode="after")
    def _great_expectations_knows_it(self) -> Self:
        found = complaint(self.expect, self.column, self.arguments)
        if found is None and self.rows == "quarantine":
            found = complaint_about_rows(self.expect, self.severity, self.arguments)
        if found is not None:
            raise BadField(*found)
        return self


class Quality(Section):
    """The suite a partition must pass before anybody reads it.

    Attributes:
        quarantine_at_most: share of a partition's rows that expectations with `rows: quarantine` may take out of it
            together; where they name more, something else is wrong, and the partition is refused whole.
    """

    expectations: list[Expectation] = Field(min_length=1)
    quarantine_at_most: Annotated[Number, Field(gt=0.0, le=0.5)] = 0.1
