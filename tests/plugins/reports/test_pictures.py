"""The reliability picture puts every number where a person would look for it."""

import re
import xml.etree.ElementTree as ET

from reports.pictures import MARGIN, SIDE, CurvePoint, ReliabilityPoint, draw_curve, draw_reliability


def make_point(**changes: float) -> ReliabilityPoint:
    values = {"mean_predicted_ratio": 0.5, "observed_ratio": 0.25, "low": 0.2, "high": 0.3, "n_rows": 100} | changes
    return ReliabilityPoint(**values)  # type: ignore[arg-type]


def dots(svg: str) -> list[dict[str, str]]:
    return [element.attrib for element in ET.fromstring(svg).iter("circle")]  # noqa: S314 - our own text


def test_a_dot_stands_at_what_was_said_and_what_happened_and_up_is_more() -> None:
    dot = dots(draw_reliability([make_point()], "honest?"))[0]
    assert float(dot["cx"]) == MARGIN + SIDE * 0.5
    assert float(dot["cy"]) == MARGIN + SIDE * 0.75


def test_a_bin_with_more_rows_has_a_larger_dot() -> None:
    small, large = dots(draw_reliability([make_point(n_rows=10), make_point(n_rows=1000)], "t"))
    assert float(small["r"]) < float(large["r"])


def test_the_interval_reaches_from_low_to_high() -> None:
    svg = draw_reliability([make_point(low=0.0, high=1.0)], "t")
    bar = next(line for line in ET.fromstring(svg).iter("line") if line.attrib.get("class") == "interval")  # noqa: S314
    assert {float(bar.attrib["y1"]), float(bar.attrib["y2"])} == {float(MARGIN), float(MARGIN + SIDE)}


def test_the_numbers_are_read_out_of_100() -> None:
    words = re.findall(r"<title>(.*?)</title>", draw_reliability([make_point(n_rows=12345)], "t"))
    assert words == ["Said 50 of 100, happened 25 of 100 (20 to 30), 12,345 rows"]


def test_a_title_with_markup_stays_text() -> None:
    svg = draw_reliability([], '"><script>alert(1)</script>')
    assert "<script>" not in svg
    assert ET.fromstring(svg).attrib["aria-label"] == '"><script>alert(1)</script>'  # noqa: S314


WORDS = {"said": "said", "happened": "<happened>", "point": "{said}/{happened}/{low}/{high} & so"}
CURVE = [CurvePoint(0.25, 0.25, 0.0, 0.5, 10), CurvePoint(0.75, 0.5, 0.5, 1.0, 40)]


def test_the_curve_runs_through_its_points_and_the_band_around() -> None:
    drawn = ET.fromstring(draw_curve(CURVE, "t", WORDS))  # noqa: S314
    [curve] = drawn.iter("polyline")
    [band] = drawn.iter("polygon")
    quarter = MARGIN + SIDE * 0.25, MARGIN + SIDE * 0.75
    assert curve.attrib["points"] == f"{quarter[0]},{quarter[1]} {quarter[1]},{MARGIN + SIDE * 0.5}"
    ys = [float(place.split(",")[1]) for place in band.attrib["points"].split()]
    assert ys == [MARGIN + SIDE * 0.5, MARGIN, MARGIN + SIDE * 0.5, MARGIN + SIDE]


def test_each_point_of_the_curve_says_its_numbers_and_words_stay_text() -> None:
    svg = draw_curve(CURVE, "t", WORDS)
    assert [element.text for element in ET.fromstring(svg).iter("title")] == [  # noqa: S314
        "25/25/0/50 & so",
        "75/50/50/100 & so",
    ]
    assert "&lt;happened&gt;" in svg
    small, large = dots(svg)
    assert float(small["r"]) < float(large["r"])
