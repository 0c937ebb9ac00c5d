"""A partition that is scored on Spark has the predictions that it has on DuckDB."""

import pytest

from include.lake.reading import open_rows
from include.learning.scoring import score_partitions
from include.learning.steps import fit_candidates, plan_training
from include.names import predictions_table

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("spark")]

MONTHS = ["2013-01", "2013-02", "2013-03", "2013-04"]


def test_both_engines_predict_the_same_and_spark_twice_the_same_bytes(house, trips, monkeypatch, spark_engine):
    problem = trips(MONTHS)
    plan = plan_training(problem="late", partition_key="2013-03")
    fitted = fit_candidates(problem="late", partition_key="2013-03", plan=plan | {"points": ["2013-03"]})
    by_engine, folder = {}, house.home / "lake" / predictions_table("late").removeprefix("lake.") / "data"
    for engine in ("duckdb", "spark"):
        monkeypatch.setenv("MULGIL_ENGINE", engine)
        assert score_partitions.score_partitions(problem, fitted["model_version"], MONTHS[2:]) == 800
        monkeypatch.setenv("MULGIL_ENGINE", "duckdb")
        rows = open_rows(predictions_table("late")).to_pyarrow().sort_by("_row_key")
        by_engine[engine] = rows.to_pydict()
    ours, spark = (by_engine[engine].pop("p_positive") for engine in ("duckdb", "spark"))
    assert by_engine["spark"] == by_engine["duckdb"]
    assert max(abs(one - other) for one, other in zip(ours, spark, strict=True)) <= 1e-12
    files = sorted(path.name for path in folder.rglob("*.parquet"))
    monkeypatch.setenv("MULGIL_ENGINE", "spark")
    score_partitions.score_partitions(problem, fitted["model_version"], MONTHS[2:])
    assert sorted(path.name for path in folder.rglob("*.parquet")) == files
