"""One survey without a date: asymmetric costs, codes for what nobody knows, and "of 100 like this"."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from include.lake.reading import open_rows
from include.learning.explain import what_if
from include.names import events_table
from include.problems.reading import load_problem
from tests.built_in.conftest import Carried

PROBLEM = "patient"


@pytest.fixture(scope="module")
def found(carried: Carried) -> pd.DataFrame:
    return carried.ask("SELECT * FROM bi.model_comparison WHERE status = 'promoted'").set_index("candidate")


def test_one_delivery_is_one_partition_and_no_row_is_lost(carried: Carried):
    counts = carried.ask("SELECT n_in, n_published, n_quarantined, n_duplicate FROM core.partition_audit")
    assert counts.values.tolist() == [[1_629, 1_629, 0, 0]]


def test_calling_by_the_model_earns_more_than_everybody_nobody_and_the_practice(found: pd.DataFrame):
    assert found["value_unit"].unique().tolist() == ["hours"]
    assert found.loc["scorecard", "expected_profit"] == pytest.approx(0.21, abs=0.03)
    best = found.loc[["dummy", "old_or_high_pressure"], "expected_profit_high"].max()
    assert found.loc["scorecard", "expected_profit_low"] > best
    assert found.loc["scorecard", "auc_ratio"] == pytest.approx(0.83, abs=0.02)


def test_log_loss_is_no_worse_than_a_logistic_regression_of_scikit_learn(carried: Carried, found: pd.DataFrame):
    columns = load_problem(PROBLEM).training.features.numeric
    rows = open_rows(events_table(PROBLEM)).select(*columns, "has_died").execute()
    plain = make_column_transformer((make_pipeline(SimpleImputer(), StandardScaler()), columns))
    model = make_pipeline(plain, LogisticRegression())
    died = rows["has_died"].to_numpy(dtype=int)
    p = cross_val_predict(model, rows[columns].astype(float), died, cv=5, method="predict_proba")
    loss = -np.log(p[np.arange(len(died)), died]).mean()
    assert found.loc["scorecard", "log_loss_low"] < loss
    assert found.loc["scorecard", "log_loss_nats"] < loss + 0.005


def test_a_code_for_what_nobody_knows_is_missing_and_not_more_than_ever(carried: Carried):
    rows = open_rows(events_table(PROBLEM)).select("had_diabetes", "had_high_pressure", "alcohol_class").execute()
    assert rows.max().tolist() == [1, 1, 4]
    assert rows["had_diabetes"].isna().sum() > 0


def test_of_a_hundred_like_this_it_says_how_many_and_what_would_help(carried: Carried):
    version = carried.ask("SELECT model_version FROM bi.model_in_production WHERE is_in_production").iloc[0, 0]
    asked = {"age_1971_years": 45, "is_woman": 0, "systolic_mmhg": 160, "weight_kg": 80, "mass_index": 26.0}
    asked |= {"cholesterol_mg_dl": 240, "smoking_years": 28, "cigarettes": 30, "has_stopped": 0}
    told = what_if.ask(load_problem(PROBLEM), version, asked)
    n_alive = round(100 * (1 - told["p_positive"]))
    assert told["sentence"] == f"Of 100 like this, {n_alive} are alive and {100 - n_alive} died."
    assert told["action"] == "It is treated as died, as from 9 of 100 on."
    permitted = set(load_problem(PROBLEM).training.changeable)
    assert all({step["feature"] for step in change["steps"]} <= permitted for change in told["changes"])
