"""Pictures of experiments put every number where a person would look for it, and their text stays text."""

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from experiment_card import pictures
from experiment_card.densities import Known

HOSTILE = '"><script>'


def tags(svg: str, tag: str) -> list[dict[str, str]]:
    return [element.attrib for element in ET.fromstring(svg).iter(tag)]  # noqa: S314 - our own text


def window(key: str, phase: str, **shares: float) -> dict[str, Any]:
    return {"partition_key": key, "phase": phase, "shares": shares}


def lift(key: str, at: float, low: float, high: float) -> dict[str, Any]:
    return {"partition_key": key, "lift_ratio": at, "low_any_look": low, "high_any_look": high}


def test_a_better_variant_lies_further_right_and_what_is_surer_is_higher() -> None:
    known = {"a": Known(0.1, 0.05, 0.18, 100, 10), "b": Known(0.2, 0.18, 0.22, 2_000, 400)}
    svg = pictures.draw_densities(known, "t", 100.0)
    first, second = tags(svg, "circle")
    assert float(first["cx"]) < float(second["cx"])
    heights = []
    for number, polygon in enumerate(tags(svg, "polygon")):
        ys = [float(point.split(",")[1]) for point in polygon["points"].split()]
        heights.append(pictures.ROW * (number + 1) - 8 - min(ys))
    assert heights[0] < heights[1] == pictures.ROW - 26
    assert pictures.draw_densities({}, "t", 100.0) == ""


def test_shares_fill_their_column_and_a_hold_is_empty() -> None:
    windows = [window("01", "pilot", a=0.5, b=0.5), window("02", "hold"), window("03", "rest", b=1.0)]
    svg = pictures.draw_shares(windows, ["a", "b"], "t")
    boxes = tags(svg, "rect")
    assert [box["class"] for box in boxes] == ["share arm-0", "share arm-1", "nothing", "share arm-1"]
    assert [float(box["height"]) for box in boxes] == [75.0, 75.0, 150.0, 150.0]
    assert float(boxes[0]["y"]) > float(boxes[1]["y"]) == 0.0
    assert re.findall("<title>(.*?)</title>", svg)[:3] == ["01, pilot: a 50 / 100", "01, pilot: b 50 / 100", "02: hold"]


def test_shares_that_no_window_of_ours_has_stay_inside_the_picture() -> None:
    svg = pictures.draw_shares([window("01", "rest", a=1e9, b=-1.5, c=0.7)], ["a"], "t")
    assert all(0 <= float(box["height"]) <= 150 and float(box["y"]) >= 0 for box in tags(svg, "rect"))


def test_a_variant_keeps_its_colour_and_an_unknown_one_has_the_last() -> None:
    names = [str(number) for number in range(8)]
    assert [pictures.place_of(name, names) for name in ("0", "5", "6", "unknown")] == [0, 5, 0, 5]


def test_a_lift_is_above_zero_where_it_is_better_and_lies_in_its_band() -> None:
    svg = pictures.draw_lift([lift("01", -0.1, -0.3, 0.1), lift("02", 0.2, 0.1, 0.3)], (-0.3, 0.3), "t")
    (zero,) = [line for line in tags(svg, "line") if line["class"] == "zero"]
    (line,) = tags(svg, "polyline")
    first, second = (float(point.split(",")[1]) for point in line["points"].split())
    assert second < float(zero["y1"]) < first
    band = [float(point.split(",")[1]) for point in tags(svg, "polygon")[0]["points"].split()]
    assert [band[0] < first < band[3], band[1] < second < band[2]] == [True, True]
    assert re.findall(r'text-anchor="end">(.*?)<', svg)[:3] == ["-30", "0.00", "30"]


@pytest.mark.parametrize("edges", [(0.0, 0.0), (0.1, 0.3), (-0.3, -0.1)])
def test_zero_is_always_in_the_picture_of_a_lift(edges: tuple[float, float]) -> None:
    svg = pictures.draw_lift([lift("01", edges[0], *edges)], edges, "t")
    assert len([line for line in tags(svg, "line") if line["class"] == "zero"]) == 1
    assert len(re.findall(">01<", svg)) == 1


def test_markup_in_a_name_stays_text() -> None:
    drawn = [
        pictures.draw_densities({HOSTILE: Known(0.1, 0.05, 0.2, 100, 10)}, HOSTILE, 1.0),
        pictures.draw_shares([window(HOSTILE, HOSTILE, **{HOSTILE: 1.0}), window(HOSTILE, HOSTILE)], [], HOSTILE),
        pictures.draw_lift([lift(HOSTILE, 0.1, 0.0, 0.2)], (0.0, 0.2), HOSTILE),
    ]
    for svg in drawn:
        assert "<script" not in svg
        assert tags(svg, "svg")[0]["aria-label"] == HOSTILE
