import pytest

from tests.include.problems.conftest import GOOD

PAID = {"kind": "sum", "event": "paid", "value": "distance_miles"}


@pytest.mark.parametrize(
    ("metric", "line"),
    [
        ({"kind": "binary"}, "field metrics.m.event: is missing: a binary needs event"),
        ({"kind": "sum", "event": "paid"}, "field metrics.m.value: is missing: a sum needs event and value"),
        ({"kind": "ratio", "numerator": "m"}, "field metrics.m.denominator: is missing: a ratio needs numerator and"),
        ({"kind": "binary", "event": "paid", "cap": 1}, "field metrics.m.cap: is nothing that a binary has; remove it"),
        ({**PAID, "cap": 5, "winsorise": 0.9}, "field metrics.m.winsorise: stands beside cap; write one of them"),
        ({**PAID, "winsorise": 99}, "field metrics.m.winsorise: Input should be less than or equal to 1"),
        ({**PAID, "cap": 0}, "field metrics.m.cap: Input should be greater than 0"),
        ({**PAID, "direction": "up"}, "field metrics.m.direction: Input should be 'higher' or 'lower'"),
        ({**PAID, "window": {"from": "P2D", "to": "P2D"}}, "field metrics.m.window.from: 2 days lies not before to, 2"),
    ],
)
def test_a_metric_that_measures_nothing_is_refused(refusal_of, metric, line):
    assert line in refusal_of("metrics", {"m": metric})


def test_back_on_day_seven_can_be_said(read):
    window = {"from": "P7D", "to": "P8D"}
    metric = read(metrics={"back": {"kind": "binary", "event": "came", "window": window}}).metrics["back"]
    assert (metric.window.start.days, metric.window.end.days) == (7, 8)


def test_files_without_metrics_read_as_before(read):
    problem = read()
    assert "metrics" not in GOOD
    assert (problem.metrics, problem.experiment.primary, problem.experiment.guardrails) == ({}, None, [])
