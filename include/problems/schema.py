"""The shape of a problem file: what may be written in `include/problems/<name>.yaml`, and the rules between sections.

What does not belong here: one section's own rules (`sections/`), reading files (`reading.py`), and anything that a
problem's data decides.
"""

import re
from collections.abc import Iterable
from typing import Any, Self

from pydantic import model_validator

from include.problems.expectation_rules import columns_named
from include.problems.sections.base import BadField, ProblemName, Section, require_column
from include.problems.sections.experiment import Experiment
from include.problems.sections.learning import Label, Rule, Training, Value
from include.problems.sections.monitor import Monitor
from include.problems.sections.quality import Quality
from include.problems.sections.review import Review
from include.problems.sections.source import Source
from include.problems.sections.upkeep import Upkeep

_PARTITION_KEY = {
    "hour": (re.compile(r"\d{4}-\d\d-\d\dT\d\d"), "2013-01-31T05"),
    "day": (re.compile(r"\d{4}-\d\d-\d\d"), "2013-01-31"),
    "month": (re.compile(r"\d{4}-\d\d"), "2013-01"),
}


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
    upkeep: Upkeep = Upkeep()

    @model_validator(mode="after")
    def _sections_fit_each_other(self) -> Self:
        _require_sections(self)
        columns = self.source.columns
        for field, name in _columns_used(self):
            require_column(name, columns, field)
        for name in self.training.features.numeric if self.training else []:
            if columns[name].type not in {"integer", "number", "boolean"}:
                raise BadField("training.features.numeric", f"{name!r} is of type {columns[name].type}, not a number")
        if self.training:
            _require_known_at_the_event(self, self.training)
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
        if problem.training.group is not None:
            yield "training.group", problem.training.group
        for index, segment in enumerate(problem.training.protected):
            yield f"training.protected.{index}.column", segment.column
    for index, name in enumerate(problem.review.show if problem.review else []):
        yield f"review.show.{index}", name
    for name in problem.monitor.features if problem.monitor else []:
        yield "monitor.features", name
    if problem.experiment:
        for field in ("unit", "event", "variant"):
            yield f"experiment.{field}", getattr(problem.experiment, field)


def _require_sections(problem: Problem) -> None:
    """Refuse a section whose foundation is missing."""
    if problem.training and not (problem.label and problem.value):
        raise BadField("training", "needs the sections label and value; write them or remove training")
    if (
        problem.baseline
        and problem.baseline.mine == "keywords"
        and not (problem.review and problem.training and problem.training.features.text)
    ):
        raise BadField("baseline.mine", "keywords needs texts in training.features.text, and the section review")
    if problem.review and not (problem.training and problem.label and problem.label.source == "desk"):
        raise BadField("review", "needs the section training, and label.source: desk")
    if problem.label and problem.label.source == "desk" and problem.training and not problem.review:
        raise BadField("label.source", "desk needs the section review, or nobody ever gives a label")


def _require_known_at_the_event(problem: Problem, training: Training) -> None:
    """Refuse a feature that is only known later, or that the label is read from: a model would be told the answer."""
    label = problem.label
    predicates = [label.known_when, label.positive_when] if label else []
    # Quoted text is a value, not a column.
    asked = set(re.findall(r"\w+", " ".join(re.sub(r"'[^']*'", " ", predicate or "") for predicate in predicates)))
    for kind in ("numeric", "categorical", "text"):
        for name in getattr(training.features, kind):
            if problem.source.columns[name].known == "later":
                rule = "is known only later (source.columns), so no decision can be based on it; remove it"
                raise BadField(f"training.features.{kind}", f"{name!r} {rule}")
            if name in asked:
                rule = "is what the label is read from (label.positive_when or known_when); remove it"
                raise BadField(f"training.features.{kind}", f"{name!r} {rule}")
