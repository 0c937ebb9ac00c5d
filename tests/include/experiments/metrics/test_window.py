import numpy as np
import pytest

from include.experiments import steps
from include.experiments.metrics.window import weigh_metrics
from include.warehouse.tables.experiments import EXPERIMENT_METRIC, EXPERIMENT_PLAN
from tests.include.experiments.factories import came, make_rules
from tests.include.experiments.metrics.factories import make_metric, sum_numbers
from tests.include.experiments.test_steps import DAYS, PEOPLE, Clock, ask_metrics, send, update

RNG = np.random.default_rng(2)
SUMS = {"none": sum_numbers(RNG.normal(0, 1, 500)), "large": sum_numbers(RNG.normal(1, 1, 500))}
WORSE = {"none": sum_numbers(RNG.normal(0, 1, 500)), "large": sum_numbers(RNG.normal(-1, 1, 500))}
REWARDED = {"none": 1, "large": 1}
PRIMARY = make_metric(role="primary")
GUARDRAIL = make_metric(name="kept", role="guardrail", margin=0.5, is_holding=True)


class ByReward:
    class choice:  # noqa: N801 - stands in for the evidence of rewards
        variant = "none"


def test_without_metrics_the_rewards_decide():
    found = weigh_metrics([], [], make_rules(), ByReward, REWARDED)
    assert (found.evidence, found.rows, found.checks) == (ByReward, [], [])


def test_a_guardrail_is_asked_of_what_the_primary_metric_would_send():
    found = weigh_metrics([PRIMARY, GUARDRAIL], [SUMS, WORSE], make_rules(), ByReward, REWARDED)
    assert (found.evidence.choice.variant, [check.is_pass for check in found.checks]) == ("large", [False])
    assert [(row.metric, row.variant) for row in found.rows] == [
        (name, variant) for name in ("money", "kept") for variant in SUMS
    ]
    by_reward = weigh_metrics([GUARDRAIL], [WORSE], make_rules(), ByReward, REWARDED)
    assert by_reward.checks[0].is_pass


def test_nothing_is_weighed_while_a_variant_has_no_mature_unit():
    found = weigh_metrics([PRIMARY, GUARDRAIL], [SUMS, WORSE], make_rules(), None, REWARDED)
    assert (found.evidence, found.checks[0].is_pass, len(found.rows)) == (None, True, 4)


def test_a_covariate_is_told_beside_the_plain_lift_and_belongs_to_the_plan(outreach, monkeypatch):
    monkeypatch.setattr(steps, "datetime", Clock)
    covariate = {"metric": "gone", "before": "P1D"}
    ask_metrics(monkeypatch, [], covariate=covariate)
    earlier = [came(f"p-{name}-{i}", 0.5) for name, n in PEOPLE.items() for i in range(0, n, 2)]
    outreach.publish(*send("p", 1), *earlier, days=DAYS[:4])
    update("2004-11-01")
    newest = {row["variant"]: row for row in outreach.rows(EXPERIMENT_METRIC) if row["partition_key"] == DAYS[3]}
    assert {row["adjustment"] for row in newest.values()} == {"adjusted"}
    assert newest["large"]["adjusted_low"] < newest["large"]["adjusted_lift"] < newest["large"]["adjusted_high"]
    assert newest["large"]["adjusted_lift"] == pytest.approx(newest["large"]["lift"], abs=0.01)
    [plan] = outreach.rows(EXPERIMENT_PLAN)
    assert sorted(plan["plan"]["metrics"]) == ["gone", "times"]
    assert plan["plan"]["covariate"]["metric"] == "gone"
