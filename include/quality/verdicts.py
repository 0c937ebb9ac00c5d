"""What an audit found, the verdict that follows from it, and the sentence a person reads.

What belongs here: pure rules on answers. What does not: asking (`audit.py`), storing (`steps.py`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from include.quality.gx_context import ExpectationSuiteValidationResult

Verdict = Literal["pass", "warn", "stop"]

UNKNOWN_FIELD = "unknown field"  # what Mulgil itself reports; no name of Great Expectations
_LISTED_FIELDS = 20


@dataclass(frozen=True)
class CheckResult:
    """The answer to one expectation; the columns of `core.quality_result`."""

    check_index: int
    expectation: str
    column_name: str | None
    severity: str
    is_success: bool
    observed: str | None
    bound: str
    n_unexpected: int | None
    n_rows: int
    error: str | None
    n_quarantined: int = 0

    def row(self) -> dict[str, object]:
        """Give the answer as a row of `core.quality_result`, but for its key."""
        return asdict(self)


@dataclass(frozen=True)
class Audit:
    """Everything one audit found.

    Attributes:
        n_rows: rows of the partition.
        results: one for each expectation, in the order of the problem file.
        refusal: why the partition as a whole is refused, whatever the results say; None when they decide.
        validation: Great Expectations' own result, for its Data Docs; None when it gave none.
    """

    n_rows: int
    results: Sequence[CheckResult]
    refusal: str | None = None
    validation: "ExpectationSuiteValidationResult | None" = field(default=None, compare=False, repr=False)


def decide_verdict(audit: Audit) -> tuple[Verdict, str | None, int]:
    """Say what happens to a partition.

    A question that nobody could answer is a stop, whatever its severity: an unaudited partition is not published.

    Returns:
        the verdict, its first reason (None when all is well), and how many warnings there are.
    """
    unanswered = [result for result in audit.results if result.error is not None]
    broken = [result for result in audit.results if not result.is_success and result.error is None]
    stops = [result for result in broken if result.severity == "stop"]
    warnings = [result for result in broken if result.severity != "stop"]
    if audit.refusal is not None:
        return "stop", audit.refusal, 0
    first_stop = min([*unanswered, *stops], key=lambda result: result.check_index, default=None)
    if first_stop is not None:
        return "stop", explain(first_stop), len(warnings)
    return ("warn", explain(warnings[0]), len(warnings)) if warnings else ("pass", None, 0)


def explain(result: CheckResult) -> str:
    """Say in one sentence how a partition missed an expectation, with the numbers."""
    arguments = json.loads(result.bound)
    subject = result.column_name or _subject(arguments)
    signature = f"({result.expectation}, {result.severity})"
    if result.error is not None:
        return f"{subject}: could not be answered, so the partition is not published: {result.error} {signature}"
    if result.n_unexpected is not None:
        many = f"{result.n_unexpected:,} of {result.n_rows:,} rows"
        return f"{subject}: {many} {_complaint(result.expectation, arguments)}{_allowance(arguments)} {signature}"
    seen = "nothing" if result.observed is None else _short(result.observed)
    return f"{subject}: {_quantity(result.expectation)} is {seen}; allowed is {_bound(arguments)} {signature}"


def explain_row(expectation: str, column: str | None, arguments: Mapping[str, object]) -> str:
    """Say in a few words what is wrong with one row that breaks an expectation: what such rows are counted by."""
    singular = _complaint(expectation, arguments)
    for many, one in (("are ", "is "), ("do not ", "does not "), ("they must", "it must")):
        singular = singular.replace(many, one, 1)
    return f"{column or _subject(arguments)} {singular}"


def note_quarantined(audit: Audit, n_quarantined: Mapping[int, int]) -> Audit:
    """Write beside the answers about what is left how many rows each expectation took out before.

    Args:
        n_quarantined: position of the expectation to the rows.
    """
    results = [replace(result, n_quarantined=n_quarantined.get(result.check_index, 0)) for result in audit.results]
    return replace(audit, results=results)


def warn_of_unknown_fields(fields: Mapping[str, int], first_index: int, n_rows: int) -> list[CheckResult]:
    """Say of each field that the problem does not declare how many rows have it; a warning, never a stop.

    Args:
        fields: masked name to rows that have the field, as staging counted them.
        first_index: of the first result; they stand behind the problem's own expectations.
        n_rows: rows of the partition.

    Returns:
        a result for each of the most frequent fields; the last one stands for all others, where there are too many.
    """
    ranked = sorted(fields.items(), key=lambda item: (-item[1], item[0]))
    listed, others = ranked[:_LISTED_FIELDS], ranked[_LISTED_FIELDS:]
    if others:
        listed = [*listed, (f"and {len(others)} other fields", max(count for _, count in others))]
    return [
        CheckResult(
            check_index=first_index + number,
            expectation=UNKNOWN_FIELD,
            column_name=name,
            severity="warn",
            is_success=False,
            observed=None,
            bound="{}",
            n_unexpected=count,
            n_rows=n_rows,
            error=None,
        )
        for number, (name, count) in enumerate(listed)
    ]


def _short(observed: str) -> str:
    """Write a measured number with six digits, the most a sentence can carry; other answers as they are."""
    try:
        return f"{float(observed):.6g}" if "." in observed else observed
    except ValueError:
        return observed[:200]


def _subject(arguments: Mapping[str, Any]) -> str:
    """Name what an expectation without one column is about."""
    columns = arguments.get("column_list") or [arguments[n] for n in ("column_A", "column_B") if n in arguments]
    return ", ".join(map(str, columns)) or "the partition"


def _complaint(expectation: str, arguments: Mapping[str, object]) -> str:
    """Say what is wrong with the rows."""
    if expectation == UNKNOWN_FIELD:
        return "have this field, which the problem file does not declare"
    if "NotBeNull" in expectation:
        return "are missing"
    if "Unique" in expectation:
        return "are not unique"
    if expectation == "UnexpectedRowsExpectation":
        return "are found by the query, where none should be"
    if "NotBeInSet" in expectation or "NotMatch" in expectation:
        return f"are what they must not be: {_bound(arguments)}"
    return (
        f"are outside {_bound(arguments)}"
        if "Between" in expectation or "InSet" in expectation
        else (f"do not fulfil {_bound(arguments)}")
    )


def _allowance(arguments: Mapping[str, Any]) -> str:
    """Say how many rows might have been wrong, where some might."""
    mostly = arguments.get("mostly", 1)
    return f"; at most {(1 - mostly) * 100:.4g} of 100 may be" if mostly < 1 else ""


def _quantity(expectation: str) -> str:
    """Name what was measured: ExpectColumnMeanToBeBetween measures the mean."""
    name = expectation.removeprefix("Expect").removeprefix("Column").removeprefix("Table").split("To")[0]
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
    return words or "it"


def _bound(arguments: Mapping[str, Any]) -> str:
    """Write what was allowed: 50..5000, at least 1, [EWR, JFK, LGA], or the arguments as they are."""
    low, high = arguments.get("min_value"), arguments.get("max_value")
    if low is not None and high is not None:
        return f"{low}..{high}"
    if low is not None:
        return f"at least {low}"
    if high is not None:
        return f"at most {high}"
    if "value_set" in arguments:
        values = [str(value) for value in arguments["value_set"]]
        return f"[{', '.join(values[:10])}{', ...' if len(values) > 10 else ''}]"
    rest = {name: value for name, value in arguments.items() if name not in {"mostly", "column_list"}}
    return ", ".join(f"{name} {value}" for name, value in rest.items()) or "what the name says"
