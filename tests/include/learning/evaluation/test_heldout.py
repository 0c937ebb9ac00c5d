import pandas as pd
import pytest

from include.lake.reading import current_snapshot
from include.learning.data.features import FeatureSpec
from include.learning.evaluation import heldout
from include.names import PARTITION_KEY, ROW_KEY, events_table
from tests.include.learning.conftest import make_trips

SPEC = FeatureSpec(("rain_mm",), {}, ())


@pytest.mark.parametrize("limit", [2, 1_000])
def test_rows_come_back_as_they_were_at_training_in_the_order_of_the_answers(house, trips, publish, monkeypatch, limit):
    monkeypatch.setattr(heldout, "MAX_KEYS_IN_A_FILTER", limit)  # filtered by key, or read whole and picked from
    problem = trips(["2013-01", "2013-02"])
    snapshot = current_snapshot(events_table("late"))
    before = make_trips("2013-01").set_index("trip_id")["rain_mm"]
    publish("late", "trip_id", make_trips("2013-01").assign(rain_mm=99.0), "2013-01")
    asked = pd.DataFrame({PARTITION_KEY: "2013-01", ROW_KEY: ["2013-01-00007", "2013-01-00002", "2013-01-00300"]})
    version = {"problem": "late", "model_version": "2013-02-aaaaaa", "snapshot_id": snapshot}
    rows = heldout.read_heldout_rows(problem, version, asked, SPEC)
    assert rows[ROW_KEY].tolist() == asked[ROW_KEY].tolist()
    assert rows["rain_mm"].tolist() == before.loc[asked[ROW_KEY]].tolist()
