import json

import pytest

from include.engine.object_store.objects import RawObject
from include.landing.object_changes import (
    KnownObject,
    choose_changed,
    choose_home,
    choose_unmoved,
    moved_partitions,
    place_records,
    split_batches,
)

RULES = {"format": "jsonl", "grain": "month", "event_time": "at", "earliest": "2013", "latest": "2014"}


def make_object(key="a", size_bytes=10, version="1"):
    return RawObject(key, size_bytes, version)


def make_rules(**changed):
    return json.dumps(RULES | changed)


def make_known(rules=RULES, n_unplaced=0, **n_rows):
    placed_by = None if rules is None else json.dumps(rules)
    return KnownObject("1", "f", "m1", n_rows or {"m1": 3}, n_unplaced, placed_by)


def make_read(fingerprint="f", n_unplaced=0, **n_rows):
    return place_records(make_object(), fingerprint, {**n_rows, None: n_unplaced} if n_unplaced else n_rows, "m1")


def test_new_and_changed_objects_are_chosen_and_known_ones_are_not():
    listed = [make_object("known"), make_object("changed", version="2"), make_object("new")]
    known = dict.fromkeys(("known", "changed", "vanished"), make_known())
    assert [item.key for item in choose_changed(listed, known, make_rules())] == ["changed", "new"]
    assert choose_unmoved(listed, known, make_rules()) == []


@pytest.mark.parametrize(
    ("changed", "n_unplaced", "is_read"),
    [
        ({}, 5, False),
        ({"latest": "2015"}, 0, False),
        ({"latest": "2015"}, 1, True),
        ({"latest": "2015"}, None, True),
        ({"earliest": "2012"}, 0, False),
        ({"latest": "2013-06"}, 0, True),
        ({"earliest": "2013-06"}, 0, True),
        ({"grain": "day"}, 0, True),
        ({"event_time": "seen"}, 0, True),
        ({"format": "csv"}, 0, True),
    ],
)
def test_an_object_is_read_again_only_where_other_rules_may_move_a_record(changed, n_unplaced, is_read):
    known, rules = {"a": make_known(n_unplaced=n_unplaced)}, make_rules(**changed)
    assert bool(choose_changed([make_object()], known, rules)) == is_read
    assert bool(choose_unmoved([make_object()], known, rules)) == (bool(changed) and not is_read)


def test_an_object_without_noted_rules_is_read_once_and_moves_only_differences():
    known = make_known(None, None, m1=3, m2=1)
    assert choose_changed([make_object()], {"a": known}, make_rules())
    assert moved_partitions(known, make_read(m1=3, m2=1, n_unplaced=0), make_rules()) == set()
    assert moved_partitions(known, make_read(m1=3, m3=1), make_rules()) == {"m2", "m3"}


def test_another_range_moves_what_is_counted_otherwise_and_the_homes_of_strays():
    before = {**RULES, "latest": "2013-06"}
    assert moved_partitions(make_known(before, m1=3, m2=1), make_read(m1=3, m2=2), make_rules()) == {"m2"}
    strays = make_known(before, 1, m1=3, m2=1)
    assert moved_partitions(strays, make_read(m1=3, m2=1), make_rules()) == {"m1"}


def test_the_same_bytes_by_the_same_rules_move_nothing_not_even_strays():
    strays = make_known(RULES, 1, m1=3, m2=1)
    assert moved_partitions(strays, make_read(m1=2, m2=1, n_unplaced=1), make_rules()) == set()


@pytest.mark.parametrize("name", ["grain", "event_time", "format"])
def test_where_another_rule_has_changed_equal_numbers_say_nothing(name):
    before = {**RULES, name: "other"}
    assert moved_partitions(make_known(before, m1=3, m2=1), make_read(m1=3, m2=1), make_rules()) == {"m1", "m2"}


def test_new_bytes_move_everything_that_they_feed_or_fed():
    assert moved_partitions(make_known(m1=3), make_read("g", m1=3, m2=1), make_rules()) == {"m1", "m2"}


@pytest.mark.parametrize(
    ("counts", "home"),
    [
        ({"2013-01": 2, "2013-02": 3}, "2013-02"),
        ({"2013-02": 3, "2013-01": 3}, "2013-01"),
        ({}, "2012-12"),
    ],
)
def test_home_is_the_commonest_partition_the_earliest_on_a_tie(counts, home):
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
