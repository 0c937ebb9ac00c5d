from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, update

from include.review.selection.heldout_gain import gain_of, read_choosing_gained, read_fitted
from include.warehouse.tables.learning import MODEL_METRIC, MODEL_VERSION
from include.warehouse.tables.review import REVIEW_ESTIMATE
from tests.include.review.conftest import PROBLEM, Desk


@pytest.mark.parametrize(
    ("loss", "of_base_rate", "gain"),
    [
        (0.3, 0.6, 0.5),
        (0.6, 0.6, 0.0),
        (0.9, 0.6, 0.0),
        (0.0, 0.6, 1.0),
        (None, 0.6, 0.0),
        (0.3, None, 0.0),
        (0.3, 0.0, 0.0),
    ],
)
def test_the_gain_is_the_share_of_the_base_rates_loss_that_is_saved(loss, of_base_rate, gain):
    assert gain_of(loss, of_base_rate) == gain


def test_of_each_version_is_known_what_it_is_and_how_much_it_gained(desk: Desk, make_version) -> None:
    make_version("v1", threshold_ratio=0.5)
    make_version("v2", threshold_ratio=0.5)
    losses = {"text_pieces": 0.45, "dummy": 0.6}
    with desk.engine.begin() as connection:
        connection.execute(
            update(MODEL_VERSION).where(MODEL_VERSION.c.model_version == "v1").values(model_name="text_pieces")
        )
        for candidate, loss in losses.items():
            row = {"problem": PROBLEM, "model_version": "v1", "candidate": candidate, "metric": "log_loss"}
            connection.execute(insert(MODEL_METRIC), row | {"value": loss, "n_rows": 50})
        found = read_fitted(connection, PROBLEM)
    assert (found["v1"].model_name, found["v1"].gain) == ("text_pieces", pytest.approx(0.25))
    assert found["v2"].gain == 0.0


def test_the_newest_round_says_what_choosing_gained(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        assert read_choosing_gained(connection, PROBLEM) is None
        for batch_id, value in (("round-999", 0.02), ("round-1000", -0.01)):
            figures = {"n_labels": 160, "value": value, "low": value - 0.04, "high": value + 0.04}
            keys = {"problem": PROBLEM, "batch_id": batch_id, "quantity": "auc_gained"}
            moment = {"measured_at_utc": datetime(2002, 10, 1, tzinfo=UTC)}
            connection.execute(insert(REVIEW_ESTIMATE), keys | figures | moment)
        gained = read_choosing_gained(connection, PROBLEM)
    assert gained is not None
    assert gained.is_none
    assert str(gained) == "with 160 labels choosing has gained -0.010 AUC over chance (-0.050 to +0.030)"
