"""Whether an experiment's metrics are there, and fit it and the log that it is tried out on.

What does not belong here: rules of one metric by itself (`metrics.py`).
"""

from collections.abc import Mapping

from include.problems.expectation_rules import nearest
from include.problems.sections.base import BadField, require_different
from include.problems.sections.experiment import Experiment
from include.problems.sections.fitting_experiment import allowed_values
from include.problems.sections.metrics import Metric
from include.problems.sections.quality import Quality
from include.problems.sections.source import Source


def require_fitting_metrics(
    metrics: Mapping[str, Metric], experiment: Experiment, source: Source, quality: Quality | None, field: str
) -> None:
    """Refuse metrics that an experiment names in vain, or that could tell it nothing in time.

    Args:
        metrics: of the problem, by name.
        field: where the experiment stands in the file.

    Raises:
        BadField: a name is unknown or stands twice, an event is none that the audit allows, a column is no number, a
            guardrail has no margin, or is known only after the decision.
    """
    for name, metric in metrics.items():
        _require_parts(metrics, name, metric)
        _require_in_log(metric, f"metrics.{name}", experiment, source, quality)
    asked = [("primary", experiment.primary), *(("secondary", name) for name in experiment.secondary)]
    asked += [("covariate.metric", experiment.covariate.metric)] if experiment.covariate is not None else []
    asked += [(f"guardrails.{place}.metric", one.metric) for place, one in enumerate(experiment.guardrails)]
    for key, asked_name in asked:
        if asked_name is not None and asked_name not in metrics:
            raise BadField(f"{field}.{key}", f"{asked_name!r} is none of metrics{nearest(asked_name, metrics)}")
    compared = [name for key, name in asked if name is not None and key in ("primary", "secondary")]
    require_different(compared, f"{field}.secondary")
    require_different([one.metric for one in experiment.guardrails], f"{field}.guardrails")
    _require_covariate(metrics, experiment, field)
    if experiment.primary is not None:
        _require_in_time(metrics, experiment, experiment.primary, f"{field}.primary")
        if experiment.allocation.mode != "pilot":
            rule = f"is {experiment.primary!r}, and allocation.mode: {experiment.allocation.mode} shares units out by"
            raise BadField(f"{field}.primary", f"{rule} the reward alone; write mode: pilot, or leave primary out")
    for place, guardrail in enumerate(experiment.guardrails):
        _require_in_time(metrics, experiment, guardrail.metric, f"{field}.guardrails.{place}.metric")
        if guardrail.margin is None and metrics[guardrail.metric].margin is None:
            rule = f"is missing, also in metrics.{guardrail.metric}: how much worse may it be, in its unit?"
            raise BadField(f"{field}.guardrails.{place}.margin", rule)


def _require_covariate(metrics: Mapping[str, Metric], experiment: Experiment, field: str) -> None:
    """Refuse a covariate that adjusts nothing, or that is none of each unit.

    Raises:
        BadField: it is one.
    """
    if experiment.covariate is None:
        return
    name = experiment.covariate.metric
    compared = [experiment.primary, *experiment.secondary, *(one.metric for one in experiment.guardrails)]
    if metrics[name].kind == "ratio":
        rule = "is a ratio, which single units do not have; name its numerator or its denominator"
        raise BadField(f"{field}.covariate.metric", f"{name!r} {rule}")
    if experiment.cluster is not None:
        rule = "stands beside cluster: what was drawn together is not adjusted; remove one of them"
        raise BadField(f"{field}.covariate", rule)
    if all(one is None or metrics[one].kind == "ratio" for one in compared):
        rule = "adjusts nothing: no metric that is no ratio is primary, secondary or a guardrail"
        raise BadField(f"{field}.covariate", rule)


def _require_parts(metrics: Mapping[str, Metric], name: str, metric: Metric) -> None:
    """Refuse a ratio of what is no metric, or of ratios.

    Raises:
        BadField: it is one.
    """
    for key in ("numerator", "denominator"):
        part = getattr(metric, key)
        if part is not None and (part not in metrics or metrics[part].kind == "ratio"):
            known = {other: one for other, one in metrics.items() if one.kind != "ratio"}
            rule = f"{part!r} is none of metrics of kind binary, count or sum{nearest(part, known)}"
            raise BadField(f"metrics.{name}.{key}", rule)


def _require_in_log(
    metric: Metric, field: str, experiment: Experiment, source: Source, quality: Quality | None
) -> None:
    """Refuse an event that the audit keeps out, and a column that holds no numbers.

    Raises:
        BadField: the metric has one.
    """
    if metric.event is not None:
        for allowed in allowed_values(quality, experiment.event):
            if metric.event not in allowed:
                rule = f"is no value that quality allows in {experiment.event} ({', '.join(sorted(allowed))})"
                raise BadField(f"{field}.event", f"{metric.event!r} {rule}{nearest(metric.event, allowed)}")
    if metric.value is not None:
        column = source.stored.get(metric.value)
        if column is None:
            rule = f"is not declared in source.columns{nearest(metric.value, source.stored)}"
            raise BadField(f"{field}.value", f"{metric.value!r} {rule}")
        if column.type not in ("integer", "number") or column.pii != "none":
            rule = f"is of type {column.type} (pii: {column.pii}); a sum needs an integer or a number, unmasked"
            raise BadField(f"{field}.value", f"{metric.value!r} {rule}")


def _require_in_time(metrics: Mapping[str, Metric], experiment: Experiment, name: str, field: str) -> None:
    """Refuse a metric that a decision waits for, but that is known only after it.

    Raises:
        BadField: it is one.
    """
    metric, waits = metrics[name], experiment.attribution_window
    parts = [metrics[part] for part in (metric.numerator, metric.denominator) if part is not None] or [metric]
    end = max(part.ends_after(waits) for part in parts)
    if end > waits:
        days = [period.total_seconds() / 86_400 for period in (end, waits)]
        rule = f"is known {days[0]:g} days after an exposure, and attribution_window waits {days[1]:g}; lengthen it"
        raise BadField(field, f"{name!r} {rule}, or ask the metric as secondary")
