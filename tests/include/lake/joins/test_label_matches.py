from datetime import UTC, datetime

import pyarrow as pa
import pytest

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.lake.joins.label_matches import count_matches, due_partitions, overlapping, say_no_match
from tests.include.lake.joins.test_label_log import make_orders, make_problem, make_returns


def labels(*returns):
    rows = make_returns(*returns).to_pyarrow()
    return relation_of_arrow(
        open_engine(), rows.append_column("_partition_key", pa.array(["2024-01-05"] * rows.num_rows, pa.string()))
    )


def test_every_label_is_counted_once_and_for_what_it_is():
    orders = make_orders(("a", 0), ("a", 3), ("b", 20), ("c", 0))
    came = labels(("a", 4, "x"), ("b", 4, "x"), ("c", 30, "x"), ("z", 4, "x"), (None, 4, "x"), ("a", 5, "x"))
    matches = count_matches(make_problem(), orders, came, "2024-01-05")
    one_each = dict.fromkeys(("n_late", "n_before", "n_unmatched", "n_without_key"), 1)
    assert matches.counts == {"n_labels": 6, "n_matched": 2, **one_each, "n_repeated": 2}
    parts = [matches.counts[name] for name in ("n_matched", *one_each)]
    assert sum(parts) == matches.counts["n_labels"]
    assert (matches.partitions, matches.is_foreign) == (("p",), False)


def test_labels_that_name_nobody_are_told_with_keys_of_both_sides():
    matches = count_matches(make_problem(), make_orders(("a", 0)), labels(("A", 1, "x")), "2024-01-05")
    assert matches.is_foreign
    said = say_no_match(make_problem(), "2024-01-05", matches)
    assert "0 of 1 rows of returns" in said
    assert "Keys of returns: 'A'; keys of the problem's rows: 'a'." in said


def test_a_partition_without_labels_is_no_foreign_one():
    matches = count_matches(make_problem(), make_orders(("a", 0)), labels(), "2024-01-05")
    assert (set(matches.counts.values()), matches.is_foreign) == ({0}, False)


def test_a_partition_of_labels_ends_the_periods_of_these_partitions():
    days = [f"2024-01-0{day}" for day in range(1, 10)]
    assert due_partitions(make_problem(within="P3D"), "2024-01-05", days, "2024-01-05") == ["2024-01-02"]
    by_the_hour = make_problem(within="P3DT1H")
    assert due_partitions(by_the_hour, "2024-01-05", days, "2024-01-05") == ["2024-01-01", "2024-01-02"]


def test_a_partition_of_labels_frees_what_the_end_of_the_one_before_left():
    days = [f"2024-01-0{day}" for day in range(1, 10)]
    freed = due_partitions(make_problem(within="P3D"), "2024-01-07", days, "2024-01-05")
    assert freed == ["2024-01-02", "2024-01-03", "2024-01-04"]


def test_a_problem_without_a_label_log_has_nothing_to_count():
    plain = make_problem().model_copy(update={"label": None})
    assert due_partitions(plain, "2024-01-05", ["2024-01-02"], "2024-01-05") == []
    with pytest.raises(ValueError, match="has no label log"):
        count_matches(plain, make_orders(("a", 0)), labels(), "2024-01-05")


def test_a_partition_that_only_touches_a_span_does_not_overlap_it():
    start, end = datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 3, tzinfo=UTC)
    assert overlapping(["2024-01-01", "2024-01-02", "2024-01-03"], "day", start, end) == ["2024-01-02"]
