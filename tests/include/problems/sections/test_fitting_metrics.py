import copy

import pytest

from tests.include.problems.conftest import GOOD

METRICS = {
    "paid": {"kind": "sum", "event": "paid", "value": "distance_miles"},
    "left": {"kind": "binary", "event": "left", "direction": "lower"},
    "late": {"kind": "count", "event": "paid", "window": {"to": "P9D"}},
    "each": {"kind": "ratio", "numerator": "paid", "denominator": "late"},
}
EVENTS = {"expect": "ExpectColumnValuesToBeInSet", "column": "origin", "severity": "stop"}
ALLOWED = ["invited", "came", "paid", "left"]


def experiment(**changes):
    return copy.deepcopy(GOOD["experiment"]) | changes


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"primary": "payd"}, "field experiment.primary: 'payd' is none of metrics"),
        ({"secondary": ["paid", "paid"]}, "field experiment.secondary: paid stands there more than once"),
        ({"primary": "paid", "secondary": ["paid"]}, "field experiment.secondary: paid stands there more than once"),
        (
            {"guardrails": [{"metric": "left"}]},
            "field experiment.guardrails.0.margin: is missing, also in metrics.left",
        ),
        (
            {"guardrails": [{"metric": "late", "margin": 1}]},
            "field experiment.guardrails.0.metric: 'late' is known 9 days after an exposure, and attribution_window "
            "waits 2; lengthen it",
        ),
        ({"primary": "each"}, "field experiment.primary: 'each' is known 9 days after an exposure"),
        (
            {"primary": "paid", "allocation": {"mode": "waves", "until": "2013-03"}},
            "field experiment.primary: is 'paid', and allocation.mode: waves shares units out by the reward alone",
        ),
    ],
)
def test_what_an_experiment_asks_in_vain_is_refused(refusal_of, changes, line):
    assert line in refusal_of("metrics", METRICS, experiment=experiment(**changes))


@pytest.mark.parametrize(
    ("metric", "line"),
    [
        ({"kind": "binary", "event": "payed"}, "field metrics.m.event: 'payed' is no value that quality allows in"),
        (
            {"kind": "sum", "event": "paid", "value": "miles"},
            "field metrics.m.value: 'miles' is not declared in source",
        ),
        ({"kind": "sum", "event": "paid", "value": "group"}, "field metrics.m.value: 'group' is of type string"),
        ({"kind": "ratio", "numerator": "m", "denominator": "m"}, "field metrics.m.numerator: 'm' is none of metrics"),
    ],
)
def test_a_metric_that_the_log_cannot_have_is_refused(refusal_of, metric, line):
    quality = {"expectations": [EVENTS | {"arguments": {"value_set": ALLOWED}}]}
    assert line in refusal_of("metrics", {"m": metric}, quality=quality)


def test_metrics_of_nobody_are_refused(refusal_of):
    assert "field metrics: are measured of what experiments send" in refusal_of("experiment", "REMOVE", metrics=METRICS)


def test_a_metric_that_comes_later_may_be_secondary(read):
    guardrails = [{"metric": "left", "margin": 0.01, "on_breach": "warn"}]
    asked = experiment(primary="paid", secondary=["late", "each"], guardrails=guardrails)
    assert read(metrics=METRICS, experiment=asked).experiment.secondary == ["late", "each"]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"secondary": ["paid"], "covariate": {"metric": "payd"}},
            "field experiment.covariate.metric: 'payd' is none of",
        ),
        ({"secondary": ["paid"], "covariate": {"metric": "each"}}, "'each' is a ratio, which single units do not have"),
        ({"covariate": {"metric": "paid"}}, "field experiment.covariate: adjusts nothing"),
        ({"secondary": ["each"], "covariate": {"metric": "paid"}}, "field experiment.covariate: adjusts nothing"),
        ({"secondary": ["paid"], "cluster": "group", "covariate": {"metric": "paid"}}, "stands beside cluster"),
    ],
)
def test_a_covariate_that_could_adjust_nothing_is_refused(refusal_of, changes, line):
    changes["covariate"]["before"] = "P28D"
    assert line in refusal_of("metrics", METRICS, experiment=experiment(**changes))


def test_a_covariate_looks_back_whatever_its_metrics_window_is(read):
    one = read(
        "metrics", METRICS, experiment=experiment(secondary=["paid"], covariate={"metric": "late", "before": "P28D"})
    )
    assert one.experiment.covariate.before.days == 28
