"""What is measured of people that an experiment sends something to: each metric once per problem.

What does not belong here: which experiment asks which metric (`experiment.py`), and whether the log has what a metric
counts (`fitting_metrics.py`).
"""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from include.problems.sections.base import BadField, Name, Number, Period, Section, Share


class MetricWindow(Section):
    """When, after its exposure, what a unit does counts: from `from` on and before `to`."""

    start: Period | None = Field(default=None, alias="from", description="from the exposure itself where it is missing")
    end: Period = Field(alias="to")

    @model_validator(mode="after")
    def _it_is_longer_than_nothing(self) -> Self:
        if self.start is not None and self.start >= self.end:
            raise BadField("from", f"{_days(self.start)} lies not before to, {_days(self.end)}: nothing would count")
        return self


class Metric(Section):
    """A number of each unit, and which way is better.

    Attributes:
        kind: binary (whether the event happened), count (how often), sum (of a column over the events) or ratio (of two
            other metrics, over all units together).
        event: value of the experiment's event column.
        value: column that is summed.
        numerator, denominator: names of other metrics.
        cap: more than this of one unit counts as this much.
        winsorise: the same, at this quantile of all units of the pilot, whatever their variant.
        window: when it counts; the experiment's attribution window where it is missing.
        direction: whether more is better.
        unit: of the number, for who reads it.
        owner: who answers for it.
        margin: how much worse it may be as a guardrail, in its unit.
    """

    kind: Literal["binary", "count", "sum", "ratio"]
    event: str | None = None
    value: Name | None = None
    numerator: Name | None = None
    denominator: Name | None = None
    cap: Number | None = Field(default=None, gt=0)
    winsorise: Share | None = Field(default=None, gt=0.5, lt=1, description="0.99 cuts the largest hundredth off")
    window: MetricWindow | None = None
    direction: Literal["higher", "lower"] = "higher"
    unit: str | None = None
    owner: str | None = None
    margin: Number | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _it_has_what_its_kind_needs(self) -> Self:
        needed = {"sum": ("event", "value"), "ratio": ("numerator", "denominator")}.get(self.kind, ("event",))
        allowed = {*needed, *({"ratio": (), "binary": ("window",)}.get(self.kind, ("window", "cap", "winsorise")))}
        for field in ("event", "value", "numerator", "denominator", "window", "cap", "winsorise"):
            is_there = getattr(self, field) is not None
            if field in needed and not is_there:
                raise BadField(field, f"is missing: a {self.kind} needs {' and '.join(needed)}")
            if is_there and field not in allowed:
                raise BadField(field, f"is nothing that a {self.kind} has; remove it")
        if self.cap is not None and self.winsorise is not None:
            raise BadField("winsorise", "stands beside cap; write one of them")
        return self

    def ends_after(self, otherwise: timedelta) -> timedelta:
        """Say how long after its exposure a unit's number is known, where a missing window is `otherwise`."""
        return self.window.end if self.window else otherwise


def _days(period: timedelta) -> str:
    """Write a period for a person."""
    return f"{period.total_seconds() / 86_400:g} days"
