"""The shape of a problem file: what may be written in `include/problems/<name>.yaml`, and the rules between fields.

What does not belong here: reading files (`reading.py`), and anything that a problem's data decides.
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from include.problems.expectation_rules import columns_named, complaint, nearest

ModelName = Literal["gradient_boosting", "text_logistic"]


class BadField(ValueError):
    """A rule between fields is broken; `field` is where, below the section that found it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def _written_as_a_period(value: Any) -> Any:
    """Refuse a bare number: pydantic would read 2 as two seconds, where two days were meant."""
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not value.startswith("P"):
        raise ValueError(f"write a period as ISO 8601 does: P2D is two days, PT6H six hours; it holds {value!r}")
    return value


def _longer_than_nothing(value: timedelta) -> timedelta:
    """Refuse a period in which nothing can happen."""
    if value <= timedelta(0):
        raise ValueError("a period is longer than nothing; P2D is two days, PT6H six hours")
    return value


_NAME = r"^[a-z][a-z0-9_]*$"
_PROBLEM_NAME = r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$"
_PREFIX = r"^[A-Za-z0-9_-][A-Za-z0-9._=-]*(/[A-Za-z0-9_-][A-Za-z0-9._=-]*)*/?$"
_NOT_BLANK = r"\S"
# For the person who meets the pattern in a message.
PATTERNS = {
    _NAME: "is no name; write small letters, digits and _, and a letter first",
    _PROBLEM_NAME: "is no name of a problem; write small letters, digits and single _, and a letter first",
    _PREFIX: "is no prefix inside landing; write folder names with / between them, such as rides or team/rides",
    _NOT_BLANK: "is blank; write an expression, or remove the key",
}

# Strict: YAML's `yes` is true, and true would pass for 1.
Count = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Share = Annotated[Number, Field(ge=0.0, le=1.0)]
Period = Annotated[timedelta, BeforeValidator(_written_as_a_period), AfterValidator(_longer_than_nothing)]
Name = Annotated[str, Field(pattern=_NAME, max_length=48)]
# Two underscores separate a problem's name from a stage or a table kind: `a__prediction` must not be a problem.
ProblemName = Annotated[str, Field(pattern=_PROBLEM_NAME, max_length=48)]
Prefix = Annotated[str, Field(pattern=_PREFIX)]
SqlPredicate = Annotated[str, Field(pattern=_NOT_BLANK, description="a boolean DuckDB SQL expression over the columns")]

_PARTITION_KEY = {
    "hour": (re.compile(r"\d{4}-\d\d-\d\dT\d\d"), "2013-01-31T05"),
    "day": (re.compile(r"\d{4}-\d\d-\d\d"), "2013-01-31"),
    "month": (re.compile(r"\d{4}-\d\d"), "2013-01"),
}


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

    landing: Prefix
    format: Literal["jsonl", "csv", "parquet"] = "jsonl"
    grain: Literal["hour", "day", "month"]
    key: list[Name] = Field(min_length=1)
    event_time: Name
    earliest: AwareDatetime
    latest: AwareDatetime
    columns: dict[Name, Column] = Field(min_length=1)

    @model_validator(mode="after")
    def _columns_named_elsewhere_exist(self) -> Self:
        for name in self.key:
            _require_column(name, self.columns, "key")
            pii = self.columns[name].pii
            # Rows are named by what is stored of them, and two of one name are duplicates.
            if pii in {"contact", "free_text"}:
                rule = "many people look alike once masked, and rows would be lost; class identifier keeps them apart"
                raise BadField("key", f"{name!r} is of class {pii}: {rule}")
        _require_different(self.key, "key")
        _require_column(self.event_time, self.columns, "event_time")
        if self.columns[self.event_time].type != "timestamp":
            found = self.columns[self.event_time].type
            raise BadField("event_time", f"column {self.event_time!r} is of type {found}; a timestamp is needed")
        if self.columns[self.event_time].pii != "none":
            pii = self.columns[self.event_time].pii
            raise BadField("event_time", f"{self.event_time!r} is of class {pii}, and a masked time is no time")
        if self.earliest >= self.latest:
            raise BadField("earliest", f"{self.earliest} is not before latest, {self.latest}")
        return self


class Expectation(Section):
    """One Great Expectations expectation by its own name and arguments; `stop` keeps the partition out."""

    expect: str
    severity: Literal["stop", "warn"]
    column: Name | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _great_expectations_knows_it(self) -> Self:
        found = complaint(self.expect, self.column, self.arguments)
        if found is not None:
            raise BadField(*found)
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
        _require_different(self.classes, "classes")
        if self.positive not in self.classes:
            raise BadField("positive", f"{self.positive!r} is not one of the classes {self.classes}")
        for name in ("known_when", "positive_when") if self.source == "log" else ():
            if getattr(self, name) is None:
                raise BadField(name, "a label with source: log needs known_when and positive_when")
        return self


class Value(Section):
    """What each outcome earns (positive) or costs (negative), in one unit of money or use."""

    unit: str
    true_positive: Number
    false_positive: Number
    true_negative: Number
    false_negative: Number
    review: Number = 0.0


class Rule(Section):
    """The rule that people used before: positive when the predicate is true."""

    name: Name = "rule"
    description: str = ""
    positive_when: SqlPredicate

    @field_validator("name")
    @classmethod
    def _other_candidates_have_other_names(cls, name: str) -> str:
        taken = ("dummy", "champion", *get_args(ModelName), *(f"{model}_uncalibrated" for model in get_args(ModelName)))
        if name in taken:
            raise ValueError(f"{name!r} is the name of another candidate in the comparison; choose another")
        return name


class Features(Section):
    """Which columns a model may see; all are known when the decision is taken."""

    numeric: list[Name] = Field(default_factory=list)
    categorical: list[Name] = Field(default_factory=list)
    text: list[Name] = Field(default_factory=list)
    increasing: list[Name] = Field(default_factory=list)
    decreasing: list[Name] = Field(default_factory=list)

    @model_validator(mode="after")
    def _directions_are_for_numbers(self) -> Self:
        _require_different([*self.numeric, *self.categorical, *self.text], "(numeric, categorical and text together)")
        _require_different([*self.increasing, *self.decreasing], "(increasing and decreasing together)")
        for field in ("increasing", "decreasing"):
            for name in getattr(self, field):
                if name not in self.numeric:
                    raise BadField(field, f"{name!r} has a direction, but only names in numeric can have one")
        if not (self.numeric or self.categorical or self.text):
            raise ValueError("a model needs at least one feature in numeric, categorical or text")
        return self


class Training(Section):
    """When a model is fitted, on what, and which candidate is tried."""

    model: ModelName
    calibration: Literal["sigmoid", "isotonic"] = "sigmoid"
    features: Features
    # Log labels: fit after `first` partitions, then every `every` more. Desk labels: after every finished batch.
    first: Count = Field(default=1, ge=1)
    every: Count = Field(default=1, ge=1)
    minimum_labels: Count = Field(default=50, ge=2)
    seed: Count = Field(default=7, ge=0)


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
        _require_different(self.variants, "variants")
        _require_different([self.exposure, self.reward], "(exposure and reward)")
        if self.control not in self.variants:
            raise BadField("control", f"{self.control!r} is not one of the variants {self.variants}")
        if self.expected_shares is not None:
            if set(self.expected_shares) != set(self.variants):
                raise BadField("expected_shares", f"must name each of the variants {self.variants} once")
            if abs(sum(self.expected_shares.values()) - 1.0) > 1e-9:
                raise BadField("expected_shares", f"sum to {sum(self.expected_shares.values())}, not 1")
        return self


class Monitor(Section):
    """What is watched, against what, and from where on it is an alert."""

    features: list[Name] = Field(min_length=1)
    reference_partitions: Count = Field(ge=1, description="the first so many published partitions are the reference")
    psi_alert: Number = Field(default=0.2, gt=0)
    ece_alert: Number = Field(default=0.05, gt=0)
    minimum_rows: Count = Field(default=100, ge=1)
    action: Literal["warn", "escalate", "retrain"] = "warn"


class Problem(Section):
    """A written problem definition; only `source` and the people are required."""

    name: ProblemName
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
        for field, name in _columns_used(self):
            _require_column(name, columns, field)
        for name in self.training.features.numeric if self.training else []:
            if columns[name].type not in {"integer", "number", "boolean"}:
                raise BadField("training.features.numeric", f"{name!r} is of type {columns[name].type}, not a number")
        if self.experiment:
            shape, example = _PARTITION_KEY[self.source.grain]
            if not shape.fullmatch(self.experiment.pilot_until):
                raise BadField(
                    "experiment.pilot_until",
                    f"{self.experiment.pilot_until!r} names no {self.source.grain}; write it like {example}",
                )
        return self


def _columns_used(problem: Problem) -> Iterable[tuple[str, Any]]:
    """List every column that another section than `source` names, each with the field that names it."""
    for index, expectation in enumerate(problem.quality.expectations if problem.quality else []):
        where = f"quality.expectations.{index}"
        if expectation.column is not None:
            yield f"{where}.column", expectation.column
        for argument, name in columns_named(expectation.arguments):
            yield f"{where}.arguments.{argument}", name
    if problem.training:
        for kind in ("numeric", "categorical", "text"):
            for name in getattr(problem.training.features, kind):
                yield f"training.features.{kind}", name
    for name in problem.monitor.features if problem.monitor else []:
        yield "monitor.features", name
    if problem.experiment:
        for field in ("unit", "event", "variant"):
            yield f"experiment.{field}", getattr(problem.experiment, field)


def _require_sections(problem: Problem) -> None:
    """Refuse a section whose foundation is missing."""
    if problem.training and not (problem.label and problem.value):
        raise BadField("training", "needs the sections label and value; write them or remove training")
    if problem.review and not (problem.training and problem.label and problem.label.source == "desk"):
        raise BadField("review", "needs the section training, and label.source: desk")
    if problem.label and problem.label.source == "desk" and problem.training and not problem.review:
        raise BadField("label.source", "desk needs the section review, or nobody ever gives a label")


def _require_column(name: Any, columns: dict[str, Column], field: str) -> None:
    """Refuse a name that the source does not declare."""
    if name not in columns:
        raise BadField(field, f"{name!r} is not declared in source.columns{nearest(str(name), columns)}")


def _require_different(names: list[str], field: str) -> None:
    """Refuse a name that stands twice."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadField(field, f"{', '.join(twice)} stands there more than once")
