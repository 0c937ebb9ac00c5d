"""Which variants compete, and what decides."""

from typing import Self

from pydantic import Field, model_validator

from include.problems.sections.base import BadField, Count, Name, Period, Section, Share, require_different


class Experiment(Section):
    """Which variants compete, who is in the pilot, and what decides."""

    unit: Name
    event: Name
    exposure: str
    reward: str
    variant: Name
    variants: list[str] = Field(min_length=2)
    control: str
    salt: str
    pilot_until: str = Field(description="last partition whose units belong to the pilot")
    attribution_window: Period
    holdback_share: Share
    expected_shares: dict[str, Share] | None = None
    sample_ratio_alpha: Share = 0.001
    decide_at_probability: Share = 0.95
    minimum_units_per_variant: Count = Field(default=100, ge=1)

    @model_validator(mode="after")
    def _the_control_is_a_variant(self) -> Self:
        require_different(self.variants, "variants")
        require_different([self.exposure, self.reward], "(exposure and reward)")
        if self.control not in self.variants:
            raise BadField("control", f"{self.control!r} is not one of the variants {self.variants}")
        if self.expected_shares is not None:
            if set(self.expected_shares) != set(self.variants):
                raise BadField("expected_shares", f"must name each of the variants {self.variants} once")
            if abs(sum(self.expected_shares.values()) - 1.0) > 1e-9:
                raise BadField("expected_shares", f"sum to {sum(self.expected_shares.values())}, not 1")
        return self
