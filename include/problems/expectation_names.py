"""What Great Expectations offers, by its own names, so that a problem file is checked without importing it.

Importing Great Expectations takes seconds, and DAG files are parsed all day. `tests/include/problems` compares this
table with the installed library; `python -m scripts.list_expectations` writes it again.
"""

EXPECTATIONS: dict[str, frozenset[str]] = {
    "ExpectColumnDistinctValuesToBeInSet": frozenset(["condition_parser", "row_condition", "value_set"]),
    "ExpectColumnDistinctValuesToContainSet": frozenset(["condition_parser", "row_condition", "value_set"]),
    "ExpectColumnDistinctValuesToEqualSet": frozenset(["condition_parser", "row_condition", "value_set"]),
    "ExpectColumnKLDivergenceToBeLessThan": frozenset(
        [
            "bucketize_data",
            "condition_parser",
            "internal_weight_holdout",
            "max_value",
            "min_value",
            "partition_object",
            "row_condition",
            "tail_weight_holdout",
            "threshold",
        ]
    ),
    "ExpectColumnMaxToBeBetween": frozenset(
        ["condition_parser", "max_value", "min_value", "row_condition", "strict_max", "strict_min"]
    ),
    "ExpectColumnMeanToBeBetween": frozenset(
        ["condition_parser", "max_value", "min_value", "row_condition", "strict_max", "strict_min"]
    ),
    "ExpectColumnMedianToBeBetween": frozenset(
        ["condition_parser", "max_value", "min_value", "row_condition", "strict_max", "strict_min"]
    ),
    "ExpectColumnMinToBeBetween": frozenset(
        ["condition_parser", "max_value", "min_value", "row_condition", "strict_max", "strict_min"]
    ),
    "ExpectColumnMostCommonValueToBeInSet": frozenset(["condition_parser", "row_condition", "ties_okay", "value_set"]),
    "ExpectColumnPairValuesAToBeGreaterThanB": frozenset(
        ["column_A", "column_B", "condition_parser", "ignore_row_if", "mostly", "or_equal", "row_condition"]
    ),
    "ExpectColumnPairValuesToBeEqual": frozenset(
        ["column_A", "column_B", "condition_parser", "ignore_row_if", "mostly", "row_condition"]
    ),
    "ExpectColumnPairValuesToBeInSet": frozenset(
        ["column_A", "column_B", "condition_parser", "ignore_row_if", "mostly", "row_condition", "value_pairs_set"]
    ),
    "ExpectColumnProportionOfNonNullValuesToBeBetween": frozenset(
        ["condition_parser", "library_metadata", "max_value", "min_value", "row_condition", "strict_max", "strict_min"]
    ),
    "ExpectColumnProportionOfUniqueValuesToBeBetween": frozenset(
        ["condition_parser", "library_metadata", "max_value", "min_value", "row_condition", "strict_max", "strict_min"]
    ),
    "ExpectColumnQuantileValuesToBeBetween": frozenset(
        ["allow_relative_error", "condition_parser", "quantile_ranges", "row_condition"]
    ),
    "ExpectColumnStdevToBeBetween": frozenset(
        ["condition_parser", "max_value", "min_value", "row_condition", "strict_max", "strict_min"]
    ),
    "ExpectColumnSumToBeBetween": frozenset(
        ["condition_parser", "max_value", "min_value", "row_condition", "strict_max", "strict_min"]
    ),
    "ExpectColumnToExist": frozenset(["column_index"]),
    "ExpectColumnTypeToBe": frozenset(["type_"]),
    "ExpectColumnUniqueValueCountToBeBetween": frozenset(
        ["condition_parser", "library_metadata", "max_value", "min_value", "row_condition", "strict_max", "strict_min"]
    ),
    "ExpectColumnValueLengthsToBeBetween": frozenset(
        ["condition_parser", "max_value", "min_value", "mostly", "row_condition", "strict_max", "strict_min"]
    ),
    "ExpectColumnValueLengthsToEqual": frozenset(["condition_parser", "mostly", "row_condition", "value"]),
    "ExpectColumnValueZScoresToBeLessThan": frozenset(
        ["condition_parser", "double_sided", "mostly", "row_condition", "threshold"]
    ),
    "ExpectColumnValuesToBeBetween": frozenset(
        ["condition_parser", "max_value", "min_value", "mostly", "row_condition", "strict_max", "strict_min"]
    ),
    "ExpectColumnValuesToBeDateutilParseable": frozenset(
        ["condition_parser", "library_metadata", "mostly", "row_condition"]
    ),
    "ExpectColumnValuesToBeDecreasing": frozenset(
        ["condition_parser", "library_metadata", "mostly", "row_condition", "strictly"]
    ),
    "ExpectColumnValuesToBeInSet": frozenset(["condition_parser", "mostly", "row_condition", "value_set"]),
    "ExpectColumnValuesToBeInTypeList": frozenset(["condition_parser", "mostly", "row_condition", "type_list"]),
    "ExpectColumnValuesToBeIncreasing": frozenset(
        ["condition_parser", "library_metadata", "mostly", "row_condition", "strictly"]
    ),
    "ExpectColumnValuesToBeJsonParseable": frozenset(
        ["condition_parser", "library_metadata", "mostly", "row_condition"]
    ),
    "ExpectColumnValuesToBeNull": frozenset(["condition_parser", "mostly", "row_condition"]),
    "ExpectColumnValuesToBeOfType": frozenset(["condition_parser", "mostly", "row_condition", "type_"]),
    "ExpectColumnValuesToBeUnique": frozenset(["condition_parser", "mostly", "row_condition"]),
    "ExpectColumnValuesToMatchJsonSchema": frozenset(
        ["condition_parser", "json_schema", "library_metadata", "mostly", "row_condition"]
    ),
    "ExpectColumnValuesToMatchLikePattern": frozenset(
        ["condition_parser", "escape", "like_pattern", "mostly", "row_condition"]
    ),
    "ExpectColumnValuesToMatchLikePatternList": frozenset(
        ["condition_parser", "escape", "like_pattern_list", "match_on", "mostly", "row_condition"]
    ),
    "ExpectColumnValuesToMatchRegex": frozenset(["condition_parser", "mostly", "regex", "row_condition"]),
    "ExpectColumnValuesToMatchRegexList": frozenset(
        ["condition_parser", "match_on", "mostly", "regex_list", "row_condition"]
    ),
    "ExpectColumnValuesToMatchStrftimeFormat": frozenset(
        ["condition_parser", "mostly", "row_condition", "strftime_format"]
    ),
    "ExpectColumnValuesToNotBeInSet": frozenset(["condition_parser", "mostly", "row_condition", "value_set"]),
    "ExpectColumnValuesToNotBeNull": frozenset(["condition_parser", "mostly", "row_condition"]),
    "ExpectColumnValuesToNotBeOutliers": frozenset(
        ["condition_parser", "method", "mostly", "multiplier", "row_condition"]
    ),
    "ExpectColumnValuesToNotMatchLikePattern": frozenset(
        ["condition_parser", "escape", "like_pattern", "mostly", "row_condition"]
    ),
    "ExpectColumnValuesToNotMatchLikePatternList": frozenset(
        ["condition_parser", "escape", "like_pattern_list", "mostly", "row_condition"]
    ),
    "ExpectColumnValuesToNotMatchRegex": frozenset(["condition_parser", "mostly", "regex", "row_condition"]),
    "ExpectColumnValuesToNotMatchRegexList": frozenset(["condition_parser", "mostly", "regex_list", "row_condition"]),
    "ExpectCompoundColumnsToBeUnique": frozenset(
        ["column_list", "condition_parser", "ignore_row_if", "mostly", "row_condition"]
    ),
    "ExpectMulticolumnSumToEqual": frozenset(
        ["column_list", "condition_parser", "ignore_row_if", "mostly", "row_condition", "sum_total"]
    ),
    "ExpectMulticolumnValuesToBeEqual": frozenset(
        ["column_list", "condition_parser", "ignore_row_if", "mostly", "row_condition"]
    ),
    "ExpectMulticolumnValuesToBeUnique": frozenset(
        ["column_list", "condition_parser", "ignore_row_if", "library_metadata", "mostly", "row_condition"]
    ),
    "ExpectQueryResultsToMatchComparison": frozenset(
        ["base_query", "comparison_data_source_name", "comparison_query", "mostly"]
    ),
    "ExpectSelectColumnValuesToBeUniqueWithinRecord": frozenset(
        ["column_list", "condition_parser", "ignore_row_if", "mostly", "row_condition"]
    ),
    "ExpectTableColumnCountToBeBetween": frozenset(["max_value", "min_value"]),
    "ExpectTableColumnCountToEqual": frozenset(["value"]),
    "ExpectTableColumnsToMatchOrderedList": frozenset(["column_list"]),
    "ExpectTableColumnsToMatchSet": frozenset(["column_set", "exact_match"]),
    "ExpectTableRowCountToBeBetween": frozenset(
        ["condition_parser", "max_value", "min_value", "row_condition", "strict_max", "strict_min"]
    ),
    "ExpectTableRowCountToEqual": frozenset(["condition_parser", "row_condition", "value"]),
    "ExpectTableRowCountToEqualOtherTable": frozenset(["condition_parser", "other_table_name", "row_condition"]),
    "Expectation": frozenset(),
    "UnexpectedRowsExpectation": frozenset(["unexpected_rows_query"]),
}
