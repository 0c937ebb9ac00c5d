"""What is predicted, what it is worth, and how a model learns it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self, get_args

from pydantic import BeforeValidator, Field, field_validator, model_validator

from include.errors import BadProblem
from include.names import LABEL_IS_DUE
from include.problems.sections.base import (
    NOT_BLANK,
    BadField,
    Count,
    Name,
    Number,
    Period,
    Section,
    Share,
    SqlExpression,
    SqlPredicate,
    require_different,
)

# Simplest first; of two that are equally good the earlier one is taken. seasonal_naive and linear are for quantities.
ModelName = Literal[
    "seasonal_naive",
    "linear",
    "scorecard",
    "text_logistic",
    "text_pieces",
    "text_characters",
    "gaussian_process",
    "gradient_boosting",
]
OUTCOMES = ("true_positive", "false_positive", "true_negative", "false_negative")


def _as_a_word(value: object) -> object:
    """Take `no` and `yes` as they are written: YAML has read them as truths."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


Word = Annotated[str, BeforeValidator(_as_a_word)]

Kind = Literal["two_classes", "several_classes", "several_labels", "quantity"]


SAID: Mapping[Kind, str] = {
    "two_classes": "two classes",
    "several_classes": "several classes",
    "several_labels": "several labels",
    "quantity": "a quantity",
}


class Quantity(Section):
    """A label that is a number: in which unit, how wide its interval is, and which number is predicted."""

    unit: Annotated[str, Field(pattern=NOT_BLANK)]
    interval: Number = Field(default=0.9, ge=0.5, le=0.99, description="share of rows whose interval shall hold them")
    loss: Literal["squared", "absolute", "quantile"] = Field(
        default="squared",
        description="squared predicts the mean, absolute the median, quantile the number that costs least",
    )


class Label(Section):
    """What is to be predicted, and who knows the answer."""

    classes: list[str] = Field(default_factory=list, description="two at least, or none beside quantity")
    quantity: Quantity | None = Field(default=None, description="the label is a number, which value gives")
    positive: str | None = Field(
        default=None, description="of two classes the one to look for; of more, it or the rest"
    )
    multiple: bool = Field(default=False, strict=True, description="an item may have several of the classes, or none")
    source: Literal["log", "desk"]
    known_when: SqlPredicate | None = None
    positive_when: SqlPredicate | None = None
    value: SqlExpression | None = Field(
        default=None,
        description="of several classes: SQL giving a class; with multiple: a list of them; of a quantity: a number",
    )
    delay: Period | None = Field(default=None, description="how long after its event a row's label is final")
    # Where the label comes in another log of the problem: which, how its rows find theirs, and until when.
    from_log: Name | None = Field(default=None, alias="from")
    on: dict[Name, Name] = Field(default_factory=dict, description="a row's column to the label log's; the row's key")
    within: Period | None = Field(default=None, description="so long after its event a row's label may come")
    absent: Word | None = Field(default=None, description="the class of a row of which nothing came, or unknown")
    on_repeat: Literal["keep_first", "keep_last", "refuse"] = Field(
        default="keep_last", description="which of several labels of one row counts; refuse: none does"
    )

    corrections: bool = Field(
        default=False, strict=True, description="people correct what the log says, by files below labels/<problem>/"
    )

    @property
    def known_sql(self) -> str | None:
        """SQL that says whether a row's label is known, over its columns and what was joined to it."""
        if self.from_log is None:
            return self.known_when
        nothing_came, is_read = f'"{self.from_log}" IS NULL', self.known_when or "TRUE"
        if self.absent in self.classes:
            return f"{LABEL_IS_DUE} AND ({nothing_came} OR ({is_read}\n))"
        return f"{LABEL_IS_DUE} AND NOT ({nothing_came}) AND ({is_read}\n)"

    @property
    def positive_sql(self) -> str | None:
        """SQL that says whether a row's known label is the positive class."""
        if self.from_log is None or self.kind != "two_classes":
            return self.positive_when
        is_absent_positive = self.absent == self.positive
        came = self.positive_when or str(not is_absent_positive).upper()
        return f'CASE WHEN "{self.from_log}" IS NULL THEN {str(is_absent_positive).upper()} ELSE ({came}\n) END'

    @property
    def value_sql(self) -> str | None:
        """SQL that gives a row's known class, or the list of its classes."""
        if self.from_log is None or self.value is None or self.absent not in self.classes:
            return self.value
        absent = "'" + str(self.absent).replace("'", "''") + "'"
        nothing = f"[{absent}]" if self.multiple else absent
        return f'CASE WHEN "{self.from_log}" IS NULL THEN {nothing} ELSE ({self.value}\n) END'

    @property
    def kind(self) -> Kind:
        """What sort of answer is predicted."""
        if self.quantity is not None:
            return "quantity"
        if self.multiple:
            return "several_labels"
        return "two_classes" if self.positive is not None else "several_classes"

    @property
    def positive_class(self) -> str:
        """The class that a model of two sides looks for.

        Raises:
            BadProblem: there is none, because the problem has several classes or labels, or a quantity.
        """
        if self.positive is None:
            raise BadProblem(f"label.positive is not written: of {len(self.classes)} classes none is looked for alone.")
        return self.positive

    @model_validator(mode="after")
    def _the_answer_is_of_one_kind(self) -> Self:
        if self.quantity is not None:
            return self._as_a_quantity()
        if len(self.classes) < 2:
            rule = "write two at least, or quantity: {unit: ...} where the label is a number"
            raise BadField("classes", f"has {len(self.classes)} classes; {rule}")
        require_different(self.classes, "classes")
        if self.positive is not None and self.positive not in self.classes:
            raise BadField("positive", f"{self.positive!r} is not one of the classes {self.classes}")
        if self.positive is not None and self.multiple:
            raise BadField("positive", "with multiple: true every class is looked for; remove positive, or multiple")
        if self.positive is None and not self.multiple and len(self.classes) == 2:
            raise BadField("positive", f"is missing; write which of the two classes {self.classes} is looked for")
        return self

    def _as_a_quantity(self) -> Self:
        """Refuse what a label cannot have that is a number."""
        for name in ("classes", "positive", "multiple"):
            if getattr(self, name):
                raise BadField(name, "is about classes, and quantity makes the label a number; remove one of both")
        if self.source == "desk":
            raise BadField("source", "people answer with a class at the desk, not with a number; write source: log")
        return self

    @model_validator(mode="after")
    def _corrections_have_something_to_correct(self) -> Self:
        if self.corrections and self.source != "log":
            raise BadField("corrections", "people give this label already, also by files; remove corrections")
        if self.corrections and self.quantity is not None:
            raise BadField("corrections", "people correct classes, and a quantity is corrected in its log; remove it")
        return self

    @model_validator(mode="after")
    def _a_label_of_another_log_is_found(self) -> Self:
        if self.from_log is None:
            beside = [name for name in ("on", "within", "absent", "on_repeat") if name in self.model_fields_set]
            if beside:
                raise BadField(beside[0], "is about a label in another log; write from: and the name of that log, too")
            return self
        if self.source != "log":
            raise BadField("source", "from names a log, so people do not give this label; write source: log")
        if self.delay is not None:
            raise BadField("delay", "within says already when a label that comes in another log is final; remove delay")
        if self.within is None:
            raise BadField("within", "is missing; write how long after its event a row's label may come, such as P30D")
        if self.absent not in (*self.classes, "unknown"):
            allowed = ", ".join([*self.classes, "unknown"])
            what = "number that is known" if self.quantity else "class"
            raise BadField("absent", f"{self.absent!r} is no {what}; of a row of which nothing came, write: {allowed}")
        return self

    @model_validator(mode="after")
    def _a_log_label_says_how_it_is_read(self) -> Self:
        asked = "positive_when" if self.kind == "two_classes" else "value"
        other = "value" if asked == "positive_when" else "positive_when"
        if getattr(self, other) is not None:
            raise BadField(other, f"is not for a label of {SAID[self.kind]}; write {asked} instead")
        # That something came in another log says enough where that nothing came has a class, and there are two.
        needed = ["known_when", asked] if self.from_log is None else [asked]
        if self.from_log is not None and self.kind == "two_classes" and self.absent in self.classes:
            needed = []
        for name in needed if self.source == "log" else ():
            if getattr(self, name) is None:
                raise BadField(name, f"a label with source: log needs {' and '.join(needed)}")
        return self


class Value(Section):
    """What each outcome earns (positive) or costs (negative), in one unit of money or use.

    Two classes: the four outcomes. Several classes: `payoff`, class to action to what it earns; without it a right
    class earns 1. Several labels: the four outcomes, of each label. A quantity: what each unit of a miss costs, on
    either side.
    """

    unit: str
    true_positive: Number = 0.0
    false_positive: Number = 0.0
    true_negative: Number = 0.0
    false_negative: Number = 0.0
    payoff: dict[str, dict[str, Number]] | None = Field(
        default=None, description="class to action to what the action earns where the class is true"
    )
    over: Number | None = Field(default=None, gt=0, description="what each unit costs that was planned too much")
    under: Number | None = Field(default=None, gt=0, description="what each unit costs that was planned too little")
    review: Number = Field(default=0.0, description="what asking a person earns; 0: not priced, so nobody is asked")

    @property
    def outcomes_written(self) -> list[str]:
        """The outcomes of two sides that the file writes."""
        return [name for name in OUTCOMES if name in self.model_fields_set]


class Rule(Section):
    """The rule that people used before: positive when the predicate is true."""

    name: Name = "rule"
    description: str = ""
    positive_when: SqlPredicate
    # keywords: a person may start `<problem>__rules`, which looks for a better rule in the labels and asks about it.
    mine: Literal["none", "keywords"] = "none"
    whole_words: bool = Field(
        default=False, description="whether a mined word must stand alone: then `com` is not found in `comment`"
    )

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
    tolerance: Number = Field(
        default=0.0,
        ge=0,
        description="what a group may lose per row, in the unit of value: above 0 it must be shown of every group that "
        "it loses less; 0 states no margin, and no group may be shown to lose",
    )
    minimum_rows: Count = Field(default=50, ge=1, description="smaller groups are shown, and decide nothing")


class Gate(Section):
    """What a challenger must meet beside earning more."""

    calibration_tolerance: Share = Field(default=0.02, description="how much less calibrated than the champion")
    switching_cost: Number = Field(
        default=0.0,
        ge=0,
        description="what a row must earn more for a change of champion to pay, in the unit of value",
    )
    sure_from: Share = Field(
        default=0.9, gt=0.5, lt=1, description="how sure one must be that a challenger is better, 0.5..1"
    )
    first: Literal["recalibrate", "serve_with_alert", "refuse"] = Field(
        default="recalibrate",
        description="what becomes of a first model that earns more and is miscalibrated: recalibrate lets its "
        "calibrator learn from its held-out rows and asks again (two classes; of more it refuses)",
    )
    suspicious_auc: Share = Field(
        default=0.98, description="a single feature that ranks this well gives the label away"
    )


class Training(Section):
    """When a model is fitted, on what, and which candidates are tried."""

    model: ModelName | None = Field(default=None, description="one candidate; the same as models with one name")
    models: list[ModelName] = Field(default_factory=list)
    calibration: Literal["choose", "none", "temperature", "sigmoid", "beta", "isotonic"] = "choose"
    features: Features
    split: Literal["time", "folds"] = Field(
        default="time",
        description="labels from the log: measured on later partitions, or, where rows have no order in time, out of "
        "fold; labels from people are always measured out of fold",
    )
    refit: Literal["all", "none"] = Field(
        default="all", description="whether the chosen model is fitted once more on all rows; labels from the log only"
    )
    # Rows of one group (a person, a site) are never on both sides of a split.
    group: Name | None = None
    search: Search | None = None
    gate: Gate = Field(default_factory=Gate)
    protected: list[Protected] = Field(default_factory=list)
    # What people could have done otherwise: [low, high] of a number (6 and not 6.0 asks for whole steps), or values.
    changeable: dict[Name, list[Count | Number | str]] = Field(default_factory=dict)
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
                is_range = len(allowed) == 2 and all(isinstance(end, int | float) for end in allowed)
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
