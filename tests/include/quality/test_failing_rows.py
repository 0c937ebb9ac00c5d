"""Which rows an expectation names: Great Expectations' own answer, on real Parquet files."""

import pytest

from include.problems.expectation_rules import NAMES_ROWS
from include.quality import failing_rows
from include.quality.audit import audit_files
from include.quality.failing_rows import rows_to_quarantine

pytestmark = pytest.mark.slow

MILES = [100.0, 101.0, 7000.0, 103.0, 5.0, 105.0, None, 107.0, 108.0, 109.0]


def ask(expect, column=None, *, rows="quarantine", **arguments):
    return {"expect": expect, "column": column, "severity": "stop", "rows": rows, "arguments": arguments}


BETWEEN = ask("ExpectColumnValuesToBeBetween", "distance_miles", min_value=50, max_value=5000)

# For every expectation that names rows: a question about ten rides, and the lines of those that break it, by hand.
# Lines count from 1; origin is EWR, JFK, LGA in turn, seats 1, 2, 3, 4 in turn, miles 100, 101, ... where not replaced.
EXAMPLES = {
    "ExpectColumnPairValuesAToBeGreaterThanB": (
        None,
        {"column_A": "seats", "column_B": "distance_miles"},
        range(1, 11),
    ),
    "ExpectColumnPairValuesToBeEqual": (None, {"column_A": "seats", "column_B": "distance_miles"}, range(1, 11)),
    "ExpectColumnPairValuesToBeInSet": (
        None,
        {
            "column_A": "origin",
            "column_B": "seats",
            "value_pairs_set": [["EWR", 1], ["JFK", 2], ["LGA", 3], ["EWR", 4]],
        },
        [5, 6, 7, 8, 9, 10],
    ),
    "ExpectColumnValueLengthsToBeBetween": ("ride_id", {"max_value": 16}, []),
    "ExpectColumnValueLengthsToEqual": ("origin", {"value": 4}, range(1, 11)),
    "ExpectColumnValuesToBeBetween": ("distance_miles", {"min_value": 102, "max_value": 108}, [1, 2, 10]),
    "ExpectColumnValuesToBeInSet": ("origin", {"value_set": ["EWR", "JFK"]}, [3, 6, 9]),
    "ExpectColumnValuesToBeNull": ("email", {}, range(1, 11)),
    "ExpectColumnValuesToBeUnique": ("seats", {}, range(1, 11)),
    "ExpectColumnValuesToMatchLikePattern": ("origin", {"like_pattern": "%R"}, [2, 3, 5, 6, 8, 9]),
    "ExpectColumnValuesToMatchLikePatternList": ("origin", {"like_pattern_list": ["E%", "J%"]}, [3, 6, 9]),
    "ExpectColumnValuesToMatchRegex": ("origin", {"regex": "^[EJ]"}, [3, 6, 9]),
    "ExpectColumnValuesToMatchRegexList": ("origin", {"regex_list": ["^E", "^J"]}, [3, 6, 9]),
    "ExpectColumnValuesToNotBeInSet": ("origin", {"value_set": ["JFK"]}, [2, 5, 8]),
    "ExpectColumnValuesToNotBeNull": ("is_shared", {}, []),
    "ExpectColumnValuesToNotMatchLikePattern": ("origin", {"like_pattern": "J%"}, [2, 5, 8]),
    "ExpectColumnValuesToNotMatchLikePatternList": ("origin", {"like_pattern_list": ["J%", "X%"]}, [2, 5, 8]),
    "ExpectColumnValuesToNotMatchRegex": ("origin", {"regex": "^J"}, [2, 5, 8]),
    "ExpectColumnValuesToNotMatchRegexList": ("origin", {"regex_list": ["^J", "^X"]}, [2, 5, 8]),
    "ExpectMulticolumnSumToEqual": (None, {"column_list": ["distance_miles", "seats"], "sum_total": 101}, range(2, 11)),
    "ExpectMulticolumnValuesToBeEqual": (None, {"column_list": ["distance_miles", "seats"]}, range(1, 11)),
    "ExpectSelectColumnValuesToBeUniqueWithinRecord": (None, {"column_list": ["distance_miles", "seats"]}, []),
}


def lines(faults):
    return [sorted(fault.places["_line_number"].to_pylist()) for fault in faults]


def name_rows(problem, file):
    return rows_to_quarantine(problem, audit_files(problem, [file]), [file])


def test_every_expectation_that_may_take_rows_out_names_those_that_break_it(make_problem, stage, monkeypatch):
    """As many as are counted, too: otherwise nothing is quarantined, and this fails."""
    assert sorted(EXAMPLES) == sorted(NAMES_ROWS)
    file, asked = stage(10), []

    def ask_for_all(problem, audit):
        return [result for result in audit.results if not result.is_success]

    monkeypatch.setattr(failing_rows, "_broken", ask_for_all)
    monkeypatch.setattr(failing_rows, "_first_faults", lambda _p, _b, named: asked.append(named) or [])
    # A share of all rows may go, so that the question is which, and not how many.
    questions = [ask(name, column, rows="refuse", **arguments) for name, (column, arguments, _) in EXAMPLES.items()]
    problem = make_problem(*questions)
    object.__setattr__(problem.quality, "quarantine_at_most", 1.0)
    audit = audit_files(problem, [file])
    assert rows_to_quarantine(problem, audit, [file]) == ([], None)
    found = {name: asked[0].get(index, []) for index, name in enumerate(EXAMPLES)}
    assert {name: sorted(line for _, line in rows) for name, rows in found.items()} == {
        name: list(expected) for name, (_, _, expected) in EXAMPLES.items()
    }


def test_two_bad_rows_are_named_with_a_reason_a_missing_value_not(make_problem, stage):
    (fault,), refusal = name_rows(make_problem(BETWEEN, quarantine_at_most=0.2), stage(10, distance_miles=MILES))
    assert (refusal, fault.reason, fault.field, fault.is_shown) == (
        None,
        "distance_miles is outside 50..5000",
        "distance_miles",
        True,
    )
    assert lines([fault]) == [[3, 5]]


def test_a_row_that_breaks_two_expectations_is_named_once_by_the_first(make_problem, stage):
    far = ask("ExpectColumnValuesToBeBetween", "distance_miles", max_value=104)
    problem = make_problem(far, BETWEEN, quarantine_at_most=0.5)
    faults, _ = name_rows(problem, stage(10, distance_miles=[100.0] * 6 + [7000.0, 5.0, 6000.0, 107.0]))
    assert lines(faults) == [[7, 9, 10], [8]]


def test_where_nothing_is_broken_or_nothing_may_be_taken_out_nobody_is_asked(make_problem, stage, monkeypatch):
    monkeypatch.setattr(failing_rows, "ask", None)
    assert name_rows(make_problem(BETWEEN), stage(10)) == ([], None)
    kept = BETWEEN | {"rows": "refuse"}
    assert name_rows(make_problem(kept), stage(10, distance_miles=MILES)) == ([], None)


def test_more_rows_than_may_be_taken_out_refuse_the_partition_with_both_numbers(make_problem, stage):
    faults, refusal = name_rows(make_problem(BETWEEN, quarantine_at_most=0.1), stage(10, distance_miles=MILES))
    assert faults == []
    assert refusal.startswith("distance_miles: 2 of 9 rows are outside 50..5000")
    assert "at most 1 of 10 rows may go to quarantine (quality.quarantine_at_most)" in refusal


def test_few_rows_each_that_are_too_many_together_refuse_the_partition(make_problem, stage):
    seats = ask("ExpectColumnValuesToBeBetween", "seats", max_value=3)
    problem = make_problem(BETWEEN, seats, quarantine_at_most=0.3)
    faults, refusal = name_rows(problem, stage(10, distance_miles=MILES))
    assert (faults, refusal[:57]) == ([], "4 rows break expectations; at most 3 of 10 rows may go to")


def test_rows_that_are_not_as_many_as_were_counted_are_not_quarantined(make_problem, stage, monkeypatch):
    monkeypatch.setattr(failing_rows, "_ask_for_rows", lambda *_: {0: [("part-0.parquet", 3)]})
    faults, refusal = name_rows(make_problem(BETWEEN, quarantine_at_most=0.2), stage(10, distance_miles=MILES))
    assert faults == []
    assert "counted 2 rows and named 1, so nothing is quarantined" in refusal


def test_an_exception_while_rows_are_named_is_a_refusal(make_problem, stage, monkeypatch):
    def break_down(*_):
        raise RuntimeError("secret-person")

    monkeypatch.setattr(failing_rows, "ask", break_down)
    faults, refusal = name_rows(make_problem(BETWEEN, quarantine_at_most=0.2), stage(10, distance_miles=MILES))
    assert (faults, refusal) == (
        [],
        "Great Expectations broke down naming rows, so nothing is quarantined: RuntimeError",
    )


def test_an_unanswered_question_keeps_all_rows_where_they_are(make_problem, stage):
    wrong = ask("ExpectColumnMeanToBeBetween", "origin", rows="refuse", min_value=0)
    problem = make_problem(BETWEEN, wrong, quarantine_at_most=0.2)
    assert name_rows(problem, stage(10, distance_miles=MILES)) == ([], None)


def test_a_column_of_personal_data_is_named_without_its_value(make_problem, stage):
    emails = ask("ExpectColumnValuesToNotBeInSet", "email", value_set=["j3***@example.org"])
    (fault,), _ = name_rows(make_problem(emails), stage(10))
    assert (lines([fault]), fault.is_shown) == ([[4]], False)
