"""What makes an expectation of a problem file one that Great Expectations can be asked.

What belongs here: everything that is known before there is data. What does not: asking (`include/quality`).
"""

import difflib
from collections.abc import Collection, Mapping

from include.problems.expectation_names import EXPECTATIONS, IMPOSSIBLE

_LISTS = {"column_list", "column_set", "like_pattern_list", "regex_list", "type_list", "value_pairs_set", "value_set"}
_TEXTS = {"column_A", "column_B", "like_pattern", "regex", "type_", "unexpected_rows_query"}
_MAPPINGS = {"partition_object", "quantile_ranges", "row_condition"}
_BOUNDS = {"min_value", "max_value"}
# Those for which Great Expectations names the very rows on SQL. Not z-scores: without the rows that break it the
# others have other scores, and not compound keys: there it only counts.
NAMES_ROWS = frozenset(
    {
        "ExpectColumnPairValuesAToBeGreaterThanB",
        "ExpectColumnPairValuesToBeEqual",
        "ExpectColumnPairValuesToBeInSet",
        "ExpectColumnValueLengthsToBeBetween",
        "ExpectColumnValueLengthsToEqual",
        "ExpectColumnValuesToBeBetween",
        "ExpectColumnValuesToBeInSet",
        "ExpectColumnValuesToBeNull",
        "ExpectColumnValuesToBeUnique",
        "ExpectColumnValuesToMatchLikePattern",
        "ExpectColumnValuesToMatchLikePatternList",
        "ExpectColumnValuesToMatchRegex",
        "ExpectColumnValuesToMatchRegexList",
        "ExpectColumnValuesToNotBeInSet",
        "ExpectColumnValuesToNotBeNull",
        "ExpectColumnValuesToNotMatchLikePattern",
        "ExpectColumnValuesToNotMatchLikePatternList",
        "ExpectColumnValuesToNotMatchRegex",
        "ExpectColumnValuesToNotMatchRegexList",
        "ExpectMulticolumnSumToEqual",
        "ExpectMulticolumnValuesToBeEqual",
        "ExpectSelectColumnValuesToBeUniqueWithinRecord",
    }
)


def complaint(expect: str, column: str | None, arguments: Mapping[str, object]) -> tuple[str, str] | None:
    """Say what is wrong with one expectation.

    Returns:
        the field that is wrong and a sentence with the remedy; None when nothing is.
    """
    if expect not in EXPECTATIONS:
        if expect in IMPOSSIBLE:
            return "expect", (
                f"{expect} cannot be asked of a partition: {IMPOSSIBLE[expect]}. "
                "Take another one; UnexpectedRowsExpectation asks any question that SQL can"
            )
        return "expect", f"unknown expectation {expect!r}{nearest(expect, EXPECTATIONS)}"
    if EXPECTATIONS[expect].is_about_a_column and column is None:
        return "column", f"{expect} is about a column; name one"
    if not EXPECTATIONS[expect].is_about_a_column and column is not None:
        return "column", f"{expect} is not about one column; remove column: {column}"
    return _wrong_name(expect, arguments) or _wrong_value(expect, arguments)


def complaint_about_rows(expect: str, severity: str, arguments: Mapping[str, object]) -> tuple[str, str] | None:
    """Say why the rows that break an expectation cannot go to quarantine alone.

    Returns:
        the field that is wrong and a sentence with the remedy; None when they can.
    """
    if expect not in NAMES_ROWS:
        return "rows", f"{expect} is about the partition, or cannot name its rows; remove rows: quarantine"
    if severity != "stop":
        return "rows", "quarantine keeps rows out, and warn lets them in; write severity: stop, or remove rows"
    if arguments.get("mostly", 1.0) != 1.0:
        return "arguments.mostly", (
            "rows: quarantine takes out every row that breaks it, and mostly would leave some in; remove mostly. "
            "How many may be taken out says quality.quarantine_at_most"
        )
    return None


def columns_named(arguments: Mapping[str, object]) -> list[tuple[str, object]]:
    """List the columns that arguments name, each with the argument that names it."""
    pairs = [(name, arguments[name]) for name in ("column_A", "column_B") if name in arguments]
    for name in ("column_list", "column_set"):
        listed = arguments.get(name, [])
        pairs += [(name, item) for item in listed] if isinstance(listed, list) else []
    return pairs


def nearest(name: str, known: Collection[str]) -> str:
    """Say which known name was probably meant."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _wrong_name(expect: str, arguments: Mapping[str, object]) -> tuple[str, str] | None:
    """Find an argument that is not taken, or one that is missing."""
    takes = EXPECTATIONS[expect]
    allowed = takes.required | takes.optional
    for name in arguments:
        if name not in allowed:
            known = ", ".join(sorted(allowed)) or "none"
            return (
                f"arguments.{name}",
                f"{expect} takes no argument {name!r}; allowed are: {known}{nearest(name, allowed)}",
            )
    missing = sorted(name for name in takes.required if arguments.get(name) is None)
    if missing:
        return "arguments", f"{expect} needs {' and '.join(missing)}"
    # Without a bound Great Expectations says yes to any data: a check that looks like one and is none.
    if not takes.required and allowed >= _BOUNDS and all(arguments.get(name) is None for name in _BOUNDS):
        return "arguments", f"{expect} needs min_value or max_value, or both"
    return None


def _wrong_value(expect: str, arguments: Mapping[str, object]) -> tuple[str, str] | None:
    """Find an argument whose value is of the wrong kind."""
    for name, value in arguments.items():
        kind = _kind_of(name)
        if kind is not None and not isinstance(value, kind[0]):
            return f"arguments.{name}", f"{expect} needs {kind[1]} here, not {value!r}"
    mostly = arguments.get("mostly", 1.0)
    if isinstance(mostly, bool) or not isinstance(mostly, int | float) or not 0.0 < mostly <= 1.0:
        return "arguments.mostly", f"a share above 0 and up to 1 is allowed, not {mostly!r}"
    low, high = (arguments.get(name) for name in ("min_value", "max_value"))
    if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
        return "arguments.min_value", f"{low} is more than max_value {high}, so no value could ever pass"
    if expect == "UnexpectedRowsExpectation" and "{batch}" not in str(arguments["unexpected_rows_query"]):
        return (
            "arguments.unexpected_rows_query",
            "write {batch} where the table's name belongs: SELECT ... FROM {batch}",
        )
    return None


def _kind_of(name: str) -> tuple[type, str] | None:
    """Say which kind of value an argument takes, where that is one kind only."""
    if name in _LISTS:
        return list, "a list"
    if name in _TEXTS:
        return str, "text"
    return (dict, "a mapping") if name in _MAPPINGS else None
