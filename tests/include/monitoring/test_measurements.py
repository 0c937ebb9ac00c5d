from include.monitoring.measurements import Reference, find_stale, reference_of, reference_of_scores
from include.problems.sections.monitor import Monitor

TWO = Reference(("2013-01", "2013-02"), 2)


def test_the_first_published_partitions_are_the_reference_whatever_order_they_come_in():
    monitor = Monitor(features=["speed"], reference_partitions=2)
    assert reference_of(["2013-03", "2013-01", "2013-02"], monitor) == TWO
    assert reference_of(["2013-01"], monitor).text() == "2013-01 (1 of 2)"
    assert reference_of(["2013-01"], Monitor(features=["speed"], reference_partitions=1)).text() == "2013-01"


def test_scores_are_compared_with_scores_of_the_same_model():
    assert reference_of_scores(TWO, "v1", ["2013-05", "2013-04"]).text() == "2013-04 scored by v1"
    assert reference_of_scores(TWO, "v1", ["2013-02", "2013-04"]).text() == "2013-02 scored by v1"
    everywhere = reference_of_scores(TWO, "v1", ["2013-01", "2013-02", "2013-03"])
    assert everywhere.text() == "2013-01..2013-02 scored by v1"


def test_what_was_compared_with_another_reference_is_stale():
    stored = {
        ("2013-03", ""): "2013-01..2013-02",
        ("2013-04", ""): "2013-01..2013-03",
        ("2013-05", "p_positive"): "2013-05 scored by v1",
        ("2013-06", "p_positive"): "2013-04 scored by v1",
        ("2013-07", "p_positive"): "2013-04 scored by v0",
    }
    versions = {"v1": ["2013-04", "2013-05", "2013-06", "2013-08"], "v2": ["2013-07"]}
    assert find_stale(stored, TWO, versions) == {"2013-04", "2013-05", "2013-07"}
