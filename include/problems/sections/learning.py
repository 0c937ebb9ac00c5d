"""What is predicted, what it is worth, and how a model learns it."""

from datetime import timedelta
from typing import Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from include.problems.sections.base import (
    BadField,
    Count,
    Name,
    Number,
    Period,
    Section,
    Share,
    SqlPredicate,
    require_different,
)

# Simplest first; of two that are equally good the earlier one is taken.
ModelName = Literal["scorecard", "text_logistic", "text_characters", "gaussian_process", "gradient_boosting"]


class Label(Section):
    """What is to be predicted, and who knows the answer."""

    classes: list[str] = Field(min_length=2)
    positive: str
    source: Literal["log", "desk"]
    known_when: SqlPredicate | None = None
    positive_when: SqlPredicate | None = None
    delay: Period | None = Field(default=None, description="how long after its event a row's label is final")

    @model_validator(mode="after")
    def _a_log_label_says_how_it_is_read(self) -> Self:
        require_different(self.classes, "classes")
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
    review: Number = Field(default=0.0, description="what asking a person earns; 0: not priced, so nobody is asked")


class Rule(Section):
    """The rule that people used before: positive when the predicate is true."""

    name: Name = "rule"
    description: str = ""
    positive_when: SqlPredicate
    # keywords: a person may start `<problem>__rules`, which looks for a better rule in the labels and asks about it.
    mine: Literal["none", "keywords"] = "none"

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
        require_different([*self.numeric, *self.categorical, *self.text], "(numeric, categorical and text together)")
        require_different([*self.increasing, *self.decreasing], "(increasing and decreasing together)")
        for field in ("increasing", "decreasing"):
            for name in getattr(self, field):
                if name not in self.numeric:
                    raise BadField(field, f"{name!r} has a direction, but only names in numeric can have one")
        if not (self.numeric or self.categorical or self.text):
            raise ValueError("a model needs at least one feature in numeric, categorical or text")
        return self


class Search(Section):
    """How long better settings of a candidate are looked for; none without this section."""

    trials: Count = Field(default=20, ge=1, description="settings tried, the defaults among them")
    budget: Period = Field(default=timedelta(seconds=30), description="for one training; it only cuts trials off")


class Protected(Section):
    """A column whose groups must not pay for a new model."""

    column: Name
    tolerance: Number = Field(default=0.0, ge=0, description="what a group may lose per row, in the unit of value")
    minimum_rows: Count = Field(default=50, ge=1, description="smaller groups are shown, and decide nothing")


class Gate(Section):
    """What a challenger must meet beside earning more."""

    calibration_tolerance: Share = Field(default=0.02, description="how much less calibrated than the champion")
    suspicious_auc: Share = Field(
        default=0.98, description="a single feature that ranks this well gives the label away"
    )


class Training(Section):
    """When a model is fitted, on what, and which candidates are tried."""

    model: ModelName | None = Field(default=None, description="one candidate; the same as models with one name")
    models: list[ModelName] = Field(default_factory=list)
    calibration: Literal["choose", "none", "temperature", "sigmoid", "beta", "isotonic"] = "choose"
    features: Features
    # Rows of one group (a person, a site) are never on both sides of a split.
    group: Name | None = None
    search: Search | None = None
    gate: Gate = Field(default_factory=Gate)
    protected: list[Protected] = Field(default_factory=list)
    # What people could have done otherwise: [low, high] of a number (6 and not 6.0 asks for whole steps), or values.
    changeable: dict[Name, list[int | float | str]] = Field(default_factory=dict)
    approval: Literal["required", "none"] = "none"
    approval_timeout: Period = Field(default=timedelta(days=2), description="nobody answered: the same as no")
    # Log labels: fit after `first` partitions, then every `every` more. Desk labels: after every finished batch.
    first: Count = Field(default=1, ge=1)
    every: Count = Field(default=1, ge=1)
    minimum_labels: Count = Field(default=50, ge=2)
    seed: Count = Field(default=7, ge=0)

    @model_validator(mode="after")
    def _what_may_be_changed_is_a_feature(self) -> Self:
        for name, allowed in self.changeable.items():
            where = f"changeable.{name}"
            if name in self.features.numeric:
                is_range = len(allowed) == 2 and all(
                    isinstance(end, int | float) and not isinstance(end, bool) for end in allowed
                )
                if not is_range or not float(allowed[0]) < float(allowed[1]):
                    raise BadField(where, f"{allowed} is no range of a number; write [low, high], such as [6, 22]")
            elif name in self.features.categorical:
                if not allowed or not all(isinstance(value, str) for value in allowed):
                    raise BadField(where, f"{allowed} are no values of a category; write [a, b], in quotes if numbers")
            else:
                raise BadField(where, "is not in features.numeric or features.categorical, so no model would notice")
        return self

    @property
    def candidates(self) -> list[ModelName]:
        """The models that are tried, in the order of the file."""
        return self.models or ([self.model] if self.model else [])

    @model_validator(mode="after")
    def _something_is_tried(self) -> Self:
        if bool(self.model) == bool(self.models):
            raise BadField("models", "write either model (one name) or models (a list of names), not both and not none")
        require_different(list(self.models), "models")
        require_different([segment.column for segment in self.protected], "protected")
        for name in self.candidates:
            if name.startswith("text_") and not self.features.text:
                raise BadField("models", f"{name} reads text, and training.features.text names no column")
            if name in ("scorecard", "gaussian_process", "gradient_boosting") and not (
                self.features.numeric or self.features.categorical
            ):
                raise BadField("models", f"{name} reads numbers and categories, and training.features names none")
        return self
