import numpy as np
import pyarrow as pa
import pytest

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.monitoring.estimates import figures_of, measure_estimates, sum_expected
from include.problems.decision_policy import Policy, earning_policy, profit_of_policy
from include.problems.sections.learning import Value
from include.stats.probabilities import LEAST_PROBABILITY
from include.stats.proportions import clopper_pearson

VALUE = Value(unit="euros", true_positive=20, false_positive=-8, true_negative=0, false_negative=-5, review=-1)
POLICY = earning_policy(VALUE, has_reviewers=True)
SEEN = ("2026-01", "v1")


def rows_of(p, happened, keys="2026-01"):
    columns = {
        "_partition_key": pa.array([keys] * len(p) if isinstance(keys, str) else list(keys), pa.string()),
        "model_version": pa.array(["v1"] * len(p), pa.string()),
        "p_positive": pa.array(p, pa.float64()),
        "is_positive": pa.array(happened, pa.bool_()),
    }
    return relation_of_arrow(open_engine(), pa.table(columns))


def draw(rng, n):
    p = rng.beta(0.6, 1.4, n)
    return p, rng.random(n) < p


def by_hand(p, y):
    """Give every figure of labelled rows, one row at a time."""
    safe = np.clip(p, LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return {
        "positive_ratio": y.mean(),
        "brier_score": ((p - y) ** 2).mean(),
        "log_loss_nats": -np.where(y, np.log(safe), np.log(1 - safe)).mean(),
        "profit": profit_of_policy(p, y, VALUE, POLICY).mean(),
    }


def test_actual_figures_and_expectations_agree_with_every_row_taken_by_itself():
    rng = np.random.default_rng(1)
    p, y = draw(rng, 997)
    assert POLICY.ask_from is not None
    assert ((p >= POLICY.ask_from) & (p < POLICY.ask_until)).any()
    found = figures_of(sum_expected(rows_of(p, y), POLICY)[SEEN], VALUE)
    assert {name: one.actual for name, one in found.items()} == pytest.approx(by_hand(p, y), abs=1e-11)
    if_positive, if_negative = (
        np.array([list(by_hand(p[i : i + 1], np.array([what])).values()) for i in range(len(p))])
        for what in (True, False)
    )
    expected = (p[:, None] * if_positive + (1 - p)[:, None] * if_negative).mean(axis=0)
    variance = ((p * (1 - p))[:, None] * (if_positive - if_negative) ** 2).sum(axis=0) / len(p) ** 2
    assert [one.estimate for one in found.values()] == pytest.approx(expected, abs=1e-11)
    assert [one.standard_error for one in found.values()] == pytest.approx(np.sqrt(variance), abs=1e-11)


def test_a_calibrated_model_is_off_by_chance_alone():
    rng = np.random.default_rng(2)
    n_draws, n_inside = 400, dict.fromkeys(by_hand(*draw(rng, 9)), 0)
    keys = np.repeat([f"{i:03}" for i in range(n_draws)], 300)
    p, y = draw(rng, len(keys))
    for by_action in sum_expected(rows_of(p, y, keys), POLICY).values():
        for name, one in figures_of(by_action, VALUE).items():
            n_inside[name] += abs(one.actual - one.estimate) <= 1.959964 * one.standard_error
    for name, n in n_inside.items():
        low, high = clopper_pearson(n, n_draws, 0.999)
        assert low <= 0.95 <= high, (name, n)


def test_the_order_of_rows_changes_no_digit():
    rng = np.random.default_rng(3)
    p, y = draw(rng, 5000)
    first = sum_expected(rows_of(p, y), POLICY)
    order = rng.permutation(len(p))
    assert sum_expected(rows_of(p[order], y[order]), POLICY) == first


def test_certain_probabilities_that_are_wrong_cost_a_finite_loss():
    found = figures_of(sum_expected(rows_of([0.0, 1.0], [True, False]), None)[SEEN], None)
    assert found["log_loss_nats"].estimate == pytest.approx(0, abs=2e-6)
    assert found["log_loss_nats"].actual == pytest.approx(-np.log(LEAST_PROBABILITY))
    assert "profit" not in found


def test_rows_are_estimated_whole_and_audited_where_labels_are():
    p = [0.2, 0.4, 0.9, 0.5]
    rows = rows_of(p, [True, None, True, None])
    found = {row["metric"]: row for row in measure_estimates("p", rows, rows, None, None)}
    share = found["positive_ratio"]
    assert (share["n_rows"], share["n_labelled"]) == (4, 2)
    assert (share["estimate"], share["labelled_estimate"]) == pytest.approx((0.5, 0.55))
    assert share["actual"] == 1.0
    unknown = measure_estimates("p", rows, rows_of(p, [None] * 4), VALUE, Policy(0.5))
    assert {row["actual"] for row in unknown} == {None}
    assert len(unknown) == 4


def test_people_may_have_answered_about_a_model_whose_scores_are_gone():
    answers = rows_of([0.2, 0.7], [False, True])
    found = measure_estimates("p", None, answers, None, None)
    assert {(row["n_rows"], row["estimate"], row["n_labelled"]) for row in found} == {(0, None, 2)}
    assert measure_estimates("p", None, None, None, None) == []
