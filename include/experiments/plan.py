"""The plan that a decision was made with: what the file said of the experiment, and a name for exactly that.

What belongs here: sections in, documents and names out, and back. What does not: keeping them (`store.py`).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import Self

from pydantic import TypeAdapter, ValidationError

from include.problems.schema import Problem
from include.problems.sections.experiment import Experiment
from include.problems.sections.layers import Layer
from include.problems.sections.metrics import Metric

_METRICS, _LAYERS = TypeAdapter(dict[str, Metric]), TypeAdapter(dict[str, Layer])
_BESIDE = ("metrics", "layers")  # of a document, what is no field of the section
_OF_THE_DAY = ("pauses", "audience")  # of the section, what is no plan: when it rests, and where its units come from


@dataclass(frozen=True)
class Plan:
    """What a file says of an experiment.

    Attributes:
        document: the section, with every value that it leaves to the default, under `metrics` those that it asks, and
            under `layers` its own.
        sha256: of the document, 64 hexadecimal digits; another value of any field is another name, except of those
            that say only who is asked about a tie and how long there is time to answer.
    """

    document: Mapping[str, object]
    sha256: str

    @classmethod
    def of(
        cls,
        experiment: Experiment,
        metrics: Mapping[str, Metric] = MappingProxyType({}),
        layers: Mapping[str, Layer] = MappingProxyType({}),
    ) -> Self:
        """Write a section, and what it asks of the problem's metrics and layers, as a plan.

        In what order keys stand makes no difference, nor do metrics and layers that the experiment does not ask.
        """
        document = experiment.model_dump(mode="json", exclude=set(_OF_THE_DAY))
        asked = {name: metrics[name].model_dump(mode="json") for name in _names_asked(experiment, metrics)}
        document |= {"metrics": asked} if asked else {}
        if experiment.layer is not None:
            document["layers"] = {experiment.layer: layers[experiment.layer].model_dump(mode="json")}
        text = json.dumps(_what_decides(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return cls(document, sha256(text.encode()).hexdigest())


def _what_decides(document: Mapping[str, object]) -> dict[str, object]:
    """Leave out of a document who is asked and for how long: a decision is the same, whoever was to take it."""
    kept = {name: value for name, value in document.items() if name != "approver"}
    decide = kept.get("decide")
    if isinstance(decide, Mapping):
        kept["decide"] = {name: value for name, value in decide.items() if name != "approval_timeout"}
    return kept


def _names_asked(experiment: Experiment, metrics: Mapping[str, Metric]) -> list[str]:
    """Name the metrics that an experiment asks, and those that they are ratios of."""
    named = [*([experiment.primary] if experiment.primary else []), *experiment.secondary]
    named += [guardrail.metric for guardrail in experiment.guardrails]
    named += [experiment.covariate.metric] if experiment.covariate is not None else []
    parts = [part for name in named for part in (metrics[name].numerator, metrics[name].denominator) if part]
    return sorted({*named, *parts})


def find_plan(
    known: Iterable[Plan],
    experiment: Experiment,
    metrics: Mapping[str, Metric] = MappingProxyType({}),
    layers: Mapping[str, Layer] = MappingProxyType({}),
) -> Plan:
    """Find the plan that says what a section says, also when a version wrote it that knew fewer fields.

    A field that came later has, in the older plan, the value that it has where a file leaves it out.

    Args:
        known: plans that were written down.
        experiment, metrics, layers: of the file.

    Returns:
        one of them; where none says the same, a new one.
    """
    new = Plan.of(experiment, metrics, layers)
    return next((plan for plan in known if _read_again(plan) == new.sha256), new)


def _read_again(plan: Plan) -> str | None:
    """Name a plan as this version does; None where it cannot read it."""
    try:
        document = plan.document
        return Plan.of(read_section(document), _read_metrics(document), _read_layers(document)).sha256
    except ValidationError:
        return None


def with_plan(problem: Problem, document: Mapping[str, object]) -> Problem:
    """Give a problem as it was when its experiment had an earlier plan, paused and sent as the file says now.

    Raises:
        ValidationError: the plan is none that this version reads.
    """
    metrics = {**problem.metrics, **_read_metrics(document)}
    layers = {**problem.layers, **_read_layers(document)}
    section = read_section(document)
    if problem.experiment is not None:
        section = section.model_copy(update={name: getattr(problem.experiment, name) for name in _OF_THE_DAY})
    return problem.model_copy(update={"experiment": section, "metrics": metrics, "layers": layers})


def read_section(document: Mapping[str, object]) -> Experiment:
    """Read the section that a plan was made of.

    Without waves, older versions took settings of waves and obeyed none of them: they say nothing.

    Raises:
        ValidationError: the plan is none that this version reads.
    """
    allocation = document.get("allocation")
    if isinstance(allocation, Mapping) and allocation.get("mode") == "pilot":
        document = {**document, "allocation": {"mode": "pilot"}}
    return Experiment.model_validate({name: value for name, value in document.items() if name not in _BESIDE})


def _read_metrics(document: Mapping[str, object]) -> dict[str, Metric]:
    """Read the metrics that a plan asks.

    Raises:
        ValidationError: as `read_section`.
    """
    return _METRICS.validate_python(document.get("metrics", {}))


def _read_layers(document: Mapping[str, object]) -> dict[str, Layer]:
    """Read the layer that a plan takes part in.

    Raises:
        ValidationError: as `read_section`.
    """
    return _LAYERS.validate_python(document.get("layers", {}))
