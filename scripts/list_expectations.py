"""Writes `include/problems/expectation_names.py` from the installed Great Expectations.

Run `python -m scripts.list_expectations` after a new version is pinned, and read the difference before committing it.
"""

import inspect
import subprocess
import warnings
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "include" / "problems" / "expectation_names.py"

# Arguments of every expectation that say how Great Expectations reports, not what it asks; a problem file has its own
# words for them (`severity`), and string conditions with a parser are deprecated there.
NOT_OURS = {
    "batch_id",
    "catch_exceptions",
    "column",
    "condition_parser",
    "description",
    "id",
    "library_metadata",
    "meta",
    "notes",
    "rendered_content",
    "result_format",
    "severity",
    "windows",
}
# Great Expectations lets these out and then asks nothing, or fails on the data.
NEEDED_BY_SENSE = {
    "ExpectColumnKLDivergenceToBeLessThan": {"partition_object", "threshold"},
    "ExpectColumnValuesToBeInTypeList": {"type_list"},
    "ExpectColumnValuesToMatchRegex": {"regex"},
    "ExpectTableColumnsToMatchOrderedList": {"column_list"},
    "ExpectTableColumnsToMatchSet": {"column_set"},
}
IMPOSSIBLE = {
    "ExpectColumnValuesToNotBeOutliers": "its quartiles are not written for this engine",
    "ExpectQueryResultsToMatchComparison": "it needs a second data source, and an audit sees one partition",
    "ExpectTableRowCountToEqualOtherTable": "it needs a second table, and an audit sees one partition",
}
NOT_ON_SQL = "it is offered on pandas and Spark only, not on SQL"

HEADER = '''"""What Great Expectations offers, by its own names, so that a problem file is checked without importing it.

Importing Great Expectations takes seconds, and DAG files are parsed all day. `tests/include/problems` compares this
table with the installed library; `python -m scripts.list_expectations` writes it again.
"""

from typing import NamedTuple


class Takes(NamedTuple):
    """What one expectation must and may be told."""

    is_about_a_column: bool
    required: frozenset[str]
    optional: frozenset[str]


'''


def read_library() -> tuple[dict[str, tuple[bool, list[str], list[str]]], dict[str, str]]:
    """List what the installed library offers.

    Returns:
        by name, for those that can be asked of a partition: whether it is about a column, the arguments it needs, the
        others it takes; and by name why each of the rest cannot be asked.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations.expectations as library
    possible: dict[str, tuple[bool, list[str], list[str]]] = {}
    impossible: dict[str, str] = {}
    for name, kind in inspect.getmembers(library, inspect.isclass):
        if not name.startswith(("Expect", "UnexpectedRows")) or name == "Expectation":
            continue
        if name in IMPOSSIBLE:
            impossible[name] = IMPOSSIBLE[name]
        elif "PostgreSQL" not in _data_sources(kind):
            impossible[name] = NOT_ON_SQL
        else:
            possible[name] = _takes(name, kind)
    return possible, impossible


def _data_sources(kind: Any) -> list[str]:
    """Say where the library supports an expectation, as its own schema states it."""
    metadata = kind.schema()["properties"].get("metadata", {}).get("properties", {})
    return list(metadata.get("supported_data_sources", {}).get("const", []))


def _takes(name: str, kind: Any) -> tuple[bool, list[str], list[str]]:
    """Read one expectation's arguments."""
    fields = {key: field.required for key, field in kind.__fields__.items() if key not in NOT_OURS}
    required = {key for key, is_required in fields.items() if is_required} | NEEDED_BY_SENSE.get(name, set())
    return "column" in kind.__fields__, sorted(required), sorted(set(fields) - required)


def main() -> None:
    """Write the table."""
    possible, impossible = read_library()
    lines = [f"{HEADER}EXPECTATIONS: dict[str, Takes] = {{"]
    lines += [
        f'    "{name}": Takes({is_about}, frozenset({required!r}), frozenset({optional!r})),'
        for name, (is_about, required, optional) in possible.items()
    ]
    lines += [
        "}",
        "",
        "# In the library, but no question to ask here; the reason is for the person who writes the file.",
    ]
    lines += ["IMPOSSIBLE: dict[str, str] = {"]
    lines += [f'    "{name}": "{why}",' for name, why in impossible.items()]
    TARGET.write_text("\n".join([*lines, "}", ""]), encoding="utf-8")
    subprocess.run(["ruff", "format", "--quiet", str(TARGET)], check=True)
    print(f"{TARGET.name}: {len(possible)} expectations, {len(impossible)} that cannot be asked here")


if __name__ == "__main__":
    main()
