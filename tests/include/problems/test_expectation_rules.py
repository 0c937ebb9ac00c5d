import pytest

from include.problems.expectation_names import EXPECTATIONS
from include.problems.expectation_rules import (
    NAMES_ROWS,
    columns_named,
    complaint,
    complaint_about_rows,
    nearest,
)

BETWEEN = "ExpectColumnValuesToBeBetween"


@pytest.mark.parametrize(
    ("expect", "column", "arguments"),
    [
        (BETWEEN, "a", {"min_value": 0}),
        (BETWEEN, "a", {"max_value": 0, "mostly": 1}),
        (BETWEEN, "a", {"min_value": 3, "max_value": 3}),
        ("ExpectTableRowCountToBeBetween", None, {"min_value": 0}),
        ("ExpectColumnKLDivergenceToBeLessThan", "a", {"partition_object": {"values": []}, "threshold": 0.1}),
        ("UnexpectedRowsExpectation", None, {"unexpected_rows_query": "SELECT * FROM {batch}"}),
    ],
)
def test_a_good_expectation_has_no_complaint(expect, column, arguments):
    assert complaint(expect, column, arguments) is None


@pytest.mark.parametrize(
    ("expect", "column", "arguments", "field", "sentence"),
    [
        ("ExpectNothing", "a", {}, "expect", "unknown expectation 'ExpectNothing'"),
        ("ExpectColumnValuesToBeIncreasing", "a", {}, "expect", "offered on pandas and Spark only, not on SQL. Take"),
        ("ExpectQueryResultsToMatchComparison", None, {}, "expect", "it needs a second data source"),
        (BETWEEN, None, {"min_value": 0}, "column", "is about a column; name one"),
        ("ExpectTableColumnCountToEqual", "a", {"value": 3}, "column", "is not about one column; remove column: a"),
        (BETWEEN, "a", {"minimum": 0}, "arguments.minimum", "takes no argument 'minimum'; allowed are: max_value, "),
        (BETWEEN, "a", {"min_valu": 0}, "arguments.min_valu", "did you mean 'min_value'?"),
        (BETWEEN, "a", {}, "arguments", "needs min_value or max_value, or both"),
        (BETWEEN, "a", {"min_value": None}, "arguments", "needs min_value or max_value, or both"),
        ("ExpectColumnMeanToBeBetween", "a", {}, "arguments", "needs min_value or max_value, or both"),
        ("ExpectColumnValuesToBeInSet", "a", {}, "arguments", "needs value_set"),
        (
            "ExpectColumnValuesToBeInSet",
            "a",
            {"value_set": "EWR"},
            "arguments.value_set",
            "needs a list here, not 'EWR",
        ),
        ("ExpectColumnValuesToMatchRegex", "a", {"regex": 3}, "arguments.regex", "needs text here, not 3"),
        ("ExpectColumnPairValuesToBeEqual", None, {"column_A": "a"}, "arguments", "needs column_B"),
        (BETWEEN, "a", {"min_value": 9, "max_value": 1}, "arguments.min_value", "9 is more than max_value 1, so no"),
        (
            BETWEEN,
            "a",
            {"min_value": 9, "mostly": 95},
            "arguments.mostly",
            "a share above 0 and up to 1 is allowed, not",
        ),
        (
            BETWEEN,
            "a",
            {"min_value": 9, "mostly": 0},
            "arguments.mostly",
            "a share above 0 and up to 1 is allowed, not",
        ),
        (BETWEEN, "a", {"min_value": 9, "mostly": "0.9"}, "arguments.mostly", "a share above 0 and up to 1 is allowed"),
        (BETWEEN, "a", {"min_value": 9, "mostly": True}, "arguments.mostly", "a share above 0 and up to 1 is allowed"),
        (BETWEEN, "a", {"min_value": 9, "row_condition": "b > 1"}, "arguments.row_condition", "needs a mapping here"),
        (
            "UnexpectedRowsExpectation",
            None,
            {"unexpected_rows_query": "SELECT 1"},
            "arguments.unexpected_rows_query",
            "write {batch} where the table's name belongs",
        ),
    ],
)
def test_a_bad_expectation_is_told_where_and_what_to_do(expect, column, arguments, field, sentence):
    found = complaint(expect, column, arguments)
    assert found is not None
    assert found[0] == field
    assert sentence in found[1]


def test_columns_are_found_wherever_an_argument_names_them():
    assert columns_named({"column_A": "a", "column_B": "b", "mostly": 1}) == [("column_A", "a"), ("column_B", "b")]
    assert columns_named({"column_list": ["a", "b"]}) == [("column_list", "a"), ("column_list", "b")]
    assert columns_named({"value_set": ["a"]}) == []


def test_a_name_far_from_all_others_gets_no_suggestion():
    assert nearest("zzz", ["ride_id"]) == ""
    assert nearest("rideid", ["origin", "ride_id"]) == "; did you mean 'ride_id'?"


def test_rows_may_be_quarantined_by_a_stop_that_names_them():
    assert complaint_about_rows(BETWEEN, "stop", {"min_value": 0}) is None
    assert set(EXPECTATIONS) >= NAMES_ROWS


@pytest.mark.parametrize(
    ("expect", "severity", "arguments", "field", "sentence"),
    [
        ("ExpectColumnMeanToBeBetween", "stop", {"min_value": 0}, "rows", "remove rows: quarantine"),
        ("ExpectColumnValueZScoresToBeLessThan", "stop", {"threshold": 3}, "rows", "remove rows: quarantine"),
        (BETWEEN, "warn", {"min_value": 0}, "rows", "write severity: stop, or remove rows"),
        (BETWEEN, "stop", {"min_value": 0, "mostly": 0.9}, "arguments.mostly", "remove mostly"),
    ],
)
def test_rows_that_cannot_be_quarantined_are_refused_with_the_remedy(expect, severity, arguments, field, sentence):
    found = complaint_about_rows(expect, severity, arguments)
    assert found is not None
    assert found[0] == field
    assert sentence in found[1]
