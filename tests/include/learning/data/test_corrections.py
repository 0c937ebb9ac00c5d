from datetime import UTC, datetime
from types import SimpleNamespace

import ibis
import pyarrow as pa
import pytest
from sqlalchemy import insert

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.learning.data.corrections import correct_labels, read_corrections
from include.problems.sections.learning import Label
from include.warehouse.tables.review import LABEL_CORRECTION

ROWS = {"_row_key": ["a", "b", "c|\u2028"], "_is_known": [True, True, False], "_is_positive": [True, False, False]}


def say(house, *said, problem="p"):
    shared = {"problem": problem, "is_positive": True, "object_key": "f", "partition_key": "k"}
    shared |= {"corrected_at_utc": datetime(2013, 7, 1, tzinfo=UTC)}
    rows = [{**shared, "item_id": item, "labelled_by": person, "label": label} for item, person, label in said]
    with house.engine.begin() as connection:
        connection.execute(insert(LABEL_CORRECTION), rows)


TWO = Label(classes=["good", "bad"], positive="bad", source="log", known_when="a", positive_when="b", corrections=True)
KINDS = ["fern", "moss", "rose"]
SEVERAL = Label(classes=KINDS, source="log", known_when="a", value="b", corrections=True)
MANY = Label(classes=KINDS, multiple=True, source="log", known_when="a", value="b", corrections=True)


def read(house, problem="p", label=TWO):
    with house.engine.connect() as connection:
        return read_corrections(connection, problem, label)


def correct(is_on=True, columns=ROWS, label=TWO) -> dict[str, tuple[bool, bool]]:
    label = label.model_copy(update={"corrections": is_on})
    rows = relation_of_arrow(open_engine(), pa.table(columns))
    corrected: ibis.Table = correct_labels(rows, SimpleNamespace(name="p", label=label))
    assert corrected.columns == rows.columns
    return {row.pop("_row_key"): tuple(row.values()) for row in corrected.to_pyarrow().to_pylist()}


def test_most_people_decide_and_where_they_do_not_agree_nobody_has_corrected(house):
    say(house, ("a", "kim", "good"), ("b", "kim", "bad"), ("b", "lee", "good"), ("c", "kim", "bad"))
    say(house, ("c", "lee", "good"), ("c", "ann", "bad"))
    say(house, ("d", "kim", "bad"), problem="q")
    assert read(house) == {"a": False, "c": True}


def test_an_answer_whose_class_was_renamed_since_hides_no_label(house):
    say(house, ("a", "kim", "shrub"), ("b", "kim", "shrub"), ("b", "lee", "rose"))
    assert read(house, label=SEVERAL) == {"b": "rose"}


def test_a_corrected_label_is_known_and_every_other_row_stays_as_it_was(house):
    say(house, ("a", "kim", "good"), ("c|\u2028", "kim", "bad"), ("of no row", "kim", "bad"))
    assert correct() == {"a": (True, False), "b": (True, False), "c|\u2028": (True, True)}


@pytest.mark.parametrize("said", [[], [("a", "kim", "bad"), ("a", "lee", "good")]])
def test_without_a_correction_the_log_alone_counts(house, said):
    if said:
        say(house, *said)
    assert correct() == {"a": (True, True), "b": (True, False), "c|\u2028": (False, False)}


def test_a_problem_that_takes_no_corrections_is_read_as_it_is(house):
    say(house, ("a", "kim", "good"))
    assert correct(is_on=False)["a"] == (True, True)
    assert correct(columns={"_row_key": ["a"]}) == {"a": ()}


def test_of_one_class_and_a_rest_of_two_the_rest_is_one_side(house):
    say(house, ("a", "kim", "good"), ("a", "lee", "odd"), ("a", "ann", "bad"))
    three = TWO.model_copy(update={"classes": ["good", "odd", "bad"]})
    assert read(house, label=three) == {"a": False}


def test_of_several_classes_most_people_decide_and_a_tie_leaves_the_log(house):
    say(house, ("a", "kim", "moss"), ("a", "lee", "moss"), ("a", "ann", "fern"))
    say(house, ("b", "kim", "fern"), ("b", "lee", "rose"), ("c|\u2028", "kim", "rose"))
    columns = {"_row_key": ROWS["_row_key"], "_is_known": ROWS["_is_known"], "_labels": ["fern", "moss", None]}
    assert read(house, label=SEVERAL) == {"a": "moss", "c|\u2028": "rose"}
    assert correct(columns=columns, label=SEVERAL) == {
        "a": (True, "moss"),
        "b": (True, "moss"),
        "c|\u2028": (True, "rose"),
    }


def test_of_several_labels_the_same_ones_are_the_same_answer_and_none_is_one(house):
    say(house, ("a", "kim", '["fern", "moss"]'), ("a", "lee", '["moss", "fern"]'), ("a", "ann", "[]"))
    say(house, ("b", "kim", "[]"), ("c|\u2028", "kim", '["rose"]'))
    labels = pa.array([["rose"], ["moss"], None], pa.list_(pa.string()))
    columns = {"_row_key": ROWS["_row_key"], "_is_known": ROWS["_is_known"], "_labels": labels}
    assert correct(columns=columns, label=MANY) == {
        "a": (True, ["fern", "moss"]),
        "b": (True, []),
        "c|\u2028": (True, ["rose"]),
    }
