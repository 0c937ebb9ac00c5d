"""Numbers and intervals against what came, on scores that know it."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, root_mean_squared_error

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.lake.writing import replace_partition
from include.monitoring import quantities
from include.names import PARTITION_KEY, ROW_KEY, predictions_table
from include.problems.sections.learning import Quantity, Value
from include.problems.sections.monitor import Monitor
from include.stats.wilson import wilson_interval

QUANTITY = Quantity(unit="minutes")
MONITOR = Monitor(features=["speed"], reference_partitions=1, minimum_rows=20)
KEYS = ["2013-01", "2013-02"]


def score(lake, key, shift):
    """Write scores of a partition; gives them, with an unknown number in every tenth row."""
    lake.publish(key, [1.0] * 300)
    rng = np.random.default_rng(int(key[-1]))
    predicted = rng.normal(shift, 3, 300)
    actual = predicted + rng.normal(0, 5, 300)
    known = np.arange(300) % 10 != 0
    columns = {
        PARTITION_KEY: [key] * 300,
        ROW_KEY: [f"{key}-{row}" for row in range(300)],
        "model_version": ["v1"] * 300,
        "predicted": predicted,
        "low": predicted - 6,
        "high": predicted + 6,
        "action": predicted + 2,
        "action_before": np.zeros(300),
        "label_known": known,
        "actual": pa.array(actual, pa.float64(), mask=~known),
    }
    replace_partition(predictions_table(lake.problem), key, pa.table(columns))
    return predicted[known], actual[known]


@pytest.fixture
def measured(make_lake):
    from include.problems.reading import load_problem

    lake = make_lake()
    scores = [score(lake, key, shift) for key, shift in zip(KEYS, (0.0, 9.0), strict=True)]
    now = datetime(2013, 3, 1, tzinfo=UTC)
    definition = load_problem("p")
    found = quantities.measure(definition, QUANTITY, MONITOR, ["2013-02"], KEYS, {}, now)
    return found, *scores[1]


def test_figures_are_those_of_independent_readers(measured):
    found, predicted, actual = measured
    [row] = found.quantities
    n_held = int(np.sum(np.abs(predicted - actual) <= 6))
    assert (row["n_rows"], row["n_labelled"], row["n_held"]) == (300, 270, n_held)
    assert row["n_below"] + row["n_above"] + n_held == 270
    assert row["mae"] == pytest.approx(mean_absolute_error(actual, predicted))
    assert row["rmse"] == pytest.approx(root_mean_squared_error(actual, predicted))
    assert (row["coverage_low"], row["coverage_high"]) == pytest.approx(wilson_interval(n_held, 270))
    ends = [mean_pinball_loss(actual, predicted + side, alpha=at) for side, at in ((-6, 0.05), (6, 0.95))]
    assert row["pinball"] == pytest.approx(np.mean(ends))
    assert row["mean_width"] == pytest.approx(12)


def test_too_little_costs_its_own_price():
    scored = pa.table(
        {
            PARTITION_KEY: ["k", "k"],
            "model_version": ["v", "v"],
            **{name: [4.0, 4.0] for name in ("predicted", "low", "high", "action", "action_before")},
            "label_known": [True, True],
            "actual": [2.0, 5.0],
        }
    )
    value = Value(unit="dollars", over=1, under=3)
    [row] = quantities.summarise(relation_of_arrow(open_engine(), scored), QUANTITY, value)
    assert row["profit"] == pytest.approx(-(2 * 1 + 1 * 3) / 2)


def test_numbers_that_rise_have_moved_and_their_width_has_not(measured):
    verdicts = {row["feature"]: row["verdict"] for row in measured[0].drifts}
    assert verdicts["said: predicted"] == "moved"
    assert verdicts["said: width"] == "stable"
    assert measured[0].n_rows == 300


def test_a_partition_without_a_known_number_has_no_figure():
    row = {PARTITION_KEY: "k", "n_rows": 3, "n_labelled": 0, "n_below": 0, "n_above": 0, "mean_square": None}
    found = quantities._summary(row, QUANTITY)
    assert (found["coverage_ratio"], found["rmse"], found["n_held"]) == (None, None, 0)
