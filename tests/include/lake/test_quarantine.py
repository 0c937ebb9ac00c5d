import json

import pyarrow as pa
import pytest

from include.errors import CountsDoNotAddUp
from include.lake.quarantine import Fault, quarantine_rows
from include.lake.reading import open_files
from include.lake.row_expressions import QUARANTINE_SCHEMA
from include.lake.steps import stage_partition
from include.landing.steps import find_new_partitions
from include.problems.reading import load_problem

JANUARY = "2013-01"


def make_fault(*lines, reason="delay is outside 0..9", field="delay", is_shown=True, key="flights/a.jsonl"):
    places = {"_object_key": [key] * len(lines), "_line_number": pa.array(lines, pa.int64())}
    return Fault(0, reason, field, is_shown, pa.table(places))


@pytest.fixture
def staged(landing, flight):
    landing.drop("a.jsonl", *(flight(name, delay=10 * n) for n, name in enumerate("abcd")))
    find_new_partitions(problem="flights")
    return stage_partition(problem="flights", partition_key=JANUARY)


def move(staged, *faults, n_staged=4):
    return quarantine_rows(load_problem("flights"), JANUARY, staged["staged"], n_staged, faults)


def read(paths, schema=None):
    return open_files(paths, schema).order_by("_line_number").to_pyarrow().to_pylist()


def test_named_rows_move_with_reason_place_and_record_and_others_stay(staged):
    moved = move(staged, make_fault(2), make_fault(4, reason="delay is odd", field=None))
    assert (moved.n_staged, moved.n_quarantined) == (2, 2)
    assert [row["flight_id"] for row in read(moved.staged)] == ["a", "c"]
    first, second = read(moved.quarantined, QUARANTINE_SCHEMA)
    assert (first["reason"], first["field"], first["detail"]) == (
        "delay is outside 0..9",
        "delay",
        "delay is outside 0..9 (it holds '10.0')",
    )
    assert (first["_object_key"], first["_line_number"], first["_row_key"]) == ("flights/a.jsonl", 2, "b")
    assert json.loads(first["record"])["flight_id"] == "b"
    assert (second["reason"], second["field"], second["detail"]) == ("delay is odd", None, "delay is odd")


def test_a_value_that_tells_on_a_person_is_not_in_the_detail(staged):
    moved = move(staged, make_fault(2, is_shown=False))
    assert read(moved.quarantined, QUARANTINE_SCHEMA)[0]["detail"] == "delay is outside 0..9"


def test_the_same_rows_give_the_same_files_again(staged):
    assert move(staged, make_fault(2, 3)) == move(staged, make_fault(3, 2))


def test_all_rows_may_be_at_fault_and_then_no_file_is_left(staged):
    moved = move(staged, make_fault(1, 2, 3, 4))
    assert (moved.staged, moved.n_staged, moved.n_quarantined) == ((), 0, 4)


@pytest.mark.parametrize("fault", [make_fault(2, 9), make_fault(2, 2), make_fault(2, key="flights/b.jsonl")])
def test_one_named_row_that_is_not_there_once_stops_everything(staged, fault):
    with pytest.raises(CountsDoNotAddUp, match=r"of 4 staged rows, \d were to be quarantined"):
        move(staged, fault)
