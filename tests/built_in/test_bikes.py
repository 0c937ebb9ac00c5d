"""A number that is planned for: bicycles by the hour, money for each too many and too few, seasons that move it."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from include.lake.reading import open_events, open_rows
from include.names import predictions_table
from include.problems.reading import load_problem
from include.stats.bootstrap import draw_blocks
from tests.built_in.conftest import Carried

pytestmark = [pytest.mark.slow, pytest.mark.thorough]  # the whole problem is carried first
PROBLEM = "bikes"
SERVED = {"2011-04": ("2011-05", "2011-07"), "2011-07": ("2011-08", "2011-10"), "2011-10": ("2011-11", "2011-12")}
OVER, UNDER = 1.0, 3.0


@pytest.fixture(scope="module")
def rows(carried: Carried) -> pd.DataFrame:
    """Read the hours with their lag, and what was planned for them where a model was."""
    months = carried.ask("SELECT partition_key FROM core.partition_audit ORDER BY 1")["partition_key"].tolist()
    hours = open_events(load_problem(PROBLEM), months).to_pyarrow().to_pandas().set_index("_row_key")
    said = open_rows(predictions_table(PROBLEM)).to_pyarrow().to_pandas().set_index("_row_key")
    return hours.join(said[["action", "action_before", "low", "high"]]).sort_values(["day", "hour"])


def earned(planned: pd.Series, rented: pd.Series) -> np.ndarray:
    """Say what plans earned, dollars an hour; by hand, and not by the code that is tested."""
    miss = (planned - rented).to_numpy(dtype=float)
    return -np.where(miss > 0, OVER * miss, -UNDER * miss)


def test_a_log_without_times_is_cut_into_its_months_and_no_row_is_lost(carried: Carried, rows: pd.DataFrame):
    counts = carried.ask("SELECT partition_key, n_in, n_published FROM core.partition_audit ORDER BY 1")
    assert counts["partition_key"].tolist() == [f"2011-{month:02d}" for month in range(1, 13)]
    assert counts["n_in"].sum() == counts["n_published"].sum() == len(rows) == 8_645
    last = rows.iloc[-1]
    assert (str(last["event_time"]), last["month"], last["weekday"]) == ("2011-12-31 23:00:00+00:00", "Dec", 6)


def test_air_without_water_is_air_that_nobody_measured(rows: pd.DataFrame):
    assert rows.loc[rows["humidity"].isna(), "day"].tolist() == [69] * 22
    assert rows["humidity"].min() > 0


def test_a_lag_knows_yesterday_and_nothing_of_the_day_itself(rows: pd.DataFrame):
    own = rows[(rows["day"] == 200) & (rows["hour"] == 8)].iloc[0]
    alike = rows[(rows["kind_of_hour"] == own["kind_of_hour"]) & rows["day"].between(186, 199)]
    assert own["rented_14d"] == pytest.approx(alike["n_rented"].mean())
    assert len(alike) == 10
    assert rows.loc[rows["day"] == 1, "rented_14d"].isna().all()


def test_plans_of_each_model_that_serves_earn_more_than_one_number_and_the_calendar(carried: Carried):
    found = carried.ask(
        "SELECT trained_through, candidate, expected_profit FROM bi.model_comparison WHERE status = 'promoted'"
    )
    assert sorted(found["trained_through"].unique()) == list(SERVED)
    names = carried.ask("SELECT trained_through, model_name FROM bi.model_card WHERE status = 'promoted'")
    names = names.set_index("trained_through")["model_name"]
    assert names.to_dict() == {"2011-04": "linear", "2011-07": "linear", "2011-10": "gradient_boosting"}
    table = found.set_index(["trained_through", "candidate"])["expected_profit"]
    assert table[("2011-10", "gradient_boosting")] == pytest.approx(-51.7, abs=1.0)
    assert table[("2011-10", "seasonal_naive")] == pytest.approx(-67.2, abs=0.5)
    # Row by row: a hard day is hard for all of them.
    leads = carried.ask(
        "SELECT model_version, check_name, value FROM bi.gate_check WHERE check_name LIKE 'earns_more%'"
    )
    for against in ("dummy", "seasonal_naive"):
        least = leads.loc[leads["check_name"] == f"earns_more_than_{against}", "value"]
        assert len(least) == len(SERVED)
        assert least.min() > 0


def test_every_month_planned_by_a_model_earned_more_than_the_calendar_would(carried: Carried, rows: pd.DataFrame):
    months = carried.ask("SELECT * FROM bi.quantity_monthly ORDER BY month").set_index("month")
    assert months.index.tolist() == [f"2011-{month:02d}" for month in range(5, 13)]
    assert (months["profit_gain"] > 0).all()
    planned = rows[rows["action"].notna()]
    by_hand = earned(planned["action"], planned["n_rented"]) - earned(planned["action_before"], planned["n_rented"])
    assert months["profit_gain"].sum() == pytest.approx(by_hand.sum())
    assert months["profit_gain"].sum() == pytest.approx(734_000, rel=0.02)


def test_intervals_follow_seasons_and_a_month_that_they_miss_is_told(carried: Carried):
    months = carried.ask("SELECT * FROM bi.quantity_monthly ORDER BY month").set_index("month")
    held = months["coverage_ratio"]
    assert held.mean() == pytest.approx(0.856, abs=0.015)
    # In September people ride to work again, and the model is of April to June: the page says what it missed.
    assert held.idxmin() == "2011-09"
    assert held.drop("2011-09").between(0.83, 0.96).all()
    told = carried.ask("SELECT partition_key FROM core.alert WHERE alert_id = 'coverage'")["partition_key"]
    assert "2011-09" in set(told)


def test_plans_earn_no_less_than_those_of_boosted_quantiles_of_scikit_learn(rows: pd.DataFrame):
    features = load_problem(PROBLEM).training.features
    frame = rows[features.numeric].astype(float)
    frame = frame.assign(**{name: rows[name].astype("category") for name in features.categorical})
    frame["kind_of_hour"] = frame["kind_of_hour"].cat.codes
    month, lead = rows["event_time"].dt.strftime("%Y-%m"), pd.Series(np.nan, index=rows.index)
    with threadpool_limits(1):
        for through, (first, last) in SERVED.items():
            plain = HistGradientBoostingRegressor(
                loss="quantile", quantile=UNDER / (OVER + UNDER), categorical_features="from_dtype", random_state=0
            )
            plain.fit(frame[month <= through], rows.loc[month <= through, "n_rented"])
            asked = month.between(first, last)
            theirs = pd.Series(plain.predict(frame[asked]), index=rows.index[asked])
            rented = rows.loc[asked, "n_rented"]
            lead[asked] = earned(rows.loc[asked, "action"], rented) - earned(theirs, rented)
    known = lead.notna()
    resamples = draw_blocks(rows.loc[known, "day"].to_numpy(), np.random.default_rng(0))
    difference = lead[known].to_numpy()
    low, high = resamples.interval(float(difference.mean()), resamples.mean(difference))
    assert high > 0, f"{difference.mean():+.2f} dollars an hour, {low:+.2f} to {high:+.2f}"
