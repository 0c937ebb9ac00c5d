"""What people see, and how much of it."""

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from include.problems.sections.base import BadField, Count, Name, Period, PersonName, Section, Share, SqlPredicate

Strategy = Literal["entropy", "margin", "least_confidence", "committee", "committee_votes", "expected_cost"]


class Stop(Section):
    """When more labels change nothing: fewer than this share of the pool's decisions, so many rounds in a row."""

    change_below: Share = 0.002
    rounds: Count = Field(default=2, ge=1)


class Route(Section):
    """Which items need care: where the predicate is true, a trained person, a cover, or both."""

    when: SqlPredicate
    skill: Name | None = None
    is_sensitive: bool = False

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if self.skill is None and not self.is_sensitive:
            raise ValueError("a route changes nothing without a skill or is_sensitive: true")
        return self


class Review(Section):
    """How many items people see a round, and how those are chosen."""

    budget: Count = Field(ge=1, description="items per batch")
    strategy: Strategy = "entropy"
    random_share: Share = 0.2
    gold_share: Share = 0.05
    overlap_share: Share = 0.1
    overlap_answers: Count = Field(default=2, ge=2, le=9, description="people who see an item of the overlap")
    answers_if_split: Count | None = Field(
        default=None, ge=3, le=9, description="people who see it where the first ones differ; no more"
    )
    relabel_share: Share = 0.1
    max_rounds: Count = Field(ge=1)
    stop: Stop | None = Stop()
    due: Period = timedelta(days=2)
    routes: list[Route] = Field(default_factory=list)
    # The desk: what people see there, for how long an item is theirs, and who they are.
    blind: bool = Field(default=False, strict=True, description="the model's view is hidden until the answer is given")
    guidelines: str | None = Field(
        default=None,
        min_length=1,
        max_length=10_000,
        description="what each answer means, beside every item",
    )
    show: list[str] = Field(default_factory=list, description="columns on the desk; the model's features when empty")
    lease: Period = Field(default=timedelta(minutes=10), description="an item is kept for whom it was shown to")
    skills: dict[Name, list[PersonName]] = Field(default_factory=dict, description="who is trained for what")
    leads: list[PersonName] = Field(default_factory=list, description="who may see reports of people, beside the owner")
    demo_rounds: Count | None = Field(default=None, ge=0, description="rounds that recorded truth may answer; all")

    @model_validator(mode="after")
    def _a_split_asks_more_people(self) -> Self:
        if self.answers_if_split is not None and self.answers_if_split <= self.overlap_answers:
            raise BadField(
                "answers_if_split",
                f"{self.answers_if_split} is no more than overlap_answers, {self.overlap_answers}: it would ask nobody",
            )
        return self

    @model_validator(mode="after")
    def _a_control_arm_is_never_too_small(self) -> Self:
        if self.random_share < 0.1:
            raise BadField("random_share", f"{self.random_share} is too small; 0.1 and more keeps the estimates honest")
        asked_again = self.gold_share + self.relabel_share
        if asked_again + self.random_share > 1.0:
            raise BadField(
                "gold_share",
                f"gold_share, relabel_share and random_share together are {asked_again + self.random_share:g}; "
                "at most 1 fits into a batch",
            )
        return self
