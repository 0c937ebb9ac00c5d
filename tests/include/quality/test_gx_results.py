"""The shapes in which Great Expectations answers; that it does so is what `test_audit.py` sees."""

import json

import numpy as np
import pytest

from include.quality.gx_context import gx
from include.quality.gx_results import is_personal, read_answer, unanswered

pytestmark = pytest.mark.slow


def ask(expect, column=None, severity="stop", **arguments):
    return {"expect": expect, "column": column, "severity": severity, "arguments": arguments}


BETWEEN = ask("ExpectColumnValuesToBeBetween", "distance_miles", max_value=5000, min_value=50)
MEAN = ask("ExpectColumnMeanToBeBetween", "distance_miles", min_value=1)
MAIL_MAX = ask("ExpectColumnMaxToBeBetween", "email", max_value="z")
QUERY = ask("UnexpectedRowsExpectation", unexpected_rows_query="SELECT * FROM {batch} WHERE seats > 9")


def raised(message):
    return {"raised_exception": True, "exception_message": message, "exception_traceback": "..."}


@pytest.fixture
def read(make_problem):
    """Read one answer: `read(expectation, success=..., result=..., exception_info=...)`."""

    def run(expectation, *, n_rows=10, **answer):
        answer = gx.core.ExpectationValidationResult(**({"success": True, "result": {}} | answer))
        return read_answer(make_problem(expectation), 0, answer, n_rows)

    return run


def test_rows_are_counted_of_those_that_were_asked(read):
    result = {"element_count": 9, "missing_count": 2, "unexpected_count": 3}
    found = read(BETWEEN, success=False, result=result)
    assert (found.n_unexpected, found.n_rows, found.is_success) == (3, 7, False)
    assert (found.check_index, found.column_name, found.severity) == (0, "distance_miles", "stop")
    assert json.loads(found.bound) == {"max_value": 5000, "min_value": 50}


def test_an_answer_without_counts_is_about_all_rows(read):
    found = read(MEAN, result={"observed_value": 104.5})
    assert (found.observed, found.n_unexpected, found.n_rows, found.error) == ("104.5", None, 10, None)


def test_no_unexpected_rows_are_zero_and_not_unknown(read):
    assert read(BETWEEN, result={"unexpected_count": 0, "missing_count": None}).n_unexpected == 0
    assert read(QUERY, result={"observed_value": 0}).n_unexpected == 0


@pytest.mark.parametrize(
    ("seen", "written"),
    [
        (np.float64(104.5), "104.5"),
        ({"values": [np.int64(3), None]}, '{"values": [3, null]}'),
        ("EWR", "EWR"),
        (0, "0"),
        (False, "false"),
        (None, None),
    ],
)
def test_what_was_seen_becomes_text(read, seen, written):
    assert read(MEAN, result={"observed_value": seen}).observed == written


def test_a_success_of_numpy_is_a_plain_bool(read):
    assert read(MEAN, success=np.bool_(True)).is_success is True


@pytest.mark.parametrize(
    "information",
    [
        raised("Error: no\n such   function"),
        {"metric-1": {"raised_exception": False}, "m2": raised("no such function")},
    ],
)
def test_an_exception_is_no_success_wherever_it_is_reported(read, information):
    found = read(BETWEEN, success=True, exception_info=information)
    assert found.is_success is False
    assert found.error == "no such function"


def test_a_long_error_is_cut_and_an_empty_one_is_still_an_error(read):
    assert len(read(BETWEEN, exception_info=raised("x" * 12_000)).error) == 400
    found = read(BETWEEN, success=True, exception_info=raised(None))
    assert (found.is_success, found.error) == (False, "no message")


def test_neither_values_nor_errors_of_personal_data_are_repeated(read):
    assert read(MAIL_MAX, result={"observed_value": "jane@example.org"}).observed == "withheld: personal data"
    failed = read(MAIL_MAX, exception_info=raised("(_duckdb.ConversionException) cannot cast 'jane@example.org'"))
    assert failed.error.startswith("ConversionException, whose words are withheld")
    assert "jane" not in repr(failed)


def test_a_number_about_personal_data_is_shown(read):
    count = ask("ExpectColumnUniqueValueCountToBeBetween", "email", min_value=1)
    assert read(count, result={"observed_value": 7}).observed == "7"


def test_personal_data_is_seen_in_whatever_argument_names_the_column(make_problem):
    def answer(expectation):
        problem = make_problem(expectation)
        return is_personal(problem, problem.quality.expectations[0])

    assert answer(ask("ExpectColumnPairValuesToBeEqual", column_A="origin", column_B="email"))
    assert answer(ask("ExpectCompoundColumnsToBeUnique", column_list=["origin", "email"]))
    assert answer(QUERY)  # it may read any column
    assert not answer(ask("ExpectColumnPairValuesToBeEqual", column_A="origin", column_B="ride_id"))


def test_a_question_that_was_never_asked_failed_and_says_why(make_problem):
    found = unanswered(make_problem(BETWEEN, MEAN), 1, 10, "0 rows are staged")
    assert (found.check_index, found.expectation) == (1, "ExpectColumnMeanToBeBetween")
    assert (found.is_success, found.error, found.n_unexpected) == (False, "0 rows are staged", None)
