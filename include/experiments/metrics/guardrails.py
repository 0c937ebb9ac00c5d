"""What must not get worse, whatever else is won: whether what would be sent is shown to keep each guardrail.

What belongs here: comparisons in, checks out. What does not: what follows from a check (`decision.py`).
"""

from collections.abc import Mapping

from include.experiments.checks import Check
from include.experiments.metrics.comparison import MetricVariant
from include.experiments.metrics.definitions import Metric

PREFIX = "guardrail_"


def check_guardrail(metric: Metric, compared: Mapping[str, MetricVariant], sent: str | None, control: str) -> Check:
    """Ask whether what would be sent is shown to be less than the margin worse than the control: non-inferiority.

    The band is that of the page, so that a variant that is worse by the margin or more passes in at most half of
    1 - level of experiments. Not shown is not kept: few units do not let a variant through.

    Args:
        metric: a guardrail.
        compared: every variant in it.
        sent: what loses least; None while that is not known.
        control: which keeps every guardrail by itself.

    Returns:
        its value is how much worse the variant may be, at the worse end of the band, in the metric's unit.

    Source: one-sided non-inferiority by the end of an interval; Schuirmann 1987, section 2.
    """
    name, margin = PREFIX + metric.name, float(metric.margin or 0.0)
    if sent is None or sent == control:
        kept = "Nothing is known of it yet" if sent is None else f"The control {control!r} is what would be sent"
        return Check(name, True, None, margin, f"{kept}: {metric.name} cannot get worse.")
    variant = compared[sent].comparison
    end = variant.high if metric.is_lower_better else variant.low
    if end is None or variant.lift_ratio is None:
        detail = f"{metric.name} of {sent!r} cannot be compared with the control's: nobody's number is known or varied."
        return _verdict(metric, name, None, margin, detail)
    sign = 1.0 if metric.is_lower_better else -1.0
    worst, seen = sign * end + 0.0, sign * variant.lift_ratio + 0.0
    kept = "is" if worst < margin else "is not shown to be"
    direction = "higher" if metric.is_lower_better else "lower"
    detail = (
        f"{metric.name} of {sent!r} {kept} less than {margin:g} {direction} than that of the control {control!r}: it "
        f"is {abs(seen):.4g} {direction if seen > 0 else _other(direction)}, and may be {abs(worst):.4g} "
        f"{direction if worst > 0 else _other(direction)}."
    )
    return _verdict(metric, name, worst, margin, detail)


def _verdict(metric: Metric, name: str, worst: float | None, margin: float, detail: str) -> Check:
    """Say whether a guardrail is kept; a breach that holds nothing is looked at."""
    is_kept = worst is not None and worst < margin
    advice = "send another variant, or let the pilot run longer; a wider margin is a decision of its owner."
    return Check(name, is_kept or not metric.is_holding, worst, margin, detail, "" if is_kept else advice)


def _other(direction: str) -> str:
    """Name the other way."""
    return "lower" if direction == "higher" else "higher"
