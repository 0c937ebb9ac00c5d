import math
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.errors import BadProbabilities
from include.monitoring import aggregates, calibration
from include.names import PARTITION_KEY
from include.stats import reliability
from include.stats.column_bins import ColumnBins

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


def count(here, reference, types):
    """Cut by one set of rows, and count another: column to counts."""
    bins = aggregates.read_bins(reference, types)
    return aggregates.count_bins(here, bins, types, reference)["k"]


def test_ten_numbers_are_cut_at_their_deciles_and_counted_with_open_ends():
    reference = rows_of(speed=[float(n) for n in range(1, 22)])
    [bins] = aggregates.read_bins(reference, {"speed": "number"})
    assert bins == ColumnBins("speed", "number", (), tuple(float(n) for n in range(3, 21, 2)), 1.0, 21.0)
    here = rows_of(
        speed=pa.array([-100.0, 3.0, 3.5, 19.0, 19.5, 1e9, math.inf, -math.inf, math.nan, None], pa.float64())
    )
    found = aggregates.count_bins(here, [bins], {"speed": "number"}, reference)["k"]["speed"]
    # Up to 3 holds -100, -inf and 3 itself; above 19 holds 19.5, 1e9 and inf; NaN is as missing as null.
    assert found.bins.tolist() == [3, 1, 0, 0, 0, 0, 0, 0, 1, 3, 2]
    assert found.n_unseen == 4


def test_a_frequent_value_has_its_own_bin_and_others_their_deciles():
    reference = rows_of(rain=[0.0] * 92 + [float(n) for n in range(1, 9)])
    [bins] = aggregates.read_bins(reference, {"rain": "number"})
    assert bins.values == (0.0,)
    assert len(bins.edges) == 9
    found = count(rows_of(rain=[0.0, 0.0, 0.5, 4.0, 4_000.0]), reference, {"rain": "number"})["rain"]
    assert found.bins[0] == 2
    assert (found.bins[1], found.bins[-2], found.bins.sum()) == (1, 1, 5)
    assert found.n_unseen == 1  # 4,000; half is inside the range that begins with 0
    assert (found.low, found.high) == (0.0, 4_000.0)


def test_categories_have_a_bin_each_and_what_the_reference_never_saw_is_apart():
    reference = rows_of(carrier=["AA", "AA", "UA", None])
    found = count(rows_of(carrier=["UA", "ZZ", "AA", None, None]), reference, {"carrier": "string"})["carrier"]
    assert (found.bins.tolist(), found.n_unseen) == ([1, 1, 0, 1, 2], 1)
    assert (found.low, found.high) == (None, None)
    [bins] = aggregates.read_bins(reference, {"carrier": "string"})
    assert (bins.names, bins.n_single) == (["AA", "UA", "other", "never seen", "missing"], 1)


def test_the_commonest_of_many_categories_have_bins_and_others_are_known():
    reference = rows_of(carrier=[f"c{n:03}" for n in range(1_000)] + [f"c{n:03}" for n in range(30)])
    here = rows_of(carrier=["c000", "c900", "c901", "d000", "d001"])
    found = count(here, reference, {"carrier": "string"})["carrier"]
    assert found.bins[-3:].tolist() == [2, 2, 0]
    [bins] = aggregates.read_bins(reference, {"carrier": "string"})
    assert (bins.values, bins.n_single) == (tuple(f"c{n:03}" for n in range(20)), 970)


def test_every_type_of_a_problem_file_is_counted():
    types = {"a": "integer", "b": "boolean", "c": "timestamp", "d": "string"}
    moments = [datetime(2013, 1, day, tzinfo=UTC) for day in (1, 2, 3)]
    rows = rows_of(
        a=[1, 2, 3], b=[True, False, None], c=pa.array(moments, pa.timestamp("us", "UTC")), d=["x", "x", "y"]
    )
    bins = aggregates.read_bins(rows, types)
    counts = aggregates.count_bins(rows, bins, types, rows)["k"]
    assert [bin_.feature for bin_ in bins] == list(types)
    assert {name: int(found.bins.sum()) for name, found in counts.items()} == dict.fromkeys(types, 3)
    assert counts["b"].bins.tolist() == [1, 1, 0, 0, 1]


def test_a_column_the_rows_lack_and_one_that_is_all_missing_are_missing():
    rows = rows_of(speed=pa.array([None, None], pa.float64()))
    counts = count(rows, rows, {"speed": "number", "gone": "number", "left": "string"})
    found = {name: one.bins.tolist() for name, one in counts.items()}
    assert found == {"speed": [0, 2], "gone": [0, 2], "left": [0, 0, 2]}


def test_numbers_where_the_reference_had_none_have_never_been_seen():
    reference = rows_of(speed=pa.array([None, None], pa.float64()))
    found = count(rows_of(speed=[1.0, None, 2.0]), reference, {"speed": "number"})["speed"]
    assert (found.bins.tolist(), found.n_unseen) == ([2, 1], 2)


def test_a_constant_column_has_its_value_as_a_bin_and_its_move_shows():
    found = count(rows_of(speed=[4.0, 4.1]), rows_of(speed=[4.0] * 50), {"speed": "number"})["speed"]
    assert (found.bins.tolist(), found.n_unseen) == ([1, 1, 0], 1)


def test_partitions_are_counted_apart():
    rows = rows_of(**{PARTITION_KEY: ["a", "b", "b"]}, speed=[1.0, 1.0, 2.0])
    bins = [ColumnBins("speed", "number", (), (1.0,), 1.0, 2.0)]
    counts = aggregates.count_bins(rows, bins, {"speed": "number"}, rows)
    assert {key: found["speed"].bins.tolist() for key, found in counts.items()} == {"a": [1, 0, 0], "b": [1, 1, 0]}


@pytest.mark.parametrize("decimals", [2, 17])
def test_sums_from_the_engine_give_the_figures_of_second_implementations(decimals: int):
    rng = np.random.default_rng(3)
    p = np.round(rng.random(5000), decimals)  # two decimals: many ties, and rows on the edges of bins
    y = rng.random(5000) < p
    sums = aggregates.sum_scores(scored(p, y))["k", "v1"]
    assert calibration.area_under_curve(sums) == pytest.approx(roc_auc_score(y, p), abs=1e-12)
    assert calibration.brier_score(sums) == pytest.approx(float(np.mean((p - y) ** 2)), abs=1e-12)
    assert np.allclose(sums.by_width.parts, reliability.sum_equal_width(y, p).parts)
    assert np.allclose(sums.by_count.parts, reliability.sum_equal_count(y, p, 100).parts)
    assert sums.score_variance == pytest.approx(float(((1 - 2 * p) ** 2 * p * (1 - p)).sum()), rel=1e-12)
    safe = np.clip(p, 1e-6, 1 - 1e-6)
    assert -sums.log_likelihood / 5000 == pytest.approx(log_loss(y, safe), rel=1e-12)
    assert sums.log_odds.sum() == pytest.approx(np.log(safe / (1 - safe)).sum())


def test_few_scores_have_a_cell_each_and_many_share_them_with_as_many_rows():
    rng = np.random.default_rng(4)
    few, many = np.round(rng.random(5000), 2), rng.random(5000)
    y = rng.random(5000) < many
    cells = aggregates.sum_scores(scored(few, y))["k", "v1"].cells
    values, place = np.unique(few, return_inverse=True)
    assert cells.p.tolist() == values.tolist()
    assert cells.n_rows.tolist() == np.bincount(place).tolist()
    assert cells.n_positive.tolist() == np.bincount(place, weights=y).tolist()
    shared = aggregates.sum_scores(scored(many, y))["k", "v1"].cells
    expected = reliability.sum_equal_count(y, many, calibration.MAX_CELLS)
    assert set(shared.n_rows) == {2.0, 3.0}
    assert (shared.n_rows.tolist(), shared.n_positive.tolist()) == (
        expected.n_rows.tolist(),
        expected.n_positive.tolist(),
    )
    assert shared.p == pytest.approx(expected.predicted / expected.n_rows, abs=1e-12)


def test_partitions_and_versions_have_cells_of_their_own():
    one, other = scored([0.1, 0.2], [True, False]), scored([0.3, 0.3], [True, True], "v2", "l")
    found = aggregates.sum_scores(one.union(other))
    assert found["k", "v1"].cells.p.tolist() == [0.1, 0.2]
    assert (found["l", "v2"].cells.n_rows.tolist(), found["l", "v2"].cells.n_positive.tolist()) == ([2.0], [2.0])


def test_rows_without_a_label_count_as_scored_and_sum_to_nothing():
    rows = scored([0.1, 0.9, 0.5], [True, None, None])
    assert aggregates.count_scored(rows) == {("k", "v1"): 3}
    assert aggregates.sum_scores(rows)["k", "v1"].by_width.n_rows.sum() == 1
    assert aggregates.sum_scores(scored([0.1], [None])) == {}


def test_partitions_and_models_are_summed_apart():
    rows = scored([0.1, 0.2], [True, False]).union(scored([0.8], [True], "v2")).union(scored([0.8], [True], key="j"))
    sums = aggregates.sum_scores(rows)
    n_rows = {("k", "v1"): 2, ("k", "v2"): 1, ("j", "v1"): 1}
    assert {key: int(found.by_width.n_rows.sum()) for key, found in sums.items()} == n_rows
    assert {key: int(found.by_count.n_rows.sum()) for key, found in sums.items()} == n_rows
    assert {key: found.n_pairs_won for key, found in sums.items()} == {("k", "v1"): 0, ("k", "v2"): 0, ("j", "v1"): 0}


@pytest.mark.parametrize("bad", [None, math.nan, -0.1, 1.1])
def test_one_bad_score_among_good_ones_is_refused_and_its_partition_named(bad):
    with pytest.raises(BadProbabilities, match="1 of 3 scored rows of k"):
        aggregates.require_probabilities(scored([0.2, bad, 0.4], [True, True, False]))
    aggregates.require_probabilities(scored([0.0, 1.0, 0.4], [True, True, False]))
