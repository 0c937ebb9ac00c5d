import numpy as np
import pandas as pd
import pytest

from include.learning.evaluation import benchmark
from include.learning.training.fit import BLOCK, IS_POSITIVE, IS_RULE
from include.problems.decision_policy import Policy
from include.problems.schema import Problem
from tests.include.learning.conftest import LATE, MAIL

PROBLEM = Problem.model_validate(LATE)


def make_heldout(n_rows: int = 4) -> pd.DataFrame:
    happened, rule = [True, False, True, False], [False, False, True, True]
    heldout = {
        IS_POSITIVE: happened,
        IS_RULE: rule,
        BLOCK: [0, 1, 2, 3],
        "p_dummy": 0.2,
        "p_rule": [0.1, 0.1, 0.5, 0.5],
    }
    heldout |= {"p_uncalibrated": [0.9, 0.9, 0.9, 0.1], "p_model": [0.3, 0.1, 0.9, 0.2]}
    return pd.concat([pd.DataFrame(heldout)] * (n_rows // 4), ignore_index=True)


def test_each_candidate_acts_in_its_own_way():
    assert PROBLEM.value is not None
    candidates = benchmark.make_candidates(make_heldout(), PROBLEM, PROBLEM.value, Policy(0.25), "gradient_boosting")
    earned = {name: candidate.profit.tolist() for name, candidate in candidates.items()}
    assert earned == {
        "dummy": [-5, 0, -5, 0],
        "evening": [-5, 0, 20, -8],
        "gradient_boosting_uncalibrated": [20, -8, 20, 0],
        "gradient_boosting": [20, 0, 20, 0],
    }


def test_the_threshold_decides_who_acts():
    assert PROBLEM.value is not None
    candidates = benchmark.make_candidates(make_heldout(), PROBLEM, PROBLEM.value, Policy(0.2), "gradient_boosting")
    assert candidates["dummy"].profit.tolist() == [20, -8, 20, -8]


def test_a_problem_without_a_rule_has_one_baseline():
    problem = Problem.model_validate(MAIL)
    assert problem.value is not None
    names = list(benchmark.make_candidates(make_heldout(), problem, problem.value, Policy(0.5), "text_logistic"))
    assert names == ["dummy", "text_logistic_uncalibrated", "text_logistic"]
    assert (benchmark.baselines_of(problem), benchmark.baselines_of(PROBLEM)) == (["dummy"], ["dummy", "evening"])


def test_a_candidate_that_was_not_chosen_is_measured_beside_the_chosen_one():
    assert PROBLEM.value is not None
    heldout = make_heldout().assign(p_of_scorecard=[0.9, 0.9, 0.9, 0.9], p_of_gradient_boosting=0.0)
    candidates = benchmark.make_candidates(heldout, PROBLEM, PROBLEM.value, Policy(0.25), "gradient_boosting")
    assert candidates["scorecard"].profit.tolist() == [20, -8, 20, -8]
    assert candidates["gradient_boosting"].p.tolist() == [0.3, 0.1, 0.9, 0.2]


def test_metrics_lie_in_their_intervals_and_one_class_has_no_auc():
    heldout = make_heldout(80)
    resamples = benchmark.resample_heldout(heldout.assign(**{BLOCK: range(80)}), np.random.default_rng(0))
    p = heldout["p_model"].to_numpy()
    happened = heldout[IS_POSITIVE].to_numpy()
    rows = {
        row["metric"]: row for row in benchmark.measure_candidate(benchmark.Candidate("m", p, p), happened, resamples)
    }
    assert set(rows) == {"auc", "log_loss", "brier", "ece", "expected_profit"}
    for metric in ("auc", "log_loss", "brier", "expected_profit"):
        assert rows[metric]["low"] <= rows[metric]["value"] <= rows[metric]["high"]
    one_class = benchmark.measure_candidate(benchmark.Candidate("m", p, p), happened | True, resamples)
    assert {row["metric"] for row in one_class} == {"log_loss", "brier", "ece", "expected_profit"}


def test_a_learning_curve_has_a_point_for_each_arm_and_metric():
    heldout = make_heldout(80)
    worse = heldout.assign(p_model=0.5)
    rows = benchmark.learning_curve(
        {"all": heldout, "random": worse}, {"all": 200, "random": 80}, np.random.default_rng(0)
    )
    value = {(row["arm"], row["metric"]): (row["value"], row["n_labels"]) for row in rows}
    assert set(value) == {(arm, metric) for arm in ("all", "random") for metric in ("auc", "log_loss", "brier")}
    assert value["all", "auc"] == (pytest.approx(1.0), 200)
    assert value["random", "auc"] == (pytest.approx(0.5), 80)
