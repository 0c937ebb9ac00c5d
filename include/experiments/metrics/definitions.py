"""What a problem file says about metrics, in the words of this room.

What belongs here: turning sections into measures (what is added up of each unit) and metrics (what is compared).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from include.problems.sections.experiment import Experiment
from include.problems.sections.metrics import Metric as MetricSection

PRIMARY, SECONDARY, GUARDRAIL = "primary", "secondary", "guardrail"


@dataclass(frozen=True)
class Measure:
    """What is added up of each unit.

    Attributes:
        event: value of the event column.
        value: column that is summed; the events are counted without it.
        is_binary: whether several events count as one.
        start, end: after the exposure, or before it where they are negative: an event counts from start on and before
            end.
        cap: more of one unit counts as this much.
        quantile: the same, at this quantile of the pilot's units; at most one of both.
    """

    event: str
    value: str | None
    is_binary: bool
    start: timedelta
    end: timedelta
    cap: float | None = None
    quantile: float | None = None


@dataclass(frozen=True)
class Metric:
    """What is compared.

    Attributes:
        name: in the file.
        role: primary, secondary or guardrail.
        kind: binary, count, sum or ratio.
        numerator, denominator: what is added up; per unit without a denominator.
        is_lower_better: whether less is better.
        margin: how much worse it may be; of guardrails only.
        is_holding: whether a breach holds the send; of guardrails only.
    """

    name: str
    role: str
    kind: str
    numerator: Measure
    denominator: Measure | None = None
    is_lower_better: bool = False
    margin: float | None = None
    is_holding: bool = False

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What is added up for it."""
        return (self.numerator,) if self.denominator is None else (self.numerator, self.denominator)


def metrics_of(sections: Mapping[str, MetricSection], experiment: Experiment) -> list[Metric]:
    """Read the metrics that an experiment asks: the primary one, the secondary ones, the guardrails.

    Args:
        sections: `metrics` of the problem.
        experiment: one that fits them.

    Returns:
        one for each name and role; none where the file asks nothing but whether the reward came.
    """
    asked = [(experiment.primary, PRIMARY)] if experiment.primary is not None else []
    asked += [(name, SECONDARY) for name in experiment.secondary]
    metrics = [_metric_of(sections, name, role, experiment) for name, role in asked if name is not None]
    for guardrail in experiment.guardrails:
        margin = guardrail.margin if guardrail.margin is not None else sections[guardrail.metric].margin
        is_holding = guardrail.on_breach == "hold"
        metrics.append(_metric_of(sections, guardrail.metric, GUARDRAIL, experiment, margin, is_holding=is_holding))
    return metrics


def _metric_of(
    sections: Mapping[str, MetricSection],
    name: str,
    role: str,
    experiment: Experiment,
    margin: float | None = None,
    *,
    is_holding: bool = False,
) -> Metric:
    """Read one metric."""
    section = sections[name]
    parts = [sections[part] for part in (section.numerator, section.denominator) if part is not None] or [section]
    measures = [_measure_of(part, experiment) for part in parts]
    denominator = measures[1] if len(measures) > 1 else None
    is_lower = section.direction == "lower"
    return Metric(name, role, section.kind, measures[0], denominator, is_lower, margin, is_holding)


def _measure_of(section: MetricSection, experiment: Experiment) -> Measure:
    """Read what is added up for a metric that is no ratio."""
    window = section.window
    return Measure(
        event=str(section.event),
        value=section.value,
        is_binary=section.kind == "binary",
        start=window.start if window is not None and window.start is not None else timedelta(0),
        end=section.ends_after(experiment.attribution_window),
        cap=section.cap,
        quantile=section.winsorise,
    )


def covariate_of(sections: Mapping[str, MetricSection], experiment: Experiment) -> Measure | None:
    """Read what is added up of each unit before its exposure; None where the file asks nothing of it."""
    asked = experiment.covariate
    if asked is None:
        return None
    before = _measure_of(sections[asked.metric], experiment)
    return replace(before, start=-asked.before, end=timedelta(0))


def with_covariate(metric: Metric, covariate: Measure) -> Metric:
    """Give what is to be summed to adjust a metric: its own number of each unit, beside the covariate."""
    return replace(metric, denominator=covariate)
