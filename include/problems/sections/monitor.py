"""What is watched, and from where on it is an alert."""

from typing import Literal

from pydantic import Field

from include.problems.sections.base import Count, Name, Number, Section


class Monitor(Section):
    """What is watched, against what, and from where on it is an alert."""

    features: list[Name] = Field(min_length=1)
    reference_partitions: Count = Field(ge=1, description="the first so many published partitions are the reference")
    psi_alert: Number = Field(default=0.2, gt=0)
    ece_alert: Number = Field(default=0.05, gt=0)
    minimum_rows: Count = Field(default=100, ge=1)
    action: Literal["warn", "escalate", "retrain"] = "warn"
