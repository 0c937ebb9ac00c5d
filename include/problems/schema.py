"""The shape of a problem file: what may be written in `include/problems/<name>.yaml`, and the rules between fields.

What does not belong here: reading files (`reading.py`), and anything that a problem's data decides.
"""

import difflib
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from include.problems.expectation_names import EXPECTATIONS

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=48)]
SqlPredicate = Annotated[str, Field(min_length=1, description="a boolean DuckDB SQL expression over the columns")]


class Section(BaseModel):
    """A part of a problem file: unknown keys are errors, values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Section):
    """One field of the log: its type, unit and privacy class."""

    type: Literal["string", "integer", "number", "boolean", "timestamp"]
    description: str = ""
    unit: str = ""
    pii: Literal["none", "identifier", "contact", "free_text"] = "none"


class Source(Section):
    """Where the log lands, and what makes a row a row."""

    landing: str
    format: Literal["jsonl", "csv", "parquet"] = "jsonl"
    grain: Literal["hour", "day", "month"]
    key: list[Name] = Field(min_length=1)
    event_time: Name
    earliest: datetime
    latest: datetime
    columns: dict[Name, Column] = Field(min_length=1)

    @model_validator(mode="after")
    def _columns_named_elsewhere_exist(self) -> Self:
        for name in [*self.key, self.event_time]:
            _require_column(name, self.columns, "source.key or source.event_time")
        if self.columns[self.event_time].type != "timestamp":
            raise ValueError(f"event_time {self.event_time!r} must be a column of type timestamp")
        if self.earliest >= self.latest:
            raise ValueError("earliest must be before latest")
        return self


class Expectation(Section):
    """One Great Expectations expectation by its own name and arguments; `stop` keeps the partition out."""

    expect: str
    severity: Literal["stop", "warn"]
    column: Name | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _great_expectations_knows_it(self) -> Self:
        if self.expect not in EXPECTATIONS:
            raise ValueError(f"unknown expectation {self.expect!r}{_nearest(self.expect, EXPECTATIONS)}")
        allowed = EXPECTATIONS[self.expect]
        for argument in self.arguments:
            if argument not in allowed:
                known = ", ".join(sorted(allowed))
                raise ValueError(f"{self.expect} takes no argument {argument!r}; allowed are: {known}")
        return self


class Quality(Section):
    """The suite a partition must pass before anybody reads it."""

    expectations: list[Expectation] = Field(min_length=1)


class Label(Section):
    """What is to be predicted, and who knows the answer."""

    classes: list[str] = Field(min_length=2)
    positive: str
    source: Literal["log", "desk"]
    known_when: SqlPredicate | None = None
    positive_when: SqlPredicate | None = None

    @model_validator(mode="after")
    def _a_log_label_says_how_it_is_read(self) -> Self:
        if self.positive not in self.classes:
            raise ValueError(f"positive {self.positive!r} is not one of the classes {self.classes}")
        if self.source == "log" and not (self.known_when and self.positive_when):
            raise ValueError("a label with source: log needs known_when and positive_when")
        return self


class Value(Section):
    """What each outcome earns (positive) or costs (negative), in one unit of money or use."""

    unit: str
    true_positive: float
    false_positive: float
    true_negative: float
    false_negative: float
    review: float = 0.0


class Rule(Section):
    """The rule that people used before: positive when the predicate is true."""

    name: Name = "rule"
    description: str = ""
    positive_when: SqlPredicate


class Features(Section):
    """Which columns a model may see; all are known when the decision is taken."""

    numeric: list[Name] = Field(default_factory=list)
    categorical: list[Name] = Field(default_factory=list)
    text: list[Name] = Field(default_factory=list)
    increasing: list[Name] = Field(default_factory=list)
    decreasing: list[Name] = Field(default_factory=list)

    @model_validator(mode="after")
    def _directions_are_for_numbers(self) -> Self:
        for name in [*self.increasing, *self.decreasing]:
            if name not in self.numeric:
                raise ValueError(f"{name!r} has a monotone direction but is not in features.numeric")
        if not (self.numeric or self.categorical or self.text):
            raise ValueError("a model needs at least one feature")
        return self


class Training(Section):
    """When a model is fitted, on what, and which candidate is tried."""

    model: Literal["gradient_boosting", "text_logistic"]
    calibration: Literal["sigmoid", "isotonic"] = "sigmoid"
    features: Features
    # Log labels: fit after `first` partitions, then every `every` more. Desk labels: after every finished batch.
    first: int = Field(default=1, ge=1)
    every: int = Field(default=1, ge=1)
    minimum_labels: int = Field(default=50, ge=2)
    seed: int = 7


class Review(Section):
    """How many items people see a round, and how those are chosen."""

    budget: int = Field(ge=1, description="items per batch")
    random_share: Share = 0.2
    max_rounds: int = Field(ge=1)
    due: timedelta = timedelta(days=2)

    @model_validator(mode="after")
    def _a_control_arm_is_never_too_small(self) -> Self:
        if self.random_share < 0.1:
            raise ValueError(f"random_share is {self.random_share}; at least 0.1 keeps the estimates honest")
        return self


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
    attribution_window: timedelta
    holdback_share: Share
    expected_shares: dict[str, Share] | None = None
    sample_ratio_alpha: Share = 0.001
    decide_at_probability: Share = 0.95
    minimum_units_per_variant: int = 100

    @model_validator(mode="after")
    def _the_control_is_a_variant(self) -> Self:
        if self.control not in self.variants:
            raise ValueError(f"control {self.control!r} is not one of the variants {self.variants}")
        if self.expected_shares is not None:
            if set(self.expected_shares) != set(self.variants):
                raise ValueError("expected_shares must name every variant once")
            if abs(sum(self.expected_shares.values()) - 1.0) > 1e-9:
                raise ValueError(f"expected_shares sum to {sum(self.expected_shares.values())}, not 1")
        return self


class Monitor(Section):
    """What is watched, against what, and from where on it is an alert."""

    features: list[Name] = Field(min_length=1)
    reference_partitions: int = Field(ge=1, description="the first so many published partitions are the reference")
    psi_alert: float = Field(default=0.2, gt=0)
    ece_alert: float = Field(default=0.05, gt=0)
    minimum_rows: int = Field(default=100, ge=1)
    action: Literal["warn", "escalate", "retrain"] = "warn"


class Problem(Section):
    """A written problem definition; only `source` and the people are required."""

    name: Name
    title: str
    why: str
    owner: str
    escalation: str
    source: Source
    quality: Quality | None = None
    label: Label | None = None
    value: Value | None = None
    baseline: Rule | None = None
    training: Training | None = None
    review: Review | None = None
    experiment: Experiment | None = None
    monitor: Monitor | None = None

    @model_validator(mode="after")
    def _sections_fit_each_other(self) -> Self:
        _require_sections(self)
        columns = self.source.columns
        for index, expectation in enumerate(self.quality.expectations if self.quality else []):
            if expectation.column is not None:
                _require_column(expectation.column, columns, f"quality.expectations.{index}.column")
        if self.training:
            features = self.training.features
            for name in [*features.numeric, *features.categorical, *features.text]:
                _require_column(name, columns, "training.features")
        for name in self.monitor.features if self.monitor else []:
            _require_column(name, columns, "monitor.features")
        if self.experiment:
            for name in (self.experiment.unit, self.experiment.event, self.experiment.variant):
                _require_column(name, columns, "experiment")
        return self


def _require_sections(problem: Problem) -> None:
    """Refuse a section whose foundation is missing."""
    if problem.training and not (problem.label and problem.value):
        raise ValueError("training needs the sections label and value")
    if problem.review and not (problem.training and problem.label and problem.label.source == "desk"):
        raise ValueError("review needs the section training, and label.source: desk")
    if problem.label and problem.label.source == "desk" and problem.training and not problem.review:
        raise ValueError("label.source: desk needs the section review, or nobody ever gives a label")


def _require_column(name: str, columns: dict[str, Column], where: str) -> None:
    """Refuse a name that the source does not declare."""
    if name not in columns:
        raise ValueError(f"{where} names {name!r}, which source.columns does not declare{_nearest(name, columns)}")


def _nearest(name: str, known: Any) -> str:
    """Say which known name was probably meant."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
