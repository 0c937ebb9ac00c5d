import json

import pytest

from include.quality.verdicts import (
    Audit,
    CheckResult,
    decide_verdict,
    explain,
    explain_row,
    note_quarantined,
    warn_of_unknown_fields,
)


def make_result(check_index=0, expectation="ExpectColumnValuesToBeBetween", arguments=None, **changed):
    row = {
        "column_name": "distance_miles",
        "severity": "stop",
        "is_success": False,
        "observed": None,
        "n_unexpected": 12,
        "n_rows": 28140,
        "error": None,
    }
    bound = json.dumps({"min_value": 50, "max_value": 5000} if arguments is None else arguments)
    return CheckResult(check_index=check_index, expectation=expectation, bound=bound, **(row | changed))


def test_a_partition_without_complaints_passes_without_a_reason():
    good = make_result(is_success=True, n_unexpected=0)
    assert decide_verdict(Audit(28140, [good])) == ("pass", None, 0)


def test_one_broken_stop_among_good_ones_stops_with_its_numbers():
    good, bad = make_result(0, is_success=True), make_result(1)
    verdict, reason, n_warnings = decide_verdict(Audit(28140, [good, bad]))
    assert (verdict, n_warnings) == ("stop", 0)
    assert reason == "distance_miles: 12 of 28,140 rows are outside 50..5000 (ExpectColumnValuesToBeBetween, stop)"


def test_a_warning_before_a_stop_does_not_give_the_reason_but_is_counted():
    warn, stop = make_result(0, severity="warn", column_name="wind"), make_result(1)
    verdict, reason, n_warnings = decide_verdict(Audit(28140, [warn, stop]))
    assert (verdict, n_warnings) == ("stop", 1)
    assert reason.startswith("distance_miles:")


def test_two_warnings_warn_and_the_first_of_them_gives_the_reason():
    warnings = [make_result(0, severity="warn", column_name="wind"), make_result(1, severity="warn")]
    verdict, reason, n_warnings = decide_verdict(Audit(28140, warnings))
    assert (verdict, n_warnings) == ("warn", 2)
    assert reason.startswith("wind:")


def test_a_warning_that_nobody_could_answer_is_a_stop():
    verdict, reason, n_warnings = decide_verdict(Audit(10, [make_result(severity="warn", error="no such function")]))
    assert (verdict, n_warnings) == ("stop", 0)
    assert "could not be answered, so the partition is not published: no such function" in reason


def test_a_refusal_of_the_whole_partition_is_its_reason():
    audit = Audit(0, [make_result(error="0 rows")], refusal="0 rows are staged.")
    assert decide_verdict(audit) == ("stop", "0 rows are staged.", 0)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"expectation": "ExpectColumnValuesToNotBeNull", "arguments": {"mostly": 0.95}, "severity": "warn"},
            "distance_miles: 12 of 28,140 rows are missing; at most 5 of 100 may be "
            "(ExpectColumnValuesToNotBeNull, warn)",
        ),
        (
            {"expectation": "ExpectColumnValuesToBeUnique", "arguments": {}},
            "distance_miles: 12 of 28,140 rows are not unique (ExpectColumnValuesToBeUnique, stop)",
        ),
        (
            {"expectation": "ExpectColumnValuesToBeInSet", "arguments": {"value_set": ["EWR", "JFK"]}},
            "distance_miles: 12 of 28,140 rows are outside [EWR, JFK] (ExpectColumnValuesToBeInSet, stop)",
        ),
        (
            {"expectation": "ExpectColumnValuesToNotBeInSet", "arguments": {"value_set": ["?"]}},
            "distance_miles: 12 of 28,140 rows are what they must not be: [?] (ExpectColumnValuesToNotBeInSet, stop)",
        ),
        (
            {"expectation": "ExpectColumnValuesToMatchRegex", "arguments": {"regex": "^N"}},
            "distance_miles: 12 of 28,140 rows do not fulfil regex ^N (ExpectColumnValuesToMatchRegex, stop)",
        ),
        (
            {
                "expectation": "ExpectColumnMeanToBeBetween",
                "arguments": {"max_value": 30},
                "n_unexpected": None,
                "observed": "79.904931016",
            },
            "distance_miles: mean is 79.9049; allowed is at most 30 (ExpectColumnMeanToBeBetween, stop)",
        ),
        (
            {
                "expectation": "ExpectTableRowCountToBeBetween",
                "arguments": {"min_value": 1},
                "n_unexpected": None,
                "observed": "0",
                "column_name": None,
            },
            "the partition: row count is 0; allowed is at least 1 (ExpectTableRowCountToBeBetween, stop)",
        ),
        (
            {
                "expectation": "ExpectColumnPairValuesAToBeGreaterThanB",
                "arguments": {"column_A": "a", "column_B": "b"},
                "column_name": None,
            },
            "a, b: 12 of 28,140 rows do not fulfil column_A a, column_B b "
            "(ExpectColumnPairValuesAToBeGreaterThanB, stop)",
        ),
        (
            {
                "expectation": "UnexpectedRowsExpectation",
                "arguments": {"unexpected_rows_query": "SELECT * FROM {batch}"},
                "column_name": None,
            },
            "the partition: 12 of 28,140 rows are found by the query, where none should be "
            "(UnexpectedRowsExpectation, stop)",
        ),
    ],
)
def test_a_reason_is_a_sentence_with_the_numbers(changed, sentence):
    assert explain(make_result(**changed)) == sentence


@pytest.mark.parametrize(
    ("expectation", "column", "arguments", "words"),
    [
        ("ExpectColumnValuesToBeBetween", "miles", {"min_value": 50, "max_value": 5000}, "miles is outside 50..5000"),
        ("ExpectColumnValuesToNotBeNull", "miles", {}, "miles is missing"),
        ("ExpectColumnValuesToBeUnique", "ride", {}, "ride is not unique"),
        ("ExpectColumnValuesToMatchRegex", "ride", {"regex": "^a"}, "ride does not fulfil regex ^a"),
        ("ExpectColumnValuesToNotBeInSet", "ride", {"value_set": ["x"]}, "ride is what it must not be: [x]"),
        (
            "ExpectColumnPairValuesToBeEqual",
            None,
            {"column_A": "a", "column_B": "b"},
            "a, b does not fulfil column_A a, column_B b",
        ),
    ],
)
def test_what_is_wrong_with_one_row_is_said_in_a_few_words(expectation, column, arguments, words):
    assert explain_row(expectation, column, arguments) == words


def test_the_most_frequent_unknown_fields_come_first_and_many_share_the_last_line():
    fields = {f"f{number:02}": number for number in range(1, 26)}
    results = warn_of_unknown_fields(fields, first_index=3, n_rows=30)
    assert [result.check_index for result in results] == list(range(3, 24))
    assert (results[0].column_name, results[0].n_unexpected) == ("f25", 25)
    assert (results[-1].column_name, results[-1].n_unexpected) == ("and 5 other fields", 5)
    assert decide_verdict(Audit(30, results))[0] == "warn"
    assert warn_of_unknown_fields({}, 3, 30) == []


def test_rows_that_were_taken_out_stand_beside_the_expectation_that_took_them():
    audit = note_quarantined(Audit(9, [make_result(0), make_result(1)]), {1: 4})
    assert [result.n_quarantined for result in audit.results] == [0, 4]
