"""Draws pictures as SVG text from a few numbers; pure, and needs no library in the browser.

What does not belong here: where the numbers come from (`include/warehouse/queries.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

SIDE = 320  # drawing area in SVG units; the page scales it
MARGIN = 44


@dataclass(frozen=True)
class ReliabilityPoint:
    """One reliability bin: all ratios 0..1."""

    mean_predicted_ratio: float
    observed_ratio: float
    low: float
    high: float
    n_rows: int


@dataclass(frozen=True)
class CurvePoint:
    """One point of a calibration curve: all ratios 0..1."""

    predicted_ratio: float
    recalibrated_ratio: float
    band_low: float
    band_high: float
    n_rows: int


def draw_curve(points: Sequence[CurvePoint], title: str, words: Mapping[str, str]) -> str:
    """Draw the calibration curve over the band in which the curve of a faultless model lies.

    Args:
        points: the lowest prediction first.
        title: read out by screen readers.
        words: `said` and `happened` of the axes, `point` of a point, with places for its numbers.

    Returns:
        an `<svg>` element; a dot's area grows with the rows between it and the dot before.
    """
    largest = max((point.n_rows for point in points), default=1)
    there = [(_x(point.predicted_ratio), _y(point.band_high)) for point in points]
    back = [(_x(point.predicted_ratio), _y(point.band_low)) for point in reversed(points)]
    line = [(_x(point.predicted_ratio), _y(point.recalibrated_ratio)) for point in points]
    span = SIDE + 2 * MARGIN
    return (
        f'<svg class="reliability" viewBox="0 0 {span} {span}" role="img" aria-label="{escape(title, quote=True)}">'
        f"{_draw_axes(words['said'], words['happened'])}"
        f'<polygon class="band" points="{_path([*there, *back])}"/>'
        f'<line class="diagonal" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>'
        f'<polyline class="curve" points="{_path(line)}"/>'
        f"{''.join(_draw_curve_point(point, largest, words['point']) for point in points)}</svg>"
    )


def _draw_curve_point(point: CurvePoint, largest: int, words: str) -> str:
    """Draw one point of a curve, with its numbers on hover."""
    radius = 2 + 4 * (point.n_rows / largest) ** 0.5
    said, happened, low, high = (
        f"{100 * ratio:.0f}"
        for ratio in (point.predicted_ratio, point.recalibrated_ratio, point.band_low, point.band_high)
    )
    told = escape(words.format(said=said, happened=happened, low=low, high=high))
    x, y = _x(point.predicted_ratio), _y(point.recalibrated_ratio)
    return f'<g><title>{told}</title><circle class="dot" cx="{x}" cy="{y}" r="{radius:.1f}"/></g>'


def _path(places: Sequence[tuple[float, float]]) -> str:
    """Write places as SVG reads them."""
    return " ".join(f"{x},{y}" for x, y in places)


def draw_reliability(points: Sequence[ReliabilityPoint], title: str) -> str:
    """Draw what a model said against what happened, with intervals; on the diagonal it is honest.

    Args:
        points: one for each bin that holds rows.
        title: read out by screen readers.

    Returns:
        an `<svg>` element; a dot's area grows with its rows.
    """
    largest = max((point.n_rows for point in points), default=1)
    marks = "".join(_draw_point(point, largest) for point in points)
    span = SIDE + 2 * MARGIN
    return (
        f'<svg class="reliability" viewBox="0 0 {span} {span}" role="img" aria-label="{escape(title, quote=True)}">'
        f"{_draw_axes('the model said, of 100', 'it happened, of 100')}"
        f'<line class="diagonal" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>{marks}</svg>'
    )


def _draw_point(point: ReliabilityPoint, largest: int) -> str:
    """Draw one bin: its interval as a bar, its share as a dot, its numbers on hover."""
    x = _x(point.mean_predicted_ratio)
    radius = 3 + 7 * (point.n_rows / largest) ** 0.5
    said, happened = 100 * point.mean_predicted_ratio, 100 * point.observed_ratio
    words = (
        f"Said {said:.0f} of 100, happened {happened:.0f} of 100 "
        f"({100 * point.low:.0f} to {100 * point.high:.0f}), {point.n_rows:,} rows"
    )
    return (
        f"<g><title>{words}</title>"
        f'<line class="interval" x1="{x}" x2="{x}" y1="{_y(point.low)}" y2="{_y(point.high)}"/>'
        f'<circle class="dot" cx="{x}" cy="{_y(point.observed_ratio)}" r="{radius:.1f}"/></g>'
    )


def _draw_axes(said: str, happened: str) -> str:
    """Draw the frame, a grid line at each fifth, and the words of both axes."""
    lines = []
    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        number = f"{100 * tick:.0f}"
        lines.append(f'<line class="grid" x1="{_x(0)}" x2="{_x(1)}" y1="{_y(tick)}" y2="{_y(tick)}"/>')
        lines.append(f'<text x="{_x(0) - 6}" y="{_y(tick) + 4}" text-anchor="end">{number}</text>')
        lines.append(f'<text x="{_x(tick)}" y="{_y(0) + 16}" text-anchor="middle">{number}</text>')
    middle = MARGIN + SIDE / 2
    lines.append(
        f'<text x="{middle}" y="{2 * MARGIN + SIDE - 8}" text-anchor="middle">{escape(said)}</text>'
        f'<text x="12" y="{middle}" text-anchor="middle" transform="rotate(-90 12 {middle})">{escape(happened)}</text>'
    )
    return "".join(lines)


def _x(ratio: float) -> float:
    """Place a ratio on the horizontal axis."""
    return round(MARGIN + SIDE * ratio, 1)


def _y(ratio: float) -> float:
    """Place a ratio on the vertical axis; SVG counts downwards."""
    return round(MARGIN + SIDE * (1 - ratio), 1)
