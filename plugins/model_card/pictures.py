"""Draws what a model card shows beside the reliability picture: curves, and bars that reach to both sides.

What does not belong here: where the numbers come from (`include/warehouse/card_queries.py`).
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT, LEFT, BOTTOM = 260, 120, 34, 30


def draw_curve(name: str, points: Sequence[Mapping[str, Any]], highest: float) -> str:
    """Draw how the mean probability moves with one feature: a line with its interval for numbers, dots for categories.

    Args:
        name: of the feature, read out by screen readers.
        points: with value, p_positive, low and high, in the order of the curve.
        highest: top of the scale, above 0, the same for every curve of a card so that they can be compared.

    Returns:
        an `<svg>` element.
    """
    step = (WIDTH - LEFT - 8) / max(len(points) - 1, 1)
    xs = [round(LEFT + place * step, 1) for place in range(len(points))]
    marks = "".join(_draw_point(x, point, highest) for x, point in zip(xs, points, strict=True))
    is_line = all(_is_number(point["value"]) for point in points)
    places = " ".join(f"{x},{_y(point['p_positive'], highest)}" for x, point in zip(xs, points, strict=True))
    line = f'<polyline class="curve-line" points="{places}"/>' if is_line else ""
    top = f"{100 * highest:.0f}"
    ends = [(xs[0], points[0]["value"], "start"), (xs[-1], points[-1]["value"], "end")] if points else []
    labels = "".join(
        f'<text x="{x}" y="{HEIGHT + 18}" text-anchor="{anchor}">{escape(str(value))}</text>'
        for x, value, anchor in ends[: max(1, min(2, len(points)))]
    )
    size = f"0 0 {WIDTH} {HEIGHT + BOTTOM}"
    return (
        f'<svg class="curve" viewBox="{size}" role="img" aria-label="{escape(name, quote=True)}">'
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{_y(0, highest)}" y2="{_y(0, highest)}"/>'
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH}" y1="{_y(highest, highest)}" y2="{_y(highest, highest)}"/>'
        f'<text x="{LEFT - 5}" y="{_y(0, highest) + 4}" text-anchor="end">0</text>'
        f'<text x="{LEFT - 5}" y="{_y(highest, highest) + 4}" text-anchor="end">{top}</text>'
        f"{line}{marks}{labels}</svg>"
    )


def _draw_point(x: float, point: Mapping[str, Any], highest: float) -> str:
    """Draw one step with its interval; its numbers show on hover."""
    words = (
        f"{point['value']}: {100 * point['p_positive']:.1f} of 100 "
        f"({100 * point['low']:.1f} to {100 * point['high']:.1f})"
    )
    return (
        f"<g><title>{escape(words)}</title>"
        f'<line class="interval" x1="{x}" x2="{x}" y1="{_y(point["low"], highest)}" y2="{_y(point["high"], highest)}"/>'
        f'<circle class="dot" cx="{x}" cy="{_y(point["p_positive"], highest)}" r="3"/></g>'
    )


def _y(ratio: float, highest: float) -> float:
    """Place a probability; SVG counts downwards."""
    return round(8 + (HEIGHT - 8) * (1 - min(ratio / highest, 1.0)), 1)


def _is_number(text: str) -> bool:
    """Tell the step of a number from a category."""
    try:
        float(text)
    except ValueError:
        return False
    return True
