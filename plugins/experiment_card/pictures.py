"""Draws an experiment as SVG text: what is known of each variant, what was sent when, and lifts with their bands.

What does not belong here: where the numbers come from (`include/warehouse/experiment_queries.py`), and words: a picture
is named by whoever asks for it, and its numbers stand in a table beside it.
"""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from experiment_card.densities import Known, lay_out
from experiment_card.numbers import write_sized

WIDTH, LEFT, RIGHT = 640, 8, 8
ROW = 62  # height of one variant's curve, its name above it
SHARES_HEIGHT = 150
LIFT_WIDTH, LIFT_HEIGHT, LIFT_LEFT = 320, 130, 46
N_COLOURS = 6
Points = Sequence[tuple[float, float]]


def draw_densities(known: Mapping[str, Known], title: str, scale: float) -> str:
    """Draw where the true value of each variant may lie: one curve below the other, on one axis.

    Args:
        known: by variant, each with a spread above 0.
        title: read out by screen readers.
        scale: what numbers of the axis are multiplied with: 100 for rates, so that they are of 100.

    Returns:
        an `<svg>` element; areas are equal, as far as the picture holds them. Empty where nothing is known.
    """
    places = lay_out(list(known.values()))
    if not places:
        return ""
    heights = {name: [one.height(x) for x in places] for name, one in known.items()}
    highest = max(max(own) for own in heights.values())
    place = _axis(places[0], places[-1], LEFT, WIDTH - RIGHT)
    bottom = ROW * len(known)
    parts = [
        f'<line class="grid" x1="{place(tick)}" x2="{place(tick)}" y1="0" y2="{bottom}"/>'
        f'<text x="{place(tick)}" y="{bottom + 16}" text-anchor="{anchor}">{write_sized(scale * tick)}</text>'
        for tick, anchor in _ticks(places[0], places[-1])
    ]
    for number, (name, one) in enumerate(known.items()):
        parts.append(_draw_density(name, one, list(zip(places, heights[name], strict=True)), highest, number, place))
    return _svg("wide", WIDTH, bottom + 24, title, "".join(parts))


def _draw_density(
    name: str, one: Known, points: Points, highest: float, number: int, place: Callable[[float], float]
) -> str:
    """Draw one variant's curve with its interval; what is there of it is said by the table."""
    base, room = ROW * (number + 1) - 8, ROW - 26
    curve = " ".join(f"{place(x)},{round(base - room * height / highest, 1)}" for x, height in points)
    ends = f"{place(points[0][0])},{base} {curve} {place(points[-1][0])},{base}"
    return (
        f'<g><text class="name" x="{LEFT}" y="{ROW * number + 14}">{escape(name)}</text>'
        f'<polygon class="density" points="{ends}"/><polyline class="line" points="{curve}"/>'
        f'<line class="interval" x1="{place(one.low)}" x2="{place(one.high)}" y1="{base}" y2="{base}"/>'
        f'<circle class="dot" cx="{place(one.mean)}" cy="{base}" r="4"/></g>'
    )


def draw_shares(windows: Sequence[Mapping[str, Any]], variants: Sequence[str], title: str) -> str:
    """Draw who was sent what, window by window: columns of shares; an empty one where nobody was sent anything.

    Args:
        windows: with partition_key, phase and shares (by variant, 0..1), oldest first; at least one.
        variants: in the order of their colours.
        title: read out by screen readers.
    """
    width = (WIDTH - LEFT - RIGHT) / len(windows)
    columns = "".join(
        _draw_column(LEFT + number * width, width, window, variants) for number, window in enumerate(windows)
    )
    ends = [(LEFT, windows[0], "start"), (WIDTH - RIGHT, windows[-1], "end")][: min(2, len(windows))]
    labels = "".join(
        f'<text x="{x}" y="{SHARES_HEIGHT + 16}" text-anchor="{anchor}">{escape(str(window["partition_key"]))}</text>'
        for x, window, anchor in ends
    )
    return _svg("wide", WIDTH, SHARES_HEIGHT + 24, title, columns + labels)


def _draw_column(left: float, width: float, window: Mapping[str, Any], variants: Sequence[str]) -> str:
    """Draw one window's shares, the first variant at the bottom."""
    gap = min(1.0, width / 8)
    x, wide = round(left, 2), round(width - gap, 2)
    key, phase = str(window["partition_key"]), str(window["phase"])
    if not window["shares"]:
        words = escape(f"{key}: {phase}")
        box = f'<rect class="nothing" x="{x}" y="0" width="{wide}" height="{SHARES_HEIGHT}"/>'
        return f"<g><title>{words}</title>{box}</g>"
    parts, base = [], float(SHARES_HEIGHT)
    for variant in sorted(window["shares"], key=lambda name: place_of(name, variants)):
        share = min(max(window["shares"][variant], 0.0), 1.0)
        height = min(share * SHARES_HEIGHT, base)
        base -= height
        words = escape(f"{key}, {phase}: {variant} {write_sized(100 * share)} / 100")
        parts.append(
            f'<g><title>{words}</title><rect class="share arm-{place_of(variant, variants)}" '
            f'x="{x}" y="{round(base, 2)}" width="{wide}" height="{round(height, 2)}"/></g>'
        )
    return "".join(parts)


def place_of(variant: str, variants: Sequence[str]) -> int:
    """Give a variant's colour by its place in the file; one that the file does not know has the last."""
    return list(variants).index(variant) % N_COLOURS if variant in variants else N_COLOURS - 1


def draw_lift(rows: Sequence[Mapping[str, Any]], edges: tuple[float, float], title: str) -> str:
    """Draw how the lift of one variant came out window by window, with the band that holds at every look.

    Args:
        rows: with partition_key, lift_ratio, low_any_look and high_any_look, none missing, oldest first; at least one.
        edges: the lowest and the highest number of all variants, which share a scale.
        title: read out by screen readers.
    """
    low, high = min(edges[0], 0.0), max(edges[1], 0.0)
    up = _axis(low, high if high > low else low + 1.0, LIFT_HEIGHT - 6, 8)
    step = (LIFT_WIDTH - LIFT_LEFT - RIGHT) / max(len(rows) - 1, 1)
    xs = [round(LIFT_LEFT + number * step, 1) for number in range(len(rows))]
    upper = [f"{x},{up(row['high_any_look'])}" for x, row in zip(xs, rows, strict=True)]
    lower = [f"{x},{up(row['low_any_look'])}" for x, row in zip(xs, rows, strict=True)]
    line = " ".join(f"{x},{up(row['lift_ratio'])}" for x, row in zip(xs, rows, strict=True))
    scale = "".join(
        f'<line class="{"grid" if edge else "zero"}" x1="{LIFT_LEFT}" x2="{LIFT_WIDTH}" y1="{up(edge)}" '
        f'y2="{up(edge)}"/>'
        f'<text x="{LIFT_LEFT - 5}" y="{up(edge) + 4}" text-anchor="end">{write_sized(100 * edge)}</text>'
        for edge in sorted({low, 0.0, high})
    )
    ends = [(xs[0], rows[0], "start"), (xs[-1], rows[-1], "end")][: min(2, len(rows))]
    labels = "".join(
        f'<text x="{x}" y="{LIFT_HEIGHT + 16}" text-anchor="{anchor}">{escape(str(row["partition_key"]))}</text>'
        for x, row, anchor in ends
    )
    last = (
        f'<line class="interval" x1="{xs[-1]}" x2="{xs[-1]}" y1="{up(rows[-1]["low_any_look"])}" '
        f'y2="{up(rows[-1]["high_any_look"])}"/>'
        f'<circle class="dot" cx="{xs[-1]}" cy="{up(rows[-1]["lift_ratio"])}" r="3"/>'
    )
    band = f'<polygon class="band" points="{" ".join([*upper, *reversed(lower)])}"/>'
    drawn = f'{scale}{band}<polyline class="line" points="{line}"/>{last}{labels}'
    return _svg("wide", LIFT_WIDTH, LIFT_HEIGHT + 24, title, drawn)


def _axis(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """Give what places a number between two ends of a picture; what lies outside is placed at the end."""

    def place(number: float) -> float:
        share = min(max((number - low) / (high - low), 0.0), 1.0)
        return round(start + (end - start) * share, 1)

    return place


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Choose five numbers of an axis, with where their text is tied to."""
    anchors = ("start", "middle", "middle", "middle", "end")
    return [(low + (high - low) * place / 4, anchor) for place, anchor in enumerate(anchors)]


def _svg(kind: str, width: float, height: float, title: str, parts: str) -> str:
    """Put parts together to a picture that has a name."""
    name = escape(title, quote=True)
    return f'<svg class="{kind}" viewBox="0 0 {width} {height}" role="img" aria-label="{name}">{parts}</svg>'
