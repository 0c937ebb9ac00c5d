"""The numbers behind each picture and list of an experiment, as CSV.

What belongs here: which columns a table has. What does not: reading the rows, and how they are written
(`pages/csv_text.py`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pages.csv_text import write_rows

# The tables that may be asked for, with their columns in order.
COLUMNS: dict[str, tuple[str, ...]] = {
    "variants": (
        *("partition_key", "variant", "is_control", "n_units", "n_mature", "n_rewarded", "rate_ratio", "rate_low"),
        *("rate_high", "lift_ratio", "low", "high", "low_any_look", "high_any_look", "shrunk_lift_ratio", "p_value"),
        *("verdict", "best_probability", "expected_loss", "is_sent"),
    ),
    "metrics": (
        *(
            "partition_key",
            "metric",
            "role",
            "kind",
            "is_lower_better",
            "variant",
            "is_control",
            "n_mature",
            "n_unread",
        ),
        *(
            "mean",
            "mean_low",
            "mean_high",
            "lift",
            "low",
            "high",
            "low_any_look",
            "high_any_look",
            "p_value",
            "verdict",
        ),
        *("margin", "adjustment", "adjusted_lift", "adjusted_low", "adjusted_high"),
    ),
    "checks": ("partition_key", "check_name", "verdict", "value", "bound", "detail", "advice"),
    "exclusions": ("reason", "variant", "first_day", "last_day", "n_rows"),
    "shares": ("partition_key", "phase", "variant", "share_ratio", "low", "high"),
    "lifts": ("partition_key", "variant", "n_mature", "lift_ratio", "low_any_look", "high_any_look"),
    "decisions": (
        *("partition_key", "outcome", "variant", "is_final", "is_claimed", "best_probability", "expected_loss_ratio"),
        *("reason", "claim", "plan_version", "plan_sha256", "decided_at_utc"),
    ),
    "plans": ("version", "sha256", "written_at_utc", "first_window", "last_window"),
}


def write_csv(table: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Write a table with its header; no text of it is taken for a formula by a spreadsheet.

    Raises:
        KeyError: there is no such table.
    """
    return write_rows(COLUMNS[table], rows)
