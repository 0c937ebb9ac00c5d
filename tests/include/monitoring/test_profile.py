import math
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.errors import BadProbabilities
from include.monitoring import calibration, profile
from include.monitoring.drift import Bins
from include.names import PARTITION_KEY

pytestmark = pytest.mark.usefixtures("each_engine")


@pytest.fixture(autouse=True)
def _home(mulgil_home):
    """The engine spills below the home folder."""


def rows_of(**columns):
    n_rows = len(next(iter(columns.values())))
    return relation_of_arrow(open_engine(), pa.table({PARTITION_KEY: ["k"] * n_rows} | columns))


def scored(p, y, version="v1", key="k"):
    columns = {"model_version": [version] * len(p), "p_positive": pa.array(p, pa.float64())}
    return rows_of(**columns, is_positive=pa.array(y, pa.bool_()), **{PARTITION_KEY: [key] * len(p)})


def test_ten_numbers_are_cut_at_their_deciles_and_counted_with_open_ends():
    reference = rows_of(speed=[float(n) for n in range(1, 12)])
    [bins] = profile.read_bins(reference, {"speed": "number"})
    assert bins == Bins("speed", "number", tuple(float(n) for n in range(2, 11)))
    here = rows_of(
        speed=pa.array([-100.0, 2.0, 2.5, 10.0, 10.5, 1e9, math.inf, -math.inf, math.nan, None], pa.float64())
    )
    counts = profile.count_bins(here, [bins], {"speed": "number"})["k"]["speed"]
    # Up to 2 holds -100, -inf and 2 itself; above 10 holds 10.5, 1e9 and inf; NaN is as missing as null.
    assert counts.tolist() == [3, 1, 0, 0, 0, 0, 0, 0, 1, 3, 2]


def test_categories_have_a_bin_each_and_what_the_reference_never_saw_is_other():
    reference = rows_of(carrier=["AA", "AA", "UA", None])
    [bins] = profile.read_bins(reference, {"carrier": "string"})
    counts = profile.count_bins(rows_of(carrier=["UA", "ZZ", "AA", None, None]), [bins], {"carrier": "string"})
    assert (bins.names, counts["k"]["carrier"].tolist()) == (["AA", "UA", "other", "missing"], [1, 1, 1, 2])


def test_every_type_of_a_problem_file_is_counted():
    types = {"a": "integer", "b": "boolean", "c": "timestamp", "d": "string"}
    moments = [datetime(2013, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    rows = rows_of(
        a=[1, 2, 3], b=[True, False, None], c=pa.array(moments, pa.timestamp("us", "UTC")), d=["x", "x", "y"]
    )
    bins = profile.read_bins(rows, types)
    counts = profile.count_bins(rows, bins, types)["k"]
    assert [bin_.feature for bin_ in bins] == list(types)
    assert {name: int(found.sum()) for name, found in counts.items()} == dict.fromkeys(types, 3)
    assert counts["b"].tolist() == [1, 1, 0, 1]


def test_a_column_the_rows_lack_and_one_that_is_all_missing_are_missing():
    rows = rows_of(speed=pa.array([None, None], pa.float64()))
    types = {"speed": "number", "gone": "number", "left": "string"}
    counts = profile.count_bins(rows, profile.read_bins(rows, types), types)["k"]
    assert {name: found.tolist() for name, found in counts.items()} == {"speed": [0, 2], "gone": [0, 2], "left": [0, 2]}


def test_a_constant_column_has_one_edge_and_its_move_shows():
    types = {"speed": "number"}
    bins = profile.read_bins(rows_of(speed=[4.0] * 50), types)
    assert profile.count_bins(rows_of(speed=[4.0, 4.1]), bins, types)["k"]["speed"].tolist() == [1, 1, 0]


def test_partitions_are_counted_apart():
    rows = rows_of(**{PARTITION_KEY: ["a", "b", "b"]}, speed=[1.0, 1.0, 2.0])
    bins = [Bins("speed", "number", (1.0,))]
    counts = profile.count_bins(rows, bins, {"speed": "number"})
    assert {key: found["speed"].tolist() for key, found in counts.items()} == {"a": [1, 0, 0], "b": [1, 1, 0]}


def test_sums_from_the_engine_give_the_figures_of_sklearn():
    rng = np.random.default_rng(3)
    p = np.round(rng.random(5000), 2)  # two decimals: many ties, and rows on the edges of bins
    y = rng.random(5000) < p
    sums = profile.sum_bins(scored(p, y))["k", "v1"]
    assert calibration.area_under_curve(sums) == pytest.approx(roc_auc_score(y, p), abs=1e-12)
    assert calibration.brier_score(sums) == pytest.approx(float(np.mean((p - y) ** 2)), abs=1e-12)
    assert sums.n_rows.tolist() == np.bincount(np.minimum((p * 10).astype(int), 9), minlength=10).tolist()
    assert sums.n_positive.sum() == y.sum()
    safe = np.clip(p, 1e-15, 1 - 1e-15)
    likelihood = np.where(y, np.log(safe), np.log(1 - safe)).mean()
    assert calibration.log_loss(sums) == pytest.approx(-likelihood, rel=1e-12)


def test_rows_without_a_label_count_as_scored_and_sum_to_nothing():
    rows = scored([0.1, 0.9, 0.5], [True, None, None])
    assert profile.count_scored(rows) == {("k", "v1"): 3}
    assert profile.sum_bins(rows)["k", "v1"].n_rows.sum() == 1
    assert profile.sum_bins(scored([0.1], [None])) == {}


def test_partitions_and_models_are_summed_apart():
    rows = scored([0.1, 0.2], [True, False]).union(scored([0.8], [True], "v2")).union(scored([0.8], [True], key="j"))
    sums = profile.sum_bins(rows)
    assert {key: int(found.n_rows.sum()) for key, found in sums.items()} == {
        ("k", "v1"): 2,
        ("k", "v2"): 1,
        ("j", "v1"): 1,
    }
    assert {key: found.n_pairs_won for key, found in sums.items()} == {("k", "v1"): 0, ("k", "v2"): 0, ("j", "v1"): 0}


def test_the_number_of_bins_is_the_callers():
    sums = profile.sum_bins(scored([0.1, 0.6, 1.0], [True, True, False]), n_bins=2)["k", "v1"]
    assert sums.n_rows.tolist() == [1, 2]


@pytest.mark.parametrize("bad", [None, math.nan, -0.1, 1.1])
def test_one_bad_score_among_good_ones_is_refused_and_its_partition_named(bad):
    with pytest.raises(BadProbabilities, match="1 of 3 scored rows of k"):
        profile.require_probabilities(scored([0.2, bad, 0.4], [True, True, False]))
    profile.require_probabilities(scored([0.0, 1.0, 0.4], [True, True, False]))
