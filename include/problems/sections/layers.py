"""Traffic that several experiments share without sharing people, and when an experiment takes part in it.

What does not belong here: what an experiment compares (`experiment.py`), and whether slices share people
(`fitting_layers.py`).
"""

from typing import Self

from pydantic import Field, model_validator

from include.problems.sections.base import BadField, Count, Name, Period, Section, Share


class Layer(Section):
    """Units that are shared out among experiments, each of which has a slice of them to itself.

    Attributes:
        unit: column whose raw ids are placed.
        salt: of the places in the layer; no experiment has it.
        holdout: share of all units, at the upper end of the layer, that no experiment ever sends anything.
    """

    unit: Name
    salt: str = Field(min_length=1)
    holdout: Share = Field(default=0.0, lt=1, description="at 1 no experiment would have anybody")


class End(Section):
    """When an experiment is over: who comes later is not counted, and not sent anything.

    Attributes:
        after: its start.
        max_units: or when so many units were exposed, whichever is first.
    """

    after: Period | None = None
    max_units: Count | None = Field(default=None, ge=2)

    @model_validator(mode="after")
    def _it_ends(self) -> Self:
        if self.after is None and self.max_units is None:
            raise BadField("after", "is missing, and max_units, too; write one of them, or leave end out")
        return self
