"""The shape of a problem file: what may be written in `include/problems/<name>.yaml`, and the rules between sections.

What does not belong here: one section's own rules (`sections/`), reading files (`reading.py`), and anything that a
problem's data decides.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Self

from pydantic import Field, model_validator

from include.names import SINGLE_EXPERIMENT, TABLE_KINDS, log_name
from include.problems.expectation_rules import columns_named, nearest
from include.problems.sections.base import BadField, ExperimentName, Name, ProblemName, Section, require_column
from include.problems.sections.columns import Column
from include.problems.sections.computed import Lookup, columns_in
from include.problems.sections.experiment import Experiment
from include.problems.sections.fitting_audience import require_fitting_audience
from include.problems.sections.fitting_experiment import require_different_experiments, require_fitting_experiment
from include.problems.sections.fitting_layers import require_fitting_layers
from include.problems.sections.fitting_metrics import require_fitting_metrics
from include.problems.sections.kinds import require_fitting_sections
from include.problems.sections.layers import Layer
from include.problems.sections.learning import Label, Rule, Training, Value
from include.problems.sections.metrics import Metric
from include.problems.sections.monitor import Monitor
from include.problems.sections.quality import Quality
from include.problems.sections.review import Review
from include.problems.sections.source import Source
from include.problems.sections.upkeep import Upkeep


class NamedSource(Source):
    """Another log of a problem: it lands, is audited and published by the same laws as the problem's own."""

    quality: Quality | None = None


class Problem(Section):
    """A written problem definition; only `source` and the people are required."""

    name: ProblemName
    active: bool = Field(default=False, strict=True, description="its DAGs begin without being unpaused by anybody")
    title: str
    why: str
    owner: str
    escalation: str
    source: Source
    sources: dict[Name, NamedSource] = Field(default_factory=dict, description="other logs of the problem, by name")
    lookups: dict[Name, Lookup] = Field(default_factory=dict, description="columns of other logs as of a row's event")
    quality: Quality | None = None
    label: Label | None = None
    value: Value | None = None
    baseline: Rule | None = None
    training: Training | None = None
    review: Review | None = None
    metrics: dict[Name, Metric] = Field(default_factory=dict, description="what experiments measure, by name")
    layers: dict[Name, Layer] = Field(default_factory=dict, description="traffic that experiments share, by name")
    experiment: Experiment | None = Field(default=None, description="the only one; it is named `experiment`")
    experiments: dict[ExperimentName, Experiment] = Field(
        default_factory=dict, description="as many as wanted on one log, by name; each is decided by itself"
    )
    monitor: Monitor | None = None
    upkeep: Upkeep = Upkeep()

    @model_validator(mode="after")
    def _sections_fit_each_other(self) -> Self:
        """Refuse sections that contradict each other, each by itself as it should be.

        Raises:
            BadField: one names or needs what another does not have.
        """
        _require_sections(self)
        require_fitting_sections(self.label, self.value, self.baseline, self.training, self.review, self.monitor)
        _require_separate_logs(self)
        _require_lookups(self)
        columns = self.columns
        for field, name in _columns_used(self):
            # An audit and an experiment see rows as they are stored.
            is_stored_only = field.startswith(("quality.", "experiment.", "experiments."))
            require_column(name, self.source.stored if is_stored_only else columns, field)
        for name in self.training.features.numeric if self.training else []:
            if columns[name].type not in {"integer", "number", "boolean"}:
                raise BadField("training.features.numeric", f"{name!r} is of type {columns[name].type}, not a number")
        _require_label_log(self)
        if self.training:
            _require_known_at_the_event(self, self.training)
        require_different_experiments(self.experiment is not None, self.experiments)
        require_fitting_layers(self.layers, self.experiment_fields)
        for field, experiment in self.experiment_fields.items():
            require_fitting_experiment(experiment, self.source, self.quality, field)
            require_fitting_audience(self.sources, experiment, self.source, field)
            require_fitting_metrics(self.metrics, experiment, self.source, self.quality, field)
        if self.metrics and not self.named_experiments:
            raise BadField("metrics", "are measured of what experiments send; write the section experiment")
        return self

    @property
    def named_experiments(self) -> dict[str, Experiment]:
        """Every experiment by its name; the only one of a section `experiment` is named so."""
        return self.experiments if self.experiment is None else {SINGLE_EXPERIMENT: self.experiment}

    @property
    def experiment_fields(self) -> dict[str, Experiment]:
        """Every experiment by where it stands in the file."""
        single = {} if self.experiment is None else {SINGLE_EXPERIMENT: self.experiment}
        return single | {f"experiments.{name}": one for name, one in self.experiments.items()}

    def alone_with(self, experiment: str) -> Self:
        """Give the problem as if it tried out one of its experiments alone.

        Raises:
            KeyError: it has none of that name.
        """
        return self.model_copy(update={"experiment": self.named_experiments[experiment], "experiments": {}})

    def log(self, name: str) -> "Log":
        """Give one of the other logs as a problem that is only ingested: its stages and tables are its own.

        Raises:
            KeyError: there is no such log.
        """
        source = self.sources[name]
        return Log.model_construct(
            name=log_name(self.name, name),
            title=f"{self.title}: {name}",
            why=self.why,
            owner=self.owner,
            escalation=self.escalation,
            source=source,
            quality=source.quality,
            upkeep=self.upkeep,
            gives_labels=self.label is not None and self.label.from_log == name,
            is_audience=bool(self.experiments_sent_to(name)),
        )

    def experiments_sent_to(self, log: str) -> list[str]:
        """Name the experiments whose audience lands in one of the other logs."""
        experiments = self.named_experiments
        return [name for name, one in experiments.items() if one.audience and one.audience.from_log == log]

    @property
    def label_keys(self) -> dict[str, str]:
        """A row's columns to those of its label log that name the same: `label.on`, or the key where it is empty."""
        if self.label is None or self.label.from_log is None:
            return {}
        return self.label.on or {name: name for name in self.source.key}

    @property
    def joined_logs(self) -> list[str]:
        """The other logs that rows are joined with when they are read."""
        named = [lookup.from_log for lookup in self.lookups.values()]
        return list(dict.fromkeys([*([self.label.from_log] if self.label and self.label.from_log else []), *named]))

    @property
    def columns(self) -> dict[str, Column]:
        """The columns of a row that is read: the stored ones, then lags, then what is looked up."""
        columns = dict(self.source.stored)
        for name, lag in self.source.lags.items():
            columns[name] = Column(type=lag.type, description=lag.description or lag.sql, unit=lag.unit)
        for lookup in self.lookups.values():
            held = self.sources[lookup.from_log].stored
            columns |= {name: held[theirs] for name, theirs in lookup.taken.items()}
        return columns

    @property
    def logs(self) -> "list[Log]":
        """The other logs, each as a problem that is only ingested."""
        return [self.log(name) for name in self.sources]


class Log(Problem):
    """Another log of a problem, as a problem that is only ingested; no file holds one.

    Attributes:
        gives_labels: whether the problem's labels come in it.
        is_audience: whether its rows are units that an experiment is sent to.
    """

    gives_labels: bool = False
    is_audience: bool = False


def _require_separate_logs(problem: Problem) -> None:
    """Refuse logs that would share a table or an object, and expectations about a column that their log lacks."""
    folders = {"source": problem.source.landing.rstrip("/")}
    for name, source in problem.sources.items():
        if name in TABLE_KINDS:
            raise BadField(f"sources.{name}", f"the lake calls another table of the problem {name!r}; rename the log")
        folder = source.landing.rstrip("/")
        for other, taken in folders.items():
            if f"{folder}/".startswith(f"{taken}/") or f"{taken}/".startswith(f"{folder}/"):
                rule = f"{folder!r} and {taken!r} of {other} share objects, which would be counted twice"
                raise BadField(f"sources.{name}.landing", f"{rule}; give each log a folder of its own")
        folders[f"sources.{name}"] = folder
        if source.lags:
            raise BadField(f"sources.{name}.lags", "lags look back on rows of source; another log has none")
        for field, column in _columns_used(problem.log(name)):
            require_column(column, source.stored, f"sources.{name}.{field}")


def _require_lookups(problem: Problem) -> None:
    """Refuse a lookup in a log that does not exist, by keys that cannot be equal, or of a name that is taken."""
    taken = problem.source.stored.keys() | problem.source.lags.keys()
    for name, lookup in problem.lookups.items():
        where = f"lookups.{name}"
        _require_log(problem, lookup.from_log, f"{where}.from")
        _require_equal_keys(problem, lookup.from_log, lookup.on, f"{where}.on")
        for new, theirs in lookup.taken.items():
            require_column(theirs, problem.sources[lookup.from_log].stored, f"{where}.columns")
            if new in taken:
                rule = f"is the name of another column; write columns: {{<new name>: {theirs}}}"
                raise BadField(f"{where}.columns", f"{new!r} {rule}")
        taken |= lookup.taken.keys()


def _require_log(problem: Problem, log: str, field: str) -> None:
    """Refuse a log that is not in sources."""
    if log not in problem.sources:
        known = ", ".join(problem.sources) or "none"
        raise BadField(field, f"{log!r} is not in sources (there are: {known}){nearest(log, problem.sources)}")


def _require_equal_keys(problem: Problem, log: str, keys: Mapping[str, str], field: str) -> None:
    """Refuse keys of which one side is missing, or that could never be equal."""
    ours, theirs = problem.source.stored, problem.sources[log].stored
    for own, other in keys.items():
        require_column(own, ours, field)
        if other not in theirs:
            rule = f"is not declared in sources.{log}.columns; write {field}: {{{own}: <column of {log}>}}"
            raise BadField(field, f"{other!r} {rule}{nearest(other, theirs)}")
        kinds = [(side.type, side.pii) for side in (ours[own], theirs[other])]
        if kinds[0] != kinds[1] or kinds[0][1] not in ("none", "identifier"):
            said = " and ".join(f"{kind} (pii: {pii})" for kind, pii in kinds)
            rule = "a key is found only where both have one type, and are both of class none or both identifiers"
            raise BadField(field, f"{own} and {log}.{other} are {said}; {rule}")


def _require_label_log(problem: Problem) -> None:
    """Refuse a label log that does not exist, or whose rows could never be found by their key."""
    log = problem.label.from_log if problem.label else None
    if log is None:
        return
    _require_log(problem, log, "label.from")
    if log in problem.source.stored:
        raise BadField("label.from", f"a column of source is named {log!r}, too; rename one of them")
    _require_equal_keys(problem, log, problem.label_keys, "label.on")


def _columns_used(problem: Problem) -> Iterable[tuple[str, object]]:
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
    for where, experiment in problem.experiment_fields.items():
        for field in ("unit", "cluster", "event", "variant", "propensity"):
            if getattr(experiment, field) is not None:
                yield f"{where}.{field}", getattr(experiment, field)


def _require_sections(problem: Problem) -> None:
    """Refuse a section whose foundation is missing.

    Raises:
        BadField: one is.
    """
    if problem.training and not (problem.label and problem.value):
        raise BadField("training", "needs the sections label and value; write them or remove training")
    if (
        problem.baseline
        and problem.baseline.mine == "keywords"
        and not (problem.review and problem.training and problem.training.features.text)
    ):
        raise BadField("baseline.mine", "keywords needs texts in training.features.text, and the section review")
    is_labelled_by_log = problem.label is not None and problem.label.source == "log"
    if problem.monitor and problem.monitor.is_retraining and not (problem.training and is_labelled_by_log):
        raise BadField(
            "monitor.action",
            "retrain needs the section training, and label.source: log; people's labels train with each round",
        )
    if problem.review and not (problem.training and problem.label and problem.label.source == "desk"):
        raise BadField("review", "needs the section training, and label.source: desk")
    if problem.label and problem.label.source == "desk" and problem.training and not problem.review:
        raise BadField("label.source", "desk needs the section review, or nobody ever gives a label")


def _require_known_at_the_event(problem: Problem, training: Training) -> None:
    """Refuse a feature that is only known later, or that the label is read from: a model would be told the answer.

    Raises:
        BadField: there is one.
    """
    label, columns = problem.label, problem.columns
    predicates = [label.known_when, label.positive_when, label.value] if label else []
    # Quoted text is a value, not a column; and what is read of another log is none of the row's.
    of_label_log = rf"\"?\b{label.from_log}\"?\.\"?\w+" if label and label.from_log else r"'[^']*'"
    texts = (re.sub(of_label_log, " ", re.sub(r"'[^']*'", " ", predicate or "")) for predicate in predicates)
    # The engine takes IS_FRAUD for is_fraud; names are written in small letters.
    asked = set(re.findall(r"\w+", " ".join(texts).lower())) & columns.keys()
    asked = problem.source.related_to(asked)
    for name, lag in problem.source.lags.items():
        told = sorted(columns_in(lag.sql, asked))
        is_short = lag.gap is None or (label is not None and label.delay is not None and lag.gap < label.delay)
        if told and is_short:
            rule = (
                "the label is read from it, and of the row just before nobody knew it; write gap: how long that takes, "
                "label.delay at least"
            )
            raise BadField(f"source.lags.{name}.sql", f"{told[0]!r}: {rule}")
    for kind in ("numeric", "categorical", "text"):
        for name in getattr(training.features, kind):
            if columns[name].known == "later":
                rule = "is known only later (source.columns), so no decision can be based on it; remove it"
                raise BadField(f"training.features.{kind}", f"{name!r} {rule}")
            if name in asked:
                rule = "is what the label is read from (label.positive_when, value or known_when); remove it"
                raise BadField(f"training.features.{kind}", f"{name!r} {rule}")
