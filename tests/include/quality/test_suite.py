from datetime import UTC, date, datetime

import pytest

from include.problems.reading import load_problem, load_problems
from include.quality.gx_context import ExpectationValidationResult
from include.quality.suite import build_suite, check_index_of

pytestmark = pytest.mark.slow  # Great Expectations takes seconds to import


def test_each_expectation_keeps_its_name_arguments_severity_and_place(make_problem):
    problem = make_problem(
        {"expect": "ExpectColumnValuesToBeUnique", "column": "ride_id", "severity": "stop"},
        {
            "expect": "ExpectColumnValuesToNotBeNull",
            "column": "email",
            "severity": "warn",
            "arguments": {"mostly": 0.9},
        },
    )
    unique, present = build_suite(problem).expectations
    assert (type(unique).__name__, unique.column, unique.severity, unique.meta) == (
        "ExpectColumnValuesToBeUnique",
        "ride_id",
        "critical",
        {"check_index": 0},
    )
    assert (present.mostly, present.severity, present.meta) == (0.9, "warning", {"check_index": 1})


def test_a_problem_without_expectations_has_an_empty_suite(make_problem):
    assert build_suite(make_problem()).expectations == []


@pytest.mark.parametrize("written", [date(2013, 1, 1), datetime(2013, 1, 1), datetime(2013, 1, 1, tzinfo=UTC)])  # noqa: DTZ001
def test_a_date_is_midnight_in_utc(make_problem, written):
    question = {
        "expect": "ExpectColumnMaxToBeBetween",
        "column": "started_at",
        "severity": "stop",
        "arguments": {"min_value": written},
    }
    (expectation,) = build_suite(make_problem(question)).expectations
    assert expectation.min_value == datetime(2013, 1, 1, tzinfo=UTC)


def test_great_expectations_takes_every_suite_that_ships():
    problems, errors = load_problems()
    assert errors == []
    for problem in problems:
        n_expectations = len(problem.quality.expectations) if problem.quality else 0
        assert len(build_suite(problem).expectations) == n_expectations


def test_an_answer_tells_the_place_of_its_expectation_in_the_file(make_problem):
    suite = build_suite(load_problem("flight_delay"))
    asked = [expectation.configuration for expectation in suite.expectations]
    answers = [ExpectationValidationResult(success=True, expectation_config=one) for one in asked]
    assert [check_index_of(answer) for answer in reversed(answers)] == [*reversed(range(len(asked)))]
    assert len(asked) > 1


def test_a_suite_says_that_rows_without_an_id_are_named_by_their_place(make_problem):
    problem = make_problem()
    placed = problem.model_copy(update={"source": problem.source.model_copy(update={"key": ["_object", "_line"]})})
    assert "the same record in two objects is two rows" in build_suite(placed).notes[0]
    assert build_suite(problem).notes is None
