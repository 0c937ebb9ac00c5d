"""What people see, and how much of it."""

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from include.problems.sections.base import BadField, Count, Period, Section, Share


class Review(Section):
    """How many items people see a round, and how those are chosen."""

    budget: Count = Field(ge=1, description="items per batch")
    random_share: Share = 0.2
    max_rounds: Count = Field(ge=1)
    due: Period = timedelta(days=2)

    @model_validator(mode="after")
    def _a_control_arm_is_never_too_small(self) -> Self:
        if self.random_share < 0.1:
            raise BadField("random_share", f"{self.random_share} is too small; 0.1 and more keeps the estimates honest")
        return self
