"""Great Expectations itself, on real Parquet files; the import alone takes seconds."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest

from include.errors import AuditFailed
from include.problems.expectation_names import EXPECTATIONS
from include.quality.audit import audit_files
from include.quality.verdicts import decide_verdict

pytestmark = pytest.mark.slow


def ask(expect, column=None, severity="stop", **arguments):
    return {"expect": expect, "column": column, "severity": severity, "arguments": arguments}


BETWEEN = ask("ExpectColumnValuesToBeBetween", "distance_miles", min_value=50, max_value=5000)

# For every expectation that a problem file may hold: a question about the ten rides, and the answer worked by hand.
EXAMPLES = {
    "ExpectColumnDistinctValuesToBeInSet": ("origin", {"value_set": ["EWR", "JFK", "LGA", "SFO"]}, True),
    "ExpectColumnDistinctValuesToContainSet": ("origin", {"value_set": ["EWR", "SFO"]}, False),
    "ExpectColumnDistinctValuesToEqualSet": ("origin", {"value_set": ["EWR", "JFK", "LGA"]}, True),
    "ExpectColumnKLDivergenceToBeLessThan": (
        "origin",
        {"partition_object": {"values": ["EWR", "JFK", "LGA"], "weights": [0.4, 0.3, 0.3]}, "threshold": 0.01},
        True,
    ),
    "ExpectColumnMaxToBeBetween": ("distance_miles", {"max_value": 108}, False),
    "ExpectColumnMeanToBeBetween": ("distance_miles", {"min_value": 104.4, "max_value": 104.6}, True),
    "ExpectColumnMedianToBeBetween": ("distance_miles", {"min_value": 104.4, "max_value": 104.6}, True),
    "ExpectColumnMinToBeBetween": ("distance_miles", {"min_value": 100}, True),
    "ExpectColumnMostCommonValueToBeInSet": ("origin", {"value_set": ["EWR"]}, True),
    "ExpectColumnPairValuesAToBeGreaterThanB": (None, {"column_A": "distance_miles", "column_B": "seats"}, True),
    "ExpectColumnPairValuesToBeEqual": (None, {"column_A": "distance_miles", "column_B": "seats"}, False),
    "ExpectColumnPairValuesToBeInSet": (
        None,
        {"column_A": "origin", "column_B": "seats", "value_pairs_set": [["EWR", 1]]},
        False,
    ),
    "ExpectColumnProportionOfNonNullValuesToBeBetween": ("origin", {"min_value": 1.0}, True),
    "ExpectColumnProportionOfUniqueValuesToBeBetween": ("origin", {"max_value": 0.3}, True),
    "ExpectColumnQuantileValuesToBeBetween": (
        "distance_miles",
        {"quantile_ranges": {"quantiles": [0.5], "value_ranges": [[104, 105]]}},
        True,
    ),
    "ExpectColumnStdevToBeBetween": ("distance_miles", {"min_value": 3.02, "max_value": 3.03}, True),
    "ExpectColumnSumToBeBetween": ("distance_miles", {"min_value": 1045, "max_value": 1045}, True),
    "ExpectColumnToExist": ("origin", {}, True),
    "ExpectColumnTypeToBe": ("seats", {"type_": "BIGINT"}, True),
    "ExpectColumnUniqueValueCountToBeBetween": ("origin", {"min_value": 4}, False),
    "ExpectColumnValueLengthsToBeBetween": ("origin", {"min_value": 3, "max_value": 3}, True),
    "ExpectColumnValueLengthsToEqual": ("origin", {"value": 4}, False),
    "ExpectColumnValueZScoresToBeLessThan": ("distance_miles", {"threshold": 1.0, "double_sided": True}, False),
    "ExpectColumnValuesToBeBetween": ("distance_miles", {"min_value": 100, "strict_min": True}, False),
    "ExpectColumnValuesToBeInSet": ("origin", {"value_set": ["EWR", "JFK"], "mostly": 0.7}, True),
    "ExpectColumnValuesToBeInTypeList": ("seats", {"type_list": ["BIGINT", "INTEGER"]}, True),
    "ExpectColumnValuesToBeNull": ("origin", {}, False),
    "ExpectColumnValuesToBeOfType": ("origin", {"type_": "VARCHAR"}, True),
    "ExpectColumnValuesToBeUnique": ("origin", {}, False),
    "ExpectColumnValuesToMatchLikePattern": ("ride_id", {"like_pattern": "part-%"}, True),
    "ExpectColumnValuesToMatchLikePatternList": ("origin", {"like_pattern_list": ["E%", "J%"]}, False),
    "ExpectColumnValuesToMatchRegex": ("ride_id", {"regex": r"\d$"}, True),
    "ExpectColumnValuesToMatchRegexList": ("origin", {"regex_list": ["W", "F", "G"]}, True),
    "ExpectColumnValuesToNotBeInSet": ("origin", {"value_set": ["JFK"]}, False),
    "ExpectColumnValuesToNotBeNull": ("origin", {}, True),
    "ExpectColumnValuesToNotMatchLikePattern": ("origin", {"like_pattern": "J%"}, False),
    "ExpectColumnValuesToNotMatchLikePatternList": ("origin", {"like_pattern_list": ["X%"]}, True),
    "ExpectColumnValuesToNotMatchRegex": ("origin", {"regex": "F"}, False),
    "ExpectColumnValuesToNotMatchRegexList": ("origin", {"regex_list": ["X", "Y"]}, True),
    "ExpectCompoundColumnsToBeUnique": (None, {"column_list": ["origin", "is_shared"]}, False),
    "ExpectMulticolumnSumToEqual": (None, {"column_list": ["distance_miles", "seats"], "sum_total": 1}, False),
    "ExpectMulticolumnValuesToBeEqual": (None, {"column_list": ["distance_miles", "seats"]}, False),
    "ExpectSelectColumnValuesToBeUniqueWithinRecord": (None, {"column_list": ["distance_miles", "seats"]}, True),
    "ExpectTableColumnCountToBeBetween": (None, {"max_value": 7}, True),
    "ExpectTableColumnCountToEqual": (None, {"value": 7}, True),
    "ExpectTableColumnsToMatchOrderedList": (
        None,
        {"column_list": ["ride_id", "started_at", "distance_miles", "seats", "origin", "email", "is_shared"]},
        True,
    ),
    "ExpectTableColumnsToMatchSet": (None, {"column_set": ["ride_id"], "exact_match": False}, True),
    "ExpectTableRowCountToBeBetween": (None, {"min_value": 11}, False),
    "ExpectTableRowCountToEqual": (None, {"value": 10}, True),
    "UnexpectedRowsExpectation": (
        None,
        {"unexpected_rows_query": "SELECT * FROM {batch} WHERE distance_miles > 107"},
        False,
    ),
}


def test_every_expectation_that_a_file_may_hold_is_answered_as_worked_by_hand(make_problem, stage):
    assert sorted(EXAMPLES) == sorted(EXPECTATIONS)
    questions = [ask(name, column, **arguments) for name, (column, arguments, _) in EXAMPLES.items()]
    audit = audit_files(make_problem(*questions), [stage(10)])
    assert {result.expectation: result.error for result in audit.results if result.error} == {}
    answers = {result.expectation: result.is_success for result in audit.results}
    assert answers == {name: answer for name, (_, _, answer) in EXAMPLES.items()}


def test_rows_that_break_a_bound_are_counted(make_problem, stage):
    miles = [100.0] * 8 + [5.0, 6000.0]
    (result,) = audit_files(make_problem(BETWEEN), [stage(10, distance_miles=miles)]).results
    assert (result.is_success, result.n_unexpected, result.n_rows) == (False, 2, 10)


def test_a_bound_is_not_asked_of_missing_values(make_problem, stage):
    miles = [100.0] * 7 + [None, None, 5.0]
    (result,) = audit_files(make_problem(BETWEEN), [stage(10, distance_miles=miles)]).results
    assert (result.n_unexpected, result.n_rows) == (1, 8)


def test_answers_come_in_the_order_of_the_file_whichever_fails(make_problem, stage):
    questions = [
        ask("ExpectColumnValuesToBeNull", "origin"),
        BETWEEN,
        ask("ExpectColumnMeanToBeBetween", "seats", min_value=9),
    ]
    audit = audit_files(make_problem(*questions), [stage(10)])
    assert [result.expectation for result in audit.results] == [question["expect"] for question in questions]
    assert [result.check_index for result in audit.results] == [0, 1, 2]


def test_the_same_question_asked_twice_is_answered_twice(make_problem, stage):
    audit = audit_files(make_problem(BETWEEN, BETWEEN | {"severity": "warn"}), [stage(10)])
    assert [result.severity for result in audit.results] == ["stop", "warn"]


def test_all_files_together_are_the_partition(make_problem, stage):
    unique = ask("ExpectColumnValuesToBeUnique", "ride_id")
    files = [stage(3, name="a.parquet", ride_id=["1", "2", "3"]), stage(2, name="b.parquet", ride_id=["3", "4"])]
    audit = audit_files(make_problem(unique), files)
    assert (audit.n_rows, audit.results[0].n_unexpected) == (5, 2)


def test_an_expectation_that_cannot_be_answered_stops_and_blames_no_other(make_problem, stage):
    wrong = ask("ExpectColumnMeanToBeBetween", "origin", severity="warn", min_value=0)
    audit = audit_files(
        make_problem(BETWEEN, wrong, ask("ExpectColumnMeanToBeBetween", "seats", min_value=0)), [stage(10)]
    )
    assert [result.error is None for result in audit.results] == [True, False, True]
    verdict, reason, _ = decide_verdict(audit)
    assert verdict == "stop"
    assert reason.startswith("origin: could not be answered")


def test_no_files_and_no_rows_are_a_stop_and_nothing_counts_as_answered(make_problem, stage):
    for audit in (audit_files(make_problem(BETWEEN), []), audit_files(make_problem(BETWEEN), [stage(0)])):
        assert decide_verdict(audit)[0] == "stop"
        assert audit.refusal == "0 rows are staged, so there is nothing to publish."
        assert not audit.results[0].is_success


def test_a_problem_without_expectations_passes_with_rows_and_stops_without(make_problem, stage):
    assert decide_verdict(audit_files(make_problem(), [stage(1)])) == ("pass", None, 0)
    assert decide_verdict(audit_files(make_problem(), [stage(0)]))[0] == "stop"


def test_files_that_lack_a_column_are_a_stop_that_names_it(make_problem, stage, tmp_path):
    import pyarrow.parquet as pq

    thin = tmp_path / "thin.parquet"
    pq.write_table(pq.read_table(stage(4)).drop_columns(["seats", "origin"]), thin)
    audit = audit_files(make_problem(BETWEEN), [thin])
    assert audit.refusal == "the staged files lack 2 of 7 columns: origin, seats."
    assert (audit.n_rows, audit.results[0].is_success) == (4, False)


def test_an_exception_of_great_expectations_is_a_stop_with_its_words(make_problem, stage):
    # A list where Great Expectations wants a number: what this library of a later version could refuse as well.
    question = ask("ExpectColumnValuesToBeBetween", "distance_miles", min_value=[1])
    audit = audit_files(make_problem(question), [stage(4)])
    verdict, reason, _ = decide_verdict(audit)
    assert verdict == "stop"
    assert reason.startswith("Great Expectations broke down, so nothing is known: ValidationError")


def test_bytes_that_are_not_parquet_are_no_verdict(make_problem, tmp_path):
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and no more")
    with pytest.raises(AuditFailed, match=r"1 staged file\(s\) cannot be read.*stage_partition"):
        audit_files(make_problem(BETWEEN), [broken])


def test_a_column_without_values_fails_a_mean_and_passes_a_bound(make_problem, stage):
    questions = [ask("ExpectColumnMeanToBeBetween", "distance_miles", min_value=0), BETWEEN]
    mean, bound = audit_files(make_problem(*questions), [stage(4, distance_miles=[None] * 4)]).results
    assert (mean.is_success, mean.observed, mean.error) == (False, None, None)
    assert (bound.is_success, bound.n_rows) == (True, 0)


def test_a_constant_column_has_no_spread_and_no_outliers(make_problem, stage):
    questions = [
        ask("ExpectColumnStdevToBeBetween", "distance_miles", min_value=0.1),
        ask("ExpectColumnValueZScoresToBeLessThan", "distance_miles", threshold=3, double_sided=True),
    ]
    spread, scores = audit_files(make_problem(*questions), [stage(4, distance_miles=[7.0] * 4)]).results
    assert (spread.is_success, float(spread.observed)) == (False, 0.0)
    assert (scores.is_success, scores.n_unexpected) == (True, 0)


def test_the_quantile_answer_is_a_plain_bool(make_problem, stage):
    question = ask(
        "ExpectColumnQuantileValuesToBeBetween",
        "distance_miles",
        quantile_ranges={"quantiles": [0.5], "value_ranges": [[0, 1]]},
    )
    (result,) = audit_files(make_problem(question), [stage(10)]).results
    assert result.is_success is False
    assert '"values": [104.0]' in result.observed


@pytest.mark.parametrize(
    "bound",
    [datetime(2013, 1, 1, 5), datetime(2013, 1, 1, 5, tzinfo=UTC), date(2013, 1, 1)],  # noqa: DTZ001
)
def test_a_time_without_a_zone_is_read_as_utc(make_problem, stage, bound):
    questions = [
        ask("ExpectColumnValuesToBeBetween", "started_at", min_value=bound),
        ask("ExpectColumnMinToBeBetween", "started_at", min_value=bound),
    ]
    rows, smallest = audit_files(make_problem(*questions), [stage(10)]).results
    assert rows.n_unexpected == (5 if isinstance(bound, datetime) else 0)
    assert (smallest.is_success, smallest.error) == (not isinstance(bound, datetime), None)


def test_a_condition_asks_only_some_rows(make_problem, stage):
    condition = {"type": "comparison", "column": {"name": "origin"}, "operator": "==", "parameter": "EWR"}
    question = BETWEEN | {"arguments": {"min_value": 101, "row_condition": condition}}
    (result,) = audit_files(make_problem(question), [stage(10)]).results
    assert (result.n_rows, result.n_unexpected) == (4, 1)


def test_a_word_of_sqls_grammar_may_be_a_value_and_a_quote_breaks_nothing(make_problem, stage):
    question = ask("ExpectColumnValuesToBeInSet", "origin", value_set=["O'Hare", "select"])
    (result,) = audit_files(make_problem(question), [stage(2, origin=["O'Hare", "select"])]).results
    assert (result.is_success, result.error) == (True, None)


@pytest.mark.parametrize(
    "question",
    [
        ask("ExpectColumnMaxToBeBetween", "email", max_value=3),
        ask("ExpectColumnDistinctValuesToBeInSet", "email", value_set=["x"]),
        ask("ExpectColumnMostCommonValueToBeInSet", "email", value_set=["x"]),
        ask("ExpectColumnValuesToBeInSet", "email", value_set=["x"]),
        ask("ExpectColumnPairValuesToBeEqual", column_A="email", column_B="origin"),
        ask("UnexpectedRowsExpectation", unexpected_rows_query="SELECT email::BIGINT FROM {batch}"),
        ask("UnexpectedRowsExpectation", unexpected_rows_query="SELECT email FROM {batch}"),
    ],
)
def test_no_value_of_personal_data_leaves_an_audit(make_problem, stage, question, caplog, capsys):
    audit = audit_files(make_problem(question), [stage(3, email=["secret-person"] * 3)])
    assert not audit.results[0].is_success
    assert "secret-person" not in f"{audit}{caplog.text}{capsys.readouterr()}"


def test_a_count_about_personal_data_is_still_a_number(make_problem, stage):
    question = ask("ExpectColumnUniqueValueCountToBeBetween", "email", min_value=1)
    (result,) = audit_files(make_problem(question), [stage(3)]).results
    assert result.observed == "3"


def test_audits_side_by_side_do_not_see_each_other(make_problem, stage):
    sizes = range(1, 13)
    files = {n: stage(n, name=f"{n}.parquet") for n in sizes}

    def audit(n):
        (result,) = audit_files(make_problem(ask("ExpectTableRowCountToEqual", value=n)), [files[n]]).results
        return result.observed if result.is_success else f"wrong: {result}"

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # threads interrupt each other in the midst of a question, as on a busy machine
    try:
        with ThreadPoolExecutor(len(sizes)) as pool:
            seen = list(pool.map(audit, sizes))
    finally:
        sys.setswitchinterval(switch)
    assert seen == [str(n) for n in sizes]


def test_nothing_is_printed_no_bar_is_drawn_and_no_statistics_are_sent(make_problem, stage, capfd):
    from include.quality.gx_context import open_context

    audit_files(make_problem(BETWEEN), [stage(10)])
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")
    assert open_context().variables.analytics_enabled is False


def test_a_folder_that_looks_like_a_partition_adds_no_column(make_problem, stage):
    file = stage(4, name="origin=XXX/part.parquet")
    question = ask("ExpectColumnValuesToBeInSet", "origin", value_set=["EWR", "JFK", "LGA"])
    assert audit_files(make_problem(question), [file]).results[0].is_success
