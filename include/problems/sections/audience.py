"""To whom an experiment is sent in batches, and when it is paused.

What does not belong here: what is compared (`experiment.py`), and whether the log is there (`fitting_audience.py`).
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Self

from pydantic import AwareDatetime, Field, model_validator

from include.problems.sections.base import BadField, Name, Section


class Audience(Section):
    """A log whose rows are the units that are to be sent something: each is given a variant, and listed once.

    Attributes:
        from_log: one of `sources`.
        unit: its column with the raw id, as the experiment's own log has it.
    """

    from_log: Name = Field(alias="from", description="log of `sources` in which units land that are to be sent to")
    unit: Name = Field(description="its column with the id that is placed, and listed as it was written")


class Pause(Section):
    """A time in which nobody is sent anything, and nobody's exposure counts.

    Attributes:
        since: its first moment.
        until: the first moment after it; missing while nobody knows when it ends.
    """

    since: AwareDatetime
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _it_lasts(self) -> Self:
        if self.until is not None and self.until <= self.since:
            raise BadField("until", f"{self.until:%Y-%m-%d %H:%M} is not after since, {self.since:%Y-%m-%d %H:%M}")
        return self

    def holds_at(self, moment: datetime) -> bool:
        """Say whether a moment lies in it."""
        return self.since <= moment and (self.until is None or moment < self.until)


def require_pauses_in_turn(pauses: Sequence[Pause]) -> None:
    """Refuse pauses of which one begins before the one above it is over: which of both counted would be a guess.

    Raises:
        BadField: one does.
    """
    for index, (before, pause) in enumerate(pairwise(pauses), start=1):
        if before.until is None:
            rule = "has no end (until), and another pause follows; write when it ended"
            raise BadField(f"pauses.{index - 1}", f"since {before.since:%Y-%m-%d %H:%M} {rule}")
        if pause.since < before.until:
            rule = f"begins before the pause above it is over, {before.until:%Y-%m-%d %H:%M}; write them in turn"
            raise BadField(f"pauses.{index}.since", f"{pause.since:%Y-%m-%d %H:%M} {rule}")
