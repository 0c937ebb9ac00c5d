"""The gate of a quantity, on a real lake and a real warehouse."""

from sqlalchemy import select

from include.learning import steps
from include.warehouse.tables.learning import GATE_CHECK, MODEL_METRIC
from tests.include.learning.quantity.conftest import BIKES, make_bikes

DAYS = [f"2013-03-{number:02d}" for number in range(1, 28)]
PROBLEM = BIKES | {"training": BIKES["training"] | {"models": ["linear"], "first": 24, "every": 3}}


def train(key):
    plan = steps.plan_training(problem="bikes", partition_key=key)
    fitted = steps.fit_candidates(problem="bikes", partition_key=key, plan=plan)
    return steps.decide_promotion(problem="bikes", partition_key=key, fitted=fitted)["decisions"]


def test_a_second_version_meets_the_champion_on_days_neither_was_fitted_on(house, bikes):
    bikes(DAYS[:24], PROBLEM)
    [(first, verdict)] = train(DAYS[23]).items()
    assert verdict == "promoted"
    bikes(DAYS[24:], PROBLEM)
    [(second, verdict)] = train(DAYS[26]).items()
    assert verdict in {"promoted", "rejected"}
    with house.engine.connect() as connection:
        checks = {row.check_name: row for row in connection.execute(select(GATE_CHECK)) if row.model_version == second}
        measured = [row for row in connection.execute(select(MODEL_METRIC)) if row.candidate == "champion"]
    assert f"the champion {first}" in checks["earns_more_than_champion"].detail
    assert {"earns_more_than_dummy", "earns_more_than_seasonal_naive", "intervals_hold"} <= set(checks)
    assert {row.metric for row in measured} >= {"mae", "coverage"}


def test_a_feature_that_holds_the_answer_is_refused(house, bikes, publish):
    bikes([], PROBLEM)
    for day in DAYS[:24]:
        rows = make_bikes(day)
        publish("bikes", "_key", rows.assign(warmth_c=rows["n_out"].fillna(0.0)), day)
    assert list(train(DAYS[23]).values()) == ["rejected"]
    with house.engine.connect() as connection:
        failed = [row.check_name for row in connection.execute(select(GATE_CHECK)) if not row.is_pass]
    assert "no_feature_gives_the_label_away" in failed
