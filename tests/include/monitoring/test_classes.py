"""Each class against the rest, on scores that know the labels."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import log_loss
from statsmodels.stats.multitest import multipletests

from include.lake.writing import replace_partition
from include.monitoring import classes
from include.names import CLASS_NAME, PARTITION_KEY, ROW_KEY, predictions_table
from include.problems.sections.learning import Label
from include.problems.sections.monitor import Monitor

LABEL = Label(classes=["a", "b", "c"], source="log", known_when="TRUE", value="kind")
MONITOR = Monitor(features=["speed"], reference_partitions=1, minimum_rows=20)


def score(lake, key, p, codes):
    """Write scores of a partition: a row for each class."""
    lake.publish(key, [1.0] * len(p))
    n_rows = len(p)
    columns = {
        PARTITION_KEY: [key] * 3 * n_rows,
        ROW_KEY: [f"{key}-{row}" for row in range(n_rows) for _ in range(3)],
        "model_version": ["v1"] * 3 * n_rows,
        CLASS_NAME: LABEL.classes * n_rows,
        "p_positive": pa.array(p.ravel(), pa.float64()),
        "label_known": [True] * 3 * n_rows,
        "is_positive": pa.array((np.arange(3) == codes[:, None]).ravel(), pa.bool_()),
    }
    replace_partition(predictions_table(lake.problem), key, pa.table(columns))


@pytest.fixture
def measured(make_lake):
    from include.problems.reading import load_problem

    lake, rng = make_lake(), np.random.default_rng(4)
    for key, weights in (("2013-01", [1.0, 1.0, 1.0]), ("2013-02", [6.0, 1.0, 1.0])):
        p = rng.dirichlet(weights, 300)
        codes = np.array([rng.choice(3, p=row) for row in p])
        score(lake, key, p, codes)
    definition = load_problem("p")
    found = classes.measure(
        definition, LABEL, MONITOR, ["2013-02"], ["2013-01", "2013-02"], {}, None, datetime(2013, 3, 1, tzinfo=UTC)
    )
    return found, p, codes


def test_each_class_has_the_log_loss_of_an_independent_reader(measured):
    found, p, codes = measured
    by_class = {row["class_name"]: row for row in found.by_class}
    assert {row["partition_key"] for row in found.by_class} == {"2013-02"}
    for place, name in enumerate(LABEL.classes):
        assert by_class[name]["log_loss_nats"] == pytest.approx(log_loss(codes == place, p[:, place]))
        assert by_class[name]["n_rows"] == by_class[name]["n_labelled"] == 300


def test_a_class_that_is_likeliest_more_often_has_moved(measured):
    found, _, _ = measured
    verdicts = {row["feature"]: row["verdict"] for row in found.drifts}
    assert verdicts[classes.LIKELIEST] == "moved"
    assert verdicts["p_positive: a"] == "moved"
    assert verdicts["speed"] == "stable"
    assert found.n_rows == 300


def test_p_values_of_a_partition_are_corrected_for_all_its_columns_together(measured):
    found, _, _ = measured
    rows = [row for row in found.drifts if row["partition_key"] == "2013-02"]
    assert len(rows) > 4
    corrected = multipletests([row["chi_square_p_value"] for row in rows], method="fdr_bh")[1]
    assert [row["chi_square_q_value"] for row in rows] == pytest.approx(list(corrected), abs=1e-12)


def test_without_an_answer_of_people_no_class_has_a_figure():
    assert classes.open_answers([], ["2013-01"]) is None
