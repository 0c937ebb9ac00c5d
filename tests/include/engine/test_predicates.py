import pyarrow as pa
import pytest

from include.engine.predicates import add_predicates, add_quantity
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.errors import BadProblem

pytestmark = pytest.mark.usefixtures("each_engine")


@pytest.fixture
def flights():
    rows = pa.table({"delay": [20.0, 15.0, None], "origin": ["JFK", "EWR", "LGA"]})
    return relation_of_arrow(open_engine(), rows)


def rows_of(table):
    return table.to_pyarrow().to_pydict()


def test_a_predicate_becomes_a_column_and_unknown_counts_as_false(flights):
    added = add_predicates(flights, {"is_late": "delay > 15"})
    assert rows_of(added) == {
        "delay": [20.0, 15.0, None],
        "origin": ["JFK", "EWR", "LGA"],
        "is_late": [True, False, False],
    }


def test_two_predicates_stand_in_the_order_given(flights):
    added = add_predicates(flights, {"known": "delay IS NOT NULL", "late": "delay > 15"})
    assert added.columns[-2:] == ("known", "late")
    assert rows_of(added)["known"] == [True, True, False]


def test_no_predicate_changes_nothing(flights):
    assert add_predicates(flights, {}).columns == flights.columns


def test_a_comment_at_the_end_does_not_swallow_the_bracket(flights):
    assert rows_of(add_predicates(flights, {"late": "delay > 15 -- minutes"}))["late"] == [True, False, False]


def test_the_built_in_rules_run_as_written():
    mails = relation_of_arrow(open_engine(), pa.table({"subject": ["Free trial!", None], "body": [None, "hello"]}))
    rule = "lower(coalesce(subject, '') || ' ' || coalesce(body, '')) SIMILAR TO '.*(viagra|free trial).*'"
    assert rows_of(add_predicates(mails, {"hit": rule}))["hit"] == [True, False]


def test_predicates_may_be_asked_of_an_expression(flights):
    late = add_predicates(flights.filter(flights.origin != "EWR"), {"late": "delay > 15"})
    assert rows_of(late.filter(late.late))["origin"] == ["JFK"]


@pytest.mark.parametrize("broken", ["dealy > 15", "delay >", "delay > 15); DROP TABLE x; --"])
def test_one_broken_predicate_among_good_ones_is_named(flights, broken):
    with pytest.raises(BadProblem, match="'second' cannot be used"):
        add_predicates(flights, {"first": "delay > 1", "second": broken})


def test_a_predicate_that_is_a_number_is_refused(flights):
    with pytest.raises(BadProblem, match="'late'"):
        add_predicates(flights, {"late": "delay + 1"})


def test_a_predicate_never_replaces_a_column(flights):
    with pytest.raises(BadProblem, match="'origin' would replace"):
        add_predicates(flights, {"origin": "delay > 1"})


def test_a_number_is_added_as_a_double_and_unknown_stays_unknown(flights):
    table = add_quantity(flights, "hours", "CASE WHEN origin = 'EWR' THEN NULL ELSE delay / 60 END -- minutes")
    assert str(table.schema()["hours"]) == "float64"
    assert [one is None for one in rows_of(table)["hours"]].count(True) >= 1


@pytest.mark.parametrize(("sql", "said"), [("origin", "not a number"), ("dealy", "cannot be used")])
def test_what_gives_no_number_is_refused_and_shown(flights, sql, said):
    with pytest.raises(BadProblem, match=said):
        add_quantity(flights, "hours", sql)
