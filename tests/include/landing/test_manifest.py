import pytest

from include.engine.objects import RawObject
from include.landing.manifest import choose_changed, choose_home, place_records, split_batches


def make_object(key="a", size_bytes=10, version="1"):
    return RawObject(key, size_bytes, version)


def test_new_and_changed_objects_are_chosen_and_known_ones_are_not():
    listed = [make_object("known"), make_object("changed", version="2"), make_object("new")]
    chosen = choose_changed(listed, {"known": "1", "changed": "1", "vanished": "1"})
    assert [item.key for item in chosen] == ["changed", "new"]


@pytest.mark.parametrize(
    ("counts", "home"),
    [
        ({"2013-01": 2, "2013-02": 3}, "2013-02"),
        ({"2013-02": 3, "2013-01": 3}, "2013-01"),
        ({}, "2012-12"),
    ],
)
def test_home_is_where_most_records_are_the_earliest_on_a_tie_the_fallback_without_any(counts, home):
    assert choose_home(counts, "2012-12") == home


def test_records_without_a_time_are_counted_at_home_and_none_is_lost():
    read = place_records(make_object(), "f", {"2013-01": 2, "2013-02": 3, None: 4}, "2012-12")
    assert (read.home_partition, read.n_rows) == ("2013-02", {"2013-01": 2, "2013-02": 7})


def test_an_object_that_cannot_be_placed_at_all_feeds_the_fallback():
    assert place_records(make_object(), "f", {None: 4}, "2012-12").n_rows == {"2012-12": 4}


def test_an_empty_object_feeds_nothing():
    assert place_records(make_object(), "f", {}, "2012-12").n_rows == {}


def test_batches_keep_the_order_and_the_limit_and_a_giant_is_alone():
    sizes = {"a": 6, "b": 4, "c": 1, "giant": 99, "d": 1}
    batches = split_batches([make_object(key, size) for key, size in sizes.items()], 10)
    assert [[item.key for item in batch] for batch in batches] == [["a", "b"], ["c"], ["giant"], ["d"]]
    assert split_batches([], 10) == []
