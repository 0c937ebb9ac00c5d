"""Deliveries without times: a monotone scorecard, five to one, groups that must not pay, and a later delivery."""

import pytest

from include.learning.explain import what_if
from include.problems.reading import load_problem
from tests.built_in.conftest import Carried

PROBLEM = "credit_scoring"


def test_the_name_of_an_object_says_when_and_no_record_is_lost(carried: Carried):
    rows = carried.ask("SELECT partition_key, n_in, n_published FROM core.partition_audit ORDER BY 1")
    assert list(rows.itertuples(index=False, name=None)) == [("1994-10", 800, 800), ("1994-11", 200, 200)]


def test_the_scorecard_earns_more_than_refusing_everybody_and_than_the_clerk(carried: Carried):
    """Five to one, refusing everybody is the best that a dummy can do."""
    found = carried.ask(
        "SELECT candidate, expected_profit, expected_profit_low, expected_profit_high, auc_ratio, value_unit "
        "FROM bi.model_comparison WHERE trained_through = '1994-10' AND status = 'promoted'"
    ).set_index("candidate")
    assert found["value_unit"].unique().tolist() == ["margins"]
    assert found.loc["dummy", "expected_profit"] == pytest.approx(-0.701, abs=0.001)
    assert found.loc["scorecard", "expected_profit_low"] > found.loc["overdrawn_or_long", "expected_profit_high"]
    assert found.loc["scorecard", "expected_profit"] == pytest.approx(-0.54, abs=0.03)
    assert found.loc["scorecard", "auc_ratio"] == pytest.approx(0.78, abs=0.02)


def test_more_months_are_never_safer_and_no_group_is_shown_to_pay(carried: Carried):
    checks = carried.ask("SELECT * FROM bi.gate_check WHERE model_version LIKE '1994-10%'").set_index("check_name")
    assert checks["is_pass"].all()
    assert "0 of 199,800 steps go against them" in checks.loc["keeps_directions", "detail"]
    assert {"protects_sex_female", "protects_age_group_up to 25", "protects_foreign_worker_yes"} <= set(checks.index)
    terms = carried.ask(
        "SELECT feature, odds_ratio FROM bi.scorecard WHERE model_version LIKE '1994-10%' AND term = ''"
    )
    odds = terms.set_index("feature")["odds_ratio"]
    assert (
        min(odds[["duration_months", "instalment_rate_class"]]) >= 1 >= max(odds[["savings_class", "employment_class"]])
    )
    assert not {"sex", "age_years", "age_group", "foreign_worker"} & set(odds.index)


def test_young_people_are_refused_more_often_and_the_card_says_so(carried: Carried):
    young = carried.ask(
        "SELECT * FROM bi.fairness_by_group WHERE model_version LIKE '1994-10%' AND group_name = 'age_group' "
        "AND group_value = 'up to 25' AND metric = 'selection_rate'"
    ).iloc[0]
    assert young["difference_low"] > 0
    assert young["n_rows"] == 157


def test_what_the_model_said_of_the_next_delivery_happened(carried: Carried):
    found = carried.ask("SELECT * FROM bi.calibration_by_partition").set_index("partition_key")
    assert found.index.tolist() == ["1994-11"]
    assert found.loc["1994-11", "n_labelled"] == 200
    assert found.loc["1994-11", "mean_predicted_ratio"] == pytest.approx(
        found.loc["1994-11", "observed_ratio"], abs=0.05
    )
    assert found.loc["1994-11", "auc_ratio"] > 0.75


def test_who_is_refused_hears_what_to_ask_for_instead(carried: Carried):
    version = carried.ask("SELECT model_version FROM bi.model_in_production WHERE is_in_production").iloc[0, 0]
    asked = {
        "duration_months": 36,
        "credit_amount_dm": 4000,
        "instalment_rate_class": 3,
        "savings_class": 2,
        "employment_class": 3,
        "checking_account": "no checking account",
        "credit_history": "existing credits paid back duly till now",
        "purpose": "car (new)",
        "housing": "own",
    }
    told = what_if.ask(load_problem(PROBLEM), version, asked)
    assert told["p_positive"] >= 1 / 6
    assert told["action"] == "It is treated as bad, as from 17 of 100 on."
    first = told["changes"][0]
    assert first["p_positive"] < 1 / 6
    assert {step["feature"] for step in first["steps"]} <= {"duration_months", "credit_amount_dm"}
