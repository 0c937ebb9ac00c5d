import json

import pytest

from include.engine.object_store.objects import LocalObject, RawObject
from include.engine.session import open_engine
from include.lake import files
from include.lake.compiled_query import Sorting
from include.lake.partition_staging import count_unknown, drop_duplicates, sort_out
from include.lake.reading import open_files
from include.lake.row_expressions import QUARANTINE_SCHEMA, events_schema
from include.problems.reading import load_problem

JANUARY, FOLDER = "2013-01", "flights/data/2013-01"


@pytest.fixture
def sort(landing):
    """Sort objects out: `sort(a=[...], b=[...])`, with what is to be another way as `homes` and `given_up`."""

    def run(homes=("a",), given_up=(), keys=(JANUARY,), **objects):
        local = []
        for key, records in objects.items():
            landing.drop(key, *records)
            local.append(LocalObject(key, landing.folder / "flights" / key, RawObject(key, 0, ""), False))
        source = load_problem("flights").source
        at_home = dict.fromkeys(homes, JANUARY) if not isinstance(homes, dict) else homes
        rules = Sorting("flights", keys, source, local, at_home, dict(given_up), "secret")
        rows, n_records = sort_out(open_engine(), rules)
        outcomes = {key: one.to_xcom() | {"records": n_records} for key, one in rows.items()}
        return outcomes if len(keys) > 1 else outcomes[keys[0]]

    return run


def counts(outcome):
    return tuple(outcome[name] for name in ("n_in", "n_staged", "n_quarantined", "n_duplicate"))


def staged_ids(outcome):
    rows = open_files(outcome["staged"], events_schema(load_problem("flights").source))
    return sorted(rows.to_pyarrow()["flight_id"].to_pylist())


def quarantined(outcome):
    rows = open_files(outcome["quarantined"], QUARANTINE_SCHEMA).to_pyarrow().to_pylist()
    return sorted((row["_object_key"], row["_line_number"], row["reason"]) for row in rows)


def test_no_objects_are_no_files_and_no_counts(sort):
    outcome = sort()
    assert counts(outcome) == (0, 0, 0, 0)
    assert (outcome["staged"], outcome["quarantined"], outcome["records"]) == ([], [], {})


def test_every_record_is_accounted_for_once(sort, flight):
    february = flight("f", at="2013-02-05T10:00:00Z")
    first = [flight("a"), "{", flight("b", gate="x"), february, flight("a", delay=9)]
    second = [flight("c"), flight("a"), flight("d", at=None)]
    outcome = sort(homes=["a", "b"], a=first, b=second)
    assert counts(outcome) == (7, 2, 3, 2)
    assert outcome["records"] == {"a": 5, "b": 3}
    assert staged_ids(outcome) == ["a", "c"]
    assert quarantined(outcome) == [
        ("a", 2, "record is not JSON"),
        ("a", 3, "gate is not a whole number"),
        ("b", 3, "at is missing"),
    ]


def test_of_two_rows_of_one_name_the_first_in_order_stays(sort, flight):
    outcome = sort(b=[flight("a", delay=2)], a=[flight("a", delay=1), flight("a", delay=3)])
    rows = open_files(outcome["staged"]).to_pyarrow().to_pylist()
    assert [(row["_object_key"], row["delay"]) for row in rows] == [("a", 1.0)]
    assert outcome["n_duplicate"] == 2


def test_records_without_a_time_stay_out_where_their_object_is_not_at_home(sort, flight):
    outcome = sort(homes=[], a=[flight("a"), flight("b", at=None), "{"])
    assert counts(outcome) == (1, 1, 0, 0)
    assert outcome["quarantined"] == []


def test_an_object_that_was_given_up_counts_as_one_record_beside_good_ones(sort, flight):
    reason = "object is larger than 1 GB"
    outcome = sort(homes=["a", "b"], given_up={"b": reason}, a=[flight("a")], b=[flight("x"), flight("y")])
    assert counts(outcome) == (2, 1, 1, 0)
    assert quarantined(outcome) == [("b", 0, reason)] or quarantined(outcome) == [("b", 1, reason)]


def test_sorting_out_twice_gives_the_same_files(sort, flight):
    records = [flight("a"), "{", flight("a"), flight("long", note="x" * 12_000 + "\u2028")]
    assert sort(a=records) == sort(a=records)


def test_where_nothing_can_be_used_no_file_is_staged(sort):
    outcome = sort(a=["{", "[]"])
    assert counts(outcome) == (2, 0, 2, 0)
    assert outcome["staged"] == []


def test_fields_that_nobody_declared_are_counted_in_rows(sort, flight):
    outcome = sort(a=[flight("a", new=1), flight("b", new=2, other="x"), flight("c")])
    assert outcome["unknown_fields"] == {"new": 2, "other": 1}
    assert count_unknown(outcome["staged"]) == {JANUARY: {"new": 2, "other": 1}}
    assert count_unknown([]) == {}


def test_files_without_a_second_name_are_left_as_they_are(sort, flight):
    outcome = sort(a=[flight("a"), flight("b")])
    source = load_problem("flights").source
    written = {JANUARY: outcome["staged"]}
    assert drop_duplicates(open_engine(), "flights", source, written) == (written, {})
    assert files.list_folder(FOLDER) == outcome["staged"]


def test_json_survives_the_way_through_xcom(sort, flight):
    outcome = sort(a=[flight("a"), "{"])
    assert json.loads(json.dumps(outcome)) == outcome


FEBRUARY, MARCH = "2013-02", "2013-03"


@pytest.fixture
def mixed(flight):
    """Give objects that feed three months, with whatever can be wrong with a record in each."""
    there = {"01": "2013-01-05T10:00:00Z", "02": "2013-02-05T10:00:00Z", "03": "2013-03-05T10:00:00Z"}
    first = [flight(f"{i}", at=there[month], delay=i) for i in range(40) for month in ("02", "01")]
    first += ["{", flight("bad", at=there["02"], gate="x"), flight("new", at=there["01"], other=1)]
    return {
        "a": first,
        "b": [flight("only", at=there["03"]), flight("lost", at=None), flight("7", at=there["01"]), "\u2028"],
        "c": [flight("next", at=there["02"], note="x" * 12_000)],
    }


HOMES = {"a": JANUARY, "b": MARCH, "c": FEBRUARY}


def rows_in(outcome):
    """Read what is staged and what is quarantined, in the order of the files."""
    source = load_problem("flights").source
    staged = open_files(outcome["staged"], events_schema(source)).to_pyarrow().to_pylist()
    return staged, open_files(outcome["quarantined"], QUARANTINE_SCHEMA).to_pyarrow().to_pylist()


def test_partitions_of_a_group_get_the_rows_and_counts_that_each_gets_alone(sort, mixed):
    keys = (JANUARY, FEBRUARY, MARCH)
    together = sort(homes=HOMES, keys=keys, **mixed)
    for key in keys:
        homes = {name: home for name, home in HOMES.items() if home == key}
        alone = sort(homes=homes, keys=(key,), **mixed)
        files_of_rows = {"staged", "quarantined"}
        assert {k: v for k, v in together[key].items() if k not in files_of_rows} == {
            k: v for k, v in alone.items() if k not in files_of_rows
        }
        assert rows_in(together[key]) == rows_in(alone), key
    assert [counts(together[key]) for key in keys] == [(43, 41, 1, 1), (42, 41, 1, 0), (3, 1, 2, 0)]
    assert together[JANUARY]["unknown_fields"] == {"other": 1}
    assert sort(homes=HOMES, keys=keys, **mixed) == together


def test_a_group_leaves_out_the_records_of_partitions_that_are_not_in_it(sort, mixed):
    pair = sort(homes={"a": JANUARY}, keys=(JANUARY, MARCH), **mixed)
    assert [counts(pair[key]) for key in (JANUARY, MARCH)] == [(43, 41, 1, 1), (1, 1, 0, 0)]
    assert staged_ids(pair[MARCH]) == ["only"]


def test_one_name_in_two_partitions_of_a_group_is_no_duplicate(sort, flight):
    both = [flight("same"), flight("same", at="2013-02-05T10:00:00Z"), flight("same", at="2013-02-06T10:00:00Z")]
    found = sort(keys=(JANUARY, FEBRUARY), a=both)
    assert [found[key]["n_duplicate"] for key in (JANUARY, FEBRUARY)] == [0, 1]


def test_a_partition_of_a_group_without_a_record_has_no_file(sort, flight):
    found = sort(keys=(JANUARY, MARCH), a=[flight("a")])
    assert (counts(found[MARCH]), found[MARCH]["staged"]) == ((0, 0, 0, 0), [])
