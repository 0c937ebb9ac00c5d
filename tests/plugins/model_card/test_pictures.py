"""A curve puts every mean where a person would look for it, and its text stays text."""

import re
import xml.etree.ElementTree as ET
from typing import Any

from model_card.pictures import HEIGHT, draw_curve


def point(value: str, p: float) -> dict[str, Any]:
    return {"value": value, "p_positive": p, "low": p / 2, "high": min(1.0, p * 1.5)}


def tags(svg: str, tag: str) -> list[dict[str, str]]:
    return [element.attrib for element in ET.fromstring(svg).iter(tag)]  # noqa: S314 - our own text


def test_up_is_more_and_the_scale_ends_at_the_highest_of_the_card() -> None:
    low, high = tags(draw_curve("rain", [point("0", 0.0), point("4", 0.5)], 0.5), "circle")
    assert (float(low["cy"]), float(high["cy"])) == (HEIGHT, 8.0)
    assert float(low["cx"]) < float(high["cx"])
    half = tags(draw_curve("rain", [point("4", 0.5)], 1.0), "circle")[0]
    assert float(half["cy"]) == (HEIGHT + 8) / 2


def test_numbers_are_joined_by_a_line_and_categories_are_not() -> None:
    assert len(tags(draw_curve("rain", [point("0", 0.1), point("4.5", 0.5)], 1.0), "polyline")) == 1
    assert tags(draw_curve("line", [point("red", 0.1), point("2", 0.5)], 1.0), "polyline") == []


def test_the_numbers_are_read_out_of_100() -> None:
    words = re.findall(r"<title>(.*?)</title>", draw_curve("rain", [point("4", 0.5)], 1.0))
    assert words == ["4: 50.0 of 100 (25.0 to 75.0)"]


def test_markup_in_a_name_or_a_value_stays_text() -> None:
    svg = draw_curve('"><script>', [point("<script>", 0.5)], 1.0)
    assert "<script>" not in svg
    assert tags(draw_curve("empty", [], 1.0), "circle") == []
