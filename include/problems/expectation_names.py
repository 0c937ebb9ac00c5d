"""What Great Expectations offers, by its own names, so that a problem file is checked without importing it.

Importing Great Expectations takes seconds, and DAG files are parsed all day. `tests/include/problems` compares this
table with the installed library; `python -m scripts.list_expectations` writes it again.
"""

from typing import NamedTuple


class Takes(NamedTuple):
    """What one expectation must and may be told."""

    is_about_a_column: bool
    required: frozenset[str]
    optional: frozenset[str]


EXPECTATIONS: dict[str, Takes] = {
    "ExpectColumnDistinctValuesToBeInSet": Takes(True, frozenset(["value_set"]), frozenset(["row_condition"])),
    "ExpectColumnDistinctValuesToContainSet": Takes(True, frozenset(["value_set"]), frozenset(["row_condition"])),
    "ExpectColumnDistinctValuesToEqualSet": Takes(True, frozenset(["value_set"]), frozenset(["row_condition"])),
    "ExpectColumnKLDivergenceToBeLessThan": Takes(
        True,
        frozenset(["partition_object", "threshold"]),
        frozenset(
            [
                "bucketize_data",
                "internal_weight_holdout",
                "max_value",
                "min_value",
                "row_condition",
                "tail_weight_holdout",
            ]
        ),
    ),
    "ExpectColumnMaxToBeBetween": Takes(
        True, frozenset([]), frozenset(["max_value", "min_value", "row_condition", "strict_max", "strict_min"])
    ),
    "ExpectColumnMeanToBeBetween": Takes(
        True, frozenset([]), frozenset(["max_value", "min_value", "row_condition", "strict_max", "strict_min"])
    ),
    "ExpectColumnMedianToBeBetween": Takes(
        True, frozenset([]), frozenset(["max_value", "min_value", "row_condition", "strict_max", "strict_min"])
    ),
    "ExpectColumnMinToBeBetween": Takes(
        True, frozenset([]), frozenset(["max_value", "min_value", "row_condition", "strict_max", "strict_min"])
    ),
    "ExpectColumnMostCommonValueToBeInSet": Takes(
        True, frozenset(["value_set"]), frozenset(["row_condition", "ties_okay"])
    ),
    "ExpectColumnPairValuesAToBeGreaterThanB": Takes(
        False, frozenset(["column_A", "column_B"]), frozenset(["ignore_row_if", "mostly", "or_equal", "row_condition"])
    ),
    "ExpectColumnPairValuesToBeEqual": Takes(
        False, frozenset(["column_A", "column_B"]), frozenset(["ignore_row_if", "mostly", "row_condition"])
    ),
    "ExpectColumnPairValuesToBeInSet": Takes(
        False,
        frozenset(["column_A", "column_B", "value_pairs_set"]),
        frozenset(["ignore_row_if", "mostly", "row_condition"]),
    ),
    "ExpectColumnProportionOfNonNullValuesToBeBetween": Takes(
        True, frozenset([]), frozenset(["max_value", "min_value", "row_condition", "strict_max", "strict_min"])
    ),
    "ExpectColumnProportionOfUniqueValuesToBeBetween": Takes(
        True, frozenset([]), frozenset(["max_value", "min_value", "row_condition", "strict_max", "strict_min"])
    ),
    "ExpectColumnQuantileValuesToBeBetween": Takes(
        True, frozenset(["quantile_ranges"]), frozenset(["allow_relative_error", "row_condition"])
    ),
    "ExpectColumnStdevToBeBetween": Takes(
        True, frozenset([]), frozenset(["max_value", "min_value", "row_condition", "strict_max", "strict_min"])
    ),
    "ExpectColumnSumToBeBetween": Takes(
        True, frozenset([]), frozenset(["max_value", "min_value", "row_condition", "strict_max", "strict_min"])
    ),
    "ExpectColumnToExist": Takes(True, frozenset([]), frozenset(["column_index"])),
    "ExpectColumnTypeToBe": Takes(True, frozenset(["type_"]), frozenset([])),
    "ExpectColumnUniqueValueCountToBeBetween": Takes(
        True, frozenset([]), frozenset(["max_value", "min_value", "row_condition", "strict_max", "strict_min"])
    ),
    "ExpectColumnValueLengthsToBeBetween": Takes(
        True,
        frozenset([]),
        frozenset(["max_value", "min_value", "mostly", "row_condition", "strict_max", "strict_min"]),
    ),
    "ExpectColumnValueLengthsToEqual": Takes(True, frozenset(["value"]), frozenset(["mostly", "row_condition"])),
    "ExpectColumnValueZScoresToBeLessThan": Takes(
        True, frozenset(["double_sided", "threshold"]), frozenset(["mostly", "row_condition"])
    ),
    "ExpectColumnValuesToBeBetween": Takes(
        True,
        frozenset([]),
        frozenset(["max_value", "min_value", "mostly", "row_condition", "strict_max", "strict_min"]),
    ),
    "ExpectColumnValuesToBeInSet": Takes(True, frozenset(["value_set"]), frozenset(["mostly", "row_condition"])),
    "ExpectColumnValuesToBeInTypeList": Takes(True, frozenset(["type_list"]), frozenset(["mostly", "row_condition"])),
    "ExpectColumnValuesToBeNull": Takes(True, frozenset([]), frozenset(["mostly", "row_condition"])),
    "ExpectColumnValuesToBeOfType": Takes(True, frozenset(["type_"]), frozenset(["mostly", "row_condition"])),
    "ExpectColumnValuesToBeUnique": Takes(True, frozenset([]), frozenset(["mostly", "row_condition"])),
    "ExpectColumnValuesToMatchLikePattern": Takes(
        True, frozenset(["like_pattern"]), frozenset(["escape", "mostly", "row_condition"])
    ),
    "ExpectColumnValuesToMatchLikePatternList": Takes(
        True, frozenset(["like_pattern_list"]), frozenset(["escape", "match_on", "mostly", "row_condition"])
    ),
    "ExpectColumnValuesToMatchRegex": Takes(True, frozenset(["regex"]), frozenset(["mostly", "row_condition"])),
    "ExpectColumnValuesToMatchRegexList": Takes(
        True, frozenset(["regex_list"]), frozenset(["match_on", "mostly", "row_condition"])
    ),
    "ExpectColumnValuesToNotBeInSet": Takes(True, frozenset(["value_set"]), frozenset(["mostly", "row_condition"])),
    "ExpectColumnValuesToNotBeNull": Takes(True, frozenset([]), frozenset(["mostly", "row_condition"])),
    "ExpectColumnValuesToNotMatchLikePattern": Takes(
        True, frozenset(["like_pattern"]), frozenset(["escape", "mostly", "row_condition"])
    ),
    "ExpectColumnValuesToNotMatchLikePatternList": Takes(
        True, frozenset(["like_pattern_list"]), frozenset(["escape", "mostly", "row_condition"])
    ),
    "ExpectColumnValuesToNotMatchRegex": Takes(True, frozenset(["regex"]), frozenset(["mostly", "row_condition"])),
    "ExpectColumnValuesToNotMatchRegexList": Takes(
        True, frozenset(["regex_list"]), frozenset(["mostly", "row_condition"])
    ),
    "ExpectCompoundColumnsToBeUnique": Takes(
        False, frozenset(["column_list"]), frozenset(["ignore_row_if", "mostly", "row_condition"])
    ),
    "ExpectMulticolumnSumToEqual": Takes(
        False, frozenset(["column_list", "sum_total"]), frozenset(["ignore_row_if", "mostly", "row_condition"])
    ),
    "ExpectMulticolumnValuesToBeEqual": Takes(
        False, frozenset(["column_list"]), frozenset(["ignore_row_if", "mostly", "row_condition"])
    ),
    "ExpectSelectColumnValuesToBeUniqueWithinRecord": Takes(
        False, frozenset(["column_list"]), frozenset(["ignore_row_if", "mostly", "row_condition"])
    ),
    "ExpectTableColumnCountToBeBetween": Takes(False, frozenset([]), frozenset(["max_value", "min_value"])),
    "ExpectTableColumnCountToEqual": Takes(False, frozenset(["value"]), frozenset([])),
    "ExpectTableColumnsToMatchOrderedList": Takes(False, frozenset(["column_list"]), frozenset([])),
    "ExpectTableColumnsToMatchSet": Takes(False, frozenset(["column_set"]), frozenset(["exact_match"])),
    "ExpectTableRowCountToBeBetween": Takes(
        False, frozenset([]), frozenset(["max_value", "min_value", "row_condition", "strict_max", "strict_min"])
    ),
    "ExpectTableRowCountToEqual": Takes(False, frozenset(["value"]), frozenset(["row_condition"])),
    "UnexpectedRowsExpectation": Takes(False, frozenset(["unexpected_rows_query"]), frozenset([])),
}

# In the library, but no question to ask here; the reason is for the person who writes the file.
IMPOSSIBLE: dict[str, str] = {
    "ExpectColumnValuesToBeDateutilParseable": "it is offered on pandas and Spark only, not on SQL",
    "ExpectColumnValuesToBeDecreasing": "it is offered on pandas and Spark only, not on SQL",
    "ExpectColumnValuesToBeIncreasing": "it is offered on pandas and Spark only, not on SQL",
    "ExpectColumnValuesToBeJsonParseable": "it is offered on pandas and Spark only, not on SQL",
    "ExpectColumnValuesToMatchJsonSchema": "it is offered on pandas and Spark only, not on SQL",
    "ExpectColumnValuesToMatchStrftimeFormat": "it is offered on pandas and Spark only, not on SQL",
    "ExpectColumnValuesToNotBeOutliers": "its quartiles are not written for this engine",
    "ExpectMulticolumnValuesToBeUnique": "it is offered on pandas and Spark only, not on SQL",
    "ExpectQueryResultsToMatchComparison": "it needs a second data source, and an audit sees one partition",
    "ExpectTableRowCountToEqualOtherTable": "it needs a second table, and an audit sees one partition",
}
