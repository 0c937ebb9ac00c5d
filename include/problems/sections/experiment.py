"""Which variants compete, and what decides."""

import math
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from statistics import NormalDist
from typing import Literal, Self

from pydantic import AwareDatetime, Field, TypeAdapter, model_validator

from include.problems.sections.audience import Audience, Pause, require_pauses_in_turn
from include.problems.sections.base import (
    BadField,
    Count,
    Name,
    Number,
    Period,
    Section,
    Share,
    SqlPredicate,
    UserName,
    require_different,
)
from include.problems.sections.layers import End

LONGEST_WINDOW = timedelta(days=366)
ANSWER_WITHIN = timedelta(days=7)
OF_WAVES = ("uniform_share", "discount", "last_windows")  # settings of `Allocation` that only waves obey


class Decide(Section):
    """What is sent: the variant that loses least, in money.

    Attributes:
        value: of one reward.
        costs: of sending a variant to one unit; a variant that is not named costs nothing.
        switching_cost: once, for sending anything but the control.
        units_to_come: over which that is spread.
        equivalence: a variant whose rate, after costs, is less than this above the control's is as good as it.
        tie: what is sent then; ask lets the experiment's approver say.
        approval_timeout: how long the approver has; nobody answered is the same as no, and the control is kept.
    """

    send: Literal["least_loss"] = "least_loss"
    value: Number = Field(default=1.0, gt=0)
    costs: dict[str, Number] = Field(default_factory=dict)
    switching_cost: Number = Field(default=0.0, ge=0)
    units_to_come: Count | None = Field(default=None, ge=1)
    equivalence: Share = Field(default=0.0, lt=1)
    tie: Literal["keep_control", "send_best", "ask"] = "keep_control"
    approval_timeout: Period | None = Field(default=None, description="of tie: ask; seven days where it is missing")

    @model_validator(mode="after")
    def _a_switch_is_paid_by_somebody(self) -> Self:
        if self.switching_cost and self.units_to_come is None:
            raise BadField("units_to_come", "is missing: a switching cost is spread over the units that are to come")
        return self

    @model_validator(mode="after")
    def _only_who_asks_waits_for_an_answer(self) -> Self:
        if self.approval_timeout is not None and self.tie != "ask":
            raise BadField("approval_timeout", f"is how long tie: ask waits, and tie is {self.tie}; leave it out")
        return self

    @property
    def waits(self) -> timedelta:
        """How long a person has to answer."""
        return self.approval_timeout or ANSWER_WITHIN


class Claim(Section):
    """What is claimed to be better or worse than the control, and how often that may be false."""

    level: Share = Field(
        default=0.95,
        gt=0.5,
        lt=1,
        description="of 1 - level of experiments a claim may be false",
    )


class Allocation(Section):
    """How units are shared out between the pilot and the decision.

    Attributes:
        mode: pilot (nobody is sent anything between them), or the rule by which waves are shared.
        until: last partition whose units belong to the waves.
        uniform_share: of a wave's units, shared alike.
        discount: how much a window counts of what the one after it counts.
        last_windows: how many windows count at all; all of them where it is missing.
    """

    mode: Literal["pilot", "waves", "top_two", "epsilon_greedy", "upper_confidence"] = "pilot"
    until: str | None = None
    uniform_share: Share = Field(
        default=0.05, gt=0, lt=1, description="at 0 an arm that began badly is never seen again"
    )
    discount: Share = Field(default=1.0, gt=0)
    last_windows: Count | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _waves_have_an_end(self) -> Self:
        if self.mode != "pilot" and self.until is None:
            raise BadField("until", f"is missing: {self.mode} shares units out until a last partition")
        if self.mode == "pilot" and self.until is not None:
            raise BadField("until", "is the end of waves, and mode is pilot; write mode: waves, or leave it out")
        # A stored plan has every default written out; only a value that somebody chose would be disobeyed.
        ignored = [] if self.mode != "pilot" else [name for name in OF_WAVES if getattr(self, name) != _default(name)]
        if ignored:
            rule = "is a setting of waves, and mode is pilot, which has none; write mode: waves, or leave it out"
            raise BadField(ignored[0], rule)
        return self


def _default(setting: str) -> object:
    """Give what a setting of waves is where the file leaves it out."""
    return Allocation.model_fields[setting].default


class Guardrail(Section):
    """A metric that what is sent must not make worse than the control by its margin or more: by non-inferiority."""

    metric: Name
    margin: Number | None = Field(default=None, gt=0, description="in the metric's unit; its own where it is missing")
    on_breach: Literal["hold", "warn"] = "hold"


class Covariate(Section):
    """What is known of each unit before its exposure, by which its metrics are told with less noise (CUPED).

    Attributes:
        metric: what is added up; not a ratio.
        before: over how long before the exposure.
    """

    metric: Name
    before: Period


class Experiment(Section):
    """Which variants compete, who is in the pilot, and what decides."""

    unit: Name
    cluster: Name | None = Field(default=None, description="column of what was drawn, where that is not the unit")
    event: Name
    exposure: str
    reward: str
    variant: Name
    variants: list[str] = Field(min_length=2)
    propensity: Name | None = Field(
        default=None,
        description="column with the probability, 0 to 1, by which an exposure's variant was drawn; without it the "
        "pilot's shares are taken for it, and nobody after the pilot is used to evaluate policies",
    )
    control: str
    salt: str
    layer: Name | None = Field(default=None, description="of `layers`, whose people other experiments have, too")
    traffic: list[Share] | None = Field(
        default=None, min_length=2, max_length=2, description="slice of the layer: from the one place, below the other"
    )
    eligible: SqlPredicate | None = Field(default=None, description="asked of the row of an exposure; null is no")
    start: AwareDatetime | None = Field(default=None, description="exposures before it are not counted")
    end: End | None = Field(default=None, description="exposures from it on are not counted")
    pauses: list[Pause] = Field(default_factory=list, description="in turn; while one lasts nobody is sent anything")
    audience: Audience | None = Field(default=None, description="log of units to send to; each is listed once")
    pilot_until: str = Field(description="last partition whose units belong to the pilot")
    allocation: Allocation = Allocation()
    attribution_window: Period
    holdback_share: Share = Field(lt=1, description="of the rest; at 1 nobody would get what won")
    expected_shares: dict[str, Number] | None = Field(
        default=None, description="weights of the variants, of any scale: 5, 1 and 1 are 5/7, 1/7 and 1/7"
    )
    sample_ratio_alpha: Share = Field(default=0.001, gt=0, lt=1, description="at 0 no split would ever be wrong")
    decide: Decide = Decide()
    approver: UserName | None = Field(
        default=None, description="Airflow user who says what is sent where decide.tie asks"
    )
    claim: Claim | None = None
    primary: Name | None = Field(default=None, description="the metric that decides; whether `reward` came, without it")
    secondary: list[Name] = Field(default_factory=list, description="metrics that are compared, and decide nothing")
    guardrails: list[Guardrail] = Field(default_factory=list)
    covariate: Covariate | None = Field(default=None, description="takes out of metrics what was so before")
    decide_at_probability: Share | None = Field(
        default=None, gt=0.5, lt=1, description="older name of claim.level; write that"
    )
    minimum_units_per_variant: Count = Field(default=100, ge=1)
    minimum_rewards: Count = Field(default=10, ge=1, description="rewarded units of all variants together")
    exclusion_limit: Share = Field(default=0.01, gt=0, lt=1, description="a larger share left out holds the decision")

    @model_validator(mode="after")
    def _the_control_is_a_variant(self) -> Self:
        require_different(self.variants, "variants")
        require_different([self.exposure, self.reward], "(exposure and reward)")
        if self.control not in self.variants:
            raise BadField("control", f"{self.control!r} is not one of the variants {self.variants}")
        unknown = [name for name in self.decide.costs if name not in self.variants]
        if unknown:
            raise BadField("decide.costs", f"{unknown[0]!r} is not one of the variants {self.variants}")
        if self.claim is not None and self.decide_at_probability is not None:
            raise BadField("decide_at_probability", "is the older name of claim.level, which is there, too; remove it")
        if self.expected_shares is not None:
            if set(self.expected_shares) != set(self.variants):
                raise BadField("expected_shares", f"must name each of the variants {self.variants} once")
            _require_weights(self.expected_shares)
        if self.allocation.until is not None and self.allocation.until <= self.pilot_until:
            rule = f"does not lie after the pilot, {self.pilot_until}; waves follow it"
            raise BadField("allocation.until", f"{self.allocation.until!r} {rule}")
        if self.attribution_window > LONGEST_WINDOW:
            raise BadField("attribution_window", f"waits {self.attribution_window.days} days; write 366 days at most")
        return self

    @model_validator(mode="after")
    def _a_question_has_somebody_who_answers(self) -> Self:
        if self.decide.tie == "ask" and self.approver is None:
            raise BadField("approver", "is missing: decide.tie asks a person; name the Airflow user who answers")
        if self.decide.tie != "ask" and self.approver is not None:
            raise BadField("approver", f"is asked nothing, for decide.tie is {self.decide.tie}; write tie: ask")
        return self

    @model_validator(mode="after")
    def _its_pauses_follow_each_other(self) -> Self:
        require_pauses_in_turn(self.pauses)
        return self

    @model_validator(mode="after")
    def _its_part_of_traffic_is_one(self) -> Self:
        if (self.layer is None) != (self.traffic is None):
            missing, there = ("traffic", "layer") if self.traffic is None else ("layer", "traffic")
            raise BadField(missing, f"is missing: {there} stands there, and a slice is one of a layer")
        if self.slice_low >= self.slice_high:
            raise BadField("traffic", f"[{self.slice_low:g}, {self.slice_high:g}] holds nobody; write [0.0, 0.4]")
        return self

    @model_validator(mode="after")
    def _its_end_comes_and_lets_it_decide(self) -> Self:
        if self.end is None:
            return self
        if self.end.after is not None:
            written = _write_period(self.end.after)
            if self.start is None:
                raise BadField("start", f"is missing: end.after counts its {written} from there")
            try:
                (self.start + self.end.after).astimezone(UTC)
            except OverflowError as error:
                rule = "lies behind the year 9999; write a shorter one, such as P28D"
                raise BadField("end.after", f"{written} after {self.start:%Y-%m-%d} {rule}") from error
        if self.end.max_units is not None:
            minimum = self.minimum_units_per_variant
            needed = count_units_needed(minimum, self.shares.values())
            if self.end.max_units < needed:
                rule = f"is less than the {needed:,} of which each variant has minimum_units_per_variant, {minimum:,},"
                todo = "in 99 of 100 splits; with fewer, nothing might ever be decided"
                raise BadField("end.max_units", f"{self.end.max_units:,} {rule} {todo}")
        return self

    @property
    def slice_low(self) -> float:
        """From which place of its layer on units are its own, 0..1."""
        return self.traffic[0] if self.traffic else 0.0

    @property
    def slice_high(self) -> float:
        """Below which place of its layer units are its own, 0..1."""
        return self.traffic[1] if self.traffic else 1.0

    @property
    def ends_at(self) -> datetime | None:
        """When it is over at the latest; None where only units, or nothing, end it."""
        if self.start is None or self.end is None or self.end.after is None:
            return None
        return self.start + self.end.after

    def paused_since(self, moment: datetime) -> datetime | None:
        """Say since when it is paused at a moment; None where it is not."""
        return next((pause.since for pause in self.pauses if pause.holds_at(moment)), None)

    @property
    def trial_until(self) -> str:
        """The last partition whose units are evidence: of the waves, or of the pilot where there are none."""
        return self.allocation.until or self.pilot_until

    @property
    def claim_level(self) -> float:
        """How sure a claim must be, 0..1."""
        return (self.claim or Claim(level=self.decide_at_probability or 0.95)).level

    @property
    def shares(self) -> dict[str, float]:
        """The share of units that each variant should get, 0..1, sum 1; all the same where the file has no weights."""
        weights = self.expected_shares or dict.fromkeys(self.variants, 1.0)
        total = sum(weights.values())
        return {name: weights[name] / total for name in self.variants}


def answer_within(experiments: Iterable[Experiment]) -> timedelta:
    """Say how long people have to answer about a problem's experiments: the shortest time that one of them gives.

    Args:
        experiments: of one problem; one of them at least asks a person about ties.
    """
    return min(one.decide.waits for one in experiments if one.decide.tie == "ask")


def count_units_needed(minimum: int, shares: Collection[float]) -> int:
    """Say of how many units, drawn one by one, each variant has a minimum with a probability of at least 99 %.

    Args:
        minimum: of units per variant, from 1 on.
        shares: of the variants, above 0, sum 1.

    Returns:
        the smallest n for which n p - z sqrt(n p (1 - p)) reaches the minimum, p being the smallest share: then one of
        the k variants falls short with a probability below 0.01 / k, by the normal approximation, which is on the safe
        side for a share below one half.
    """
    p, z = min(shares), NormalDist().inv_cdf(1.0 - 0.01 / len(shares))
    spread = z * math.sqrt(p * (1.0 - p))
    return math.ceil(((spread + math.sqrt(spread**2 + 4.0 * p * minimum)) / (2.0 * p)) ** 2)


def _write_period(period: timedelta) -> str:
    """Write a period as files do; pydantic would make years of 365 days."""
    rest = period - timedelta(days=period.days)
    time = TypeAdapter(timedelta).dump_python(rest, mode="json").removeprefix("P") if rest else ""
    return f"P{period.days}D{time}" if period.days else f"P{time}"


def _require_weights(weights: dict[str, float]) -> None:
    """Refuse weights that are negative, or by which a variant would go to nobody.

    Raises:
        BadField: one is.
    """
    bad = {name: weight for name, weight in weights.items() if weight <= 0}
    if len(bad) == len(weights) and not any(bad.values()):
        raise BadField("expected_shares", "are all 0, so that nobody would get anything; write one weight above 0 each")
    if bad:
        name = min(bad, key=lambda one: bad[one])
        rule = "a weight is above 0, of any scale; a variant that nobody should get does not stand in variants"
        raise BadField("expected_shares", f"{name!r} has the weight {bad[name]:g}; {rule}")
