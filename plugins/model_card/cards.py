"""Arranges what the views say about a version for its card: pure, rows in, rows out.

What does not belong here: reading (`include/warehouse/card_queries.py`), drawing (`pictures.py`), words (templates).
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from include.problems.schema import Problem

Row = dict[str, Any]

MAX_FEATURES = 20
MAX_SEGMENTS = 12
MINIMUM_ROWS = 20
REFIT = "refit"  # the topic of the note that says on what the model that serves was fitted at last


def plain(name: object) -> str:
    """Write a name of code as words: `scheduled_hour_local` is no word to most people."""
    return str(name).replace("_", " ")


def write_size(number: float | None) -> str:
    """Write the size of an importance; what is 0 to four places is 0, not 4.5e-19."""
    return "–" if number is None else f"{round(number, 4) + 0.0:.4f}"


def widest_dispute(agreement: Sequence[Row]) -> Row | None:
    """Find the two methods whose places agree least; None where no two can be compared."""
    compared = [row for row in agreement if row["rank_correlation"] is not None]
    return min(compared, key=lambda row: (row["rank_correlation"], row["method"], row["other_method"]), default=None)


def features_by_method(importance: Sequence[Row]) -> tuple[list[str], list[Row]]:
    """Lay importance out by feature, with one column for each method.

    Returns:
        (methods by name, rows of feature and cells (one for each method, None where it has no answer), the features
        that matter most on average over the methods first; at most 20).
    """
    methods = sorted({row["method"] for row in importance})
    by_feature: dict[str, dict[str, Row]] = {}
    for row in importance:
        by_feature.setdefault(row["feature"], {})[row["method"]] = row
    mean_rank = {name: sum(row["rank"] for row in cells.values()) / len(cells) for name, cells in by_feature.items()}
    order = sorted(by_feature, key=lambda name: (mean_rank[name], name))[:MAX_FEATURES]
    return methods, [{"feature": name, "cells": [by_feature[name].get(one) for one in methods]} for name in order]


def curves_by_feature(points: Sequence[Row]) -> tuple[list[tuple[str, list[Row]]], float]:
    """Group the points of all curves, the ones that move most first, and give the top of their common scale."""
    found = [(name, list(own)) for name, own in groupby(points, key=lambda row: row["feature"])]

    def span(curve: tuple[str, list[Row]]) -> float:
        values: list[float] = [point["p_positive"] for point in curve[1]]
        return max(values) - min(values)

    highest = max((point["high"] for point in points), default=1.0)
    return sorted(found, key=lambda curve: (-span(curve), curve[0])), max(highest, 0.01)


def plain_words(bins: Sequence[Row], positive: str, other: str) -> list[str]:
    """Say what the probabilities were worth on held-out rows: "of 100 like these, 92 are fine".

    Args:
        bins: reliability bins with their Wilson intervals.
        positive: the positive class.
        other: the other one.

    Returns:
        a sentence for the lowest and one for the highest bin that hold 20 rows; none where no bin does.
    """
    large = [row for row in bins if row["n_rows"] >= MINIMUM_ROWS]
    sentences = []
    for row in [large[0], large[-1]] if len(large) > 1 else large:
        said = f"{100 * row['bin_low']:.0f} to {100 * row['bin_high']:.0f} of 100"
        is_other = row["observed_ratio"] < 0.5
        name = other if is_other else positive
        share = 1 - row["observed_ratio"] if is_other else row["observed_ratio"]
        low, high = (1 - row["high"], 1 - row["low"]) if is_other else (row["low"], row["high"])
        sentences.append(
            f"Of 100 like those it gives {said}, {100 * share:.0f} are {name} "
            f"({100 * low:.0f} to {100 * high:.0f}; {row['n_rows']:,} held-out rows)."
        )
    return sentences


def form_fields(ranges: Sequence[Row], problem: Problem) -> list[Row]:
    """Give what a what-if form needs of every feature, in the problem file's order: range, unit, step of its slider."""
    columns = problem.columns
    fields = []
    order = {name: place for place, name in enumerate(columns)}
    for row in sorted(ranges, key=lambda row: order.get(row["feature"], len(order))):
        column = columns.get(row["feature"])
        ends = (row["low"], row["high"])
        is_whole = column is not None and column.type == "integer"
        step = 1 if is_whole else "any"
        unit = column.unit if column else ""
        fields.append(row | {"unit": unit, "step": step, "has_slider": None not in ends and ends[0] < ends[1]})
    return fields


def limits_of(card: dict[str, list[Row]], version: Row) -> list[str]:
    """List what the version must not be trusted with, as far as its own tables say."""
    weak = [row for row in card["segments"] if row["is_weak"]]
    limits = [f"It was measured on {version['n_evaluate']:,} rows; a difference inside the intervals is no difference."]
    if weak:
        limits.append(f"It is weak in {len(weak)} of {len(card['segments'])} segments that were looked at.")
    too_small = sorted({row["group_value"] for row in card["groups"] if row["value"] is None})
    if too_small:
        limits.append(f"Nothing can be said about groups with so few rows: {', '.join(too_small)}.")
    failed = [row["check_name"] for row in card["checks"] if not row["is_pass"]]
    if failed:
        limits.append(f"It failed at the gate: {', '.join(failed)}.")
    return limits + [row["note"] for row in card["notes"] if row.get("topic") != REFIT]


def how_it_was_fitted(card: dict[str, list[Row]]) -> str | None:
    """Say how the model that serves differs from the one that was measured; None where it is the same one."""
    return next((row["note"] for row in card["notes"] if row.get("topic") == REFIT), None)
