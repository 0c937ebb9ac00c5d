"""What is predicted, what it is worth, and how a model learns it."""

from typing import Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from include.problems.sections.base import BadField, Count, Name, Number, Section, SqlPredicate, require_different

ModelName = Literal["gradient_boosting", "text_logistic"]


class Label(Section):
    """What is to be predicted, and who knows the answer."""

    classes: list[str] = Field(min_length=2)
    positive: str
    source: Literal["log", "desk"]
    known_when: SqlPredicate | None = None
    positive_when: SqlPredicate | None = None

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
        require_different([*self.numeric, *self.categorical, *self.text], "(numeric, categorical and text together)")
        require_different([*self.increasing, *self.decreasing], "(increasing and decreasing together)")
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
