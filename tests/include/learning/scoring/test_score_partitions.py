"""Partitions scored on a real lake: what serves, and what only ranks."""

from include.lake.reading import open_rows
from include.learning.scoring import score_partitions
from include.names import predictions_table, ranking_table
from tests.include.learning.test_steps import MONTHS, train


def scored(table: str) -> dict[str, set[str]]:
    rows = open_rows(table).to_pyarrow().to_pylist()
    return {key: {row["model_version"] for row in rows if row["_partition_key"] == key} for key in MONTHS}


def test_scoring_replaces_its_own_partitions_and_ranking_stands_beside_what_serves(house, trips):
    problem = trips(MONTHS)
    decided = train("late", "2013-04")
    older, newer = decided["decisions"]
    assert score_partitions.score_partitions(problem, older, ["2013-03", "2013-04"]) == 800
    assert score_partitions.score_partitions(problem, newer, ["2013-04"]) == 400
    served = {"2013-01": set(), "2013-02": set(), "2013-03": {older}, "2013-04": {newer}}
    assert scored(predictions_table("late")) == served
    assert score_partitions.rank_partitions(problem, older, ["2013-04"]) == 400
    assert score_partitions.rank_partitions(problem, older, ["2013-03", "2013-04"]) == 400  # the other one is kept
    assert scored(predictions_table("late")) == served
    assert scored(ranking_table("late"))["2013-04"] == {older}
