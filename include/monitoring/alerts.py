"""Which findings a person must hear of, and in which words: one alert for each cause.

What does not belong here: how the findings were measured, and who is told by which channel.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MOVED = "moved"
STABLE = "stable"
TOO_FEW_ROWS = "too_few_rows"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Thresholds:
    """From where on a finding is an alert; the problem's own numbers."""

    psi_alert: float
    ece_alert: float
    minimum_rows: int
    action: str


def drift_verdict(
    psi_ratio: float, psi_chance_ratio: float, psi_alert: float, *, n_rows: int, minimum_rows: int
) -> str:
    """Say whether a column moved: far enough to matter, and further than sampling alone carries it."""
    if n_rows < minimum_rows:
        return TOO_FEW_ROWS
    return MOVED if psi_ratio >= psi_alert and psi_ratio > psi_chance_ratio else STABLE


def find_alerts(drifts: Iterable[Row], summaries: Iterable[Row], thresholds: Thresholds) -> list[dict[str, Any]]:
    """Find what people must hear of.

    Args:
        drifts: rows of `core.feature_drift`.
        summaries: rows of `core.calibration_summary`.
        thresholds: the problem's own numbers.

    Returns:
        rows of `core.alert` without their time, ordered by partition and cause. The same findings give the same rows,
        whatever their order. A cause has one row per partition: of several models, the newest that is off.
    """
    alerts = {}
    for row in drifts:
        if _is_drift_alert(row, thresholds):
            alert = _alert(row, f"drift:{row['feature']}", thresholds, drift_sentence(row, thresholds.psi_alert))
            alerts[alert["partition_key"], alert["alert_id"]] = alert
    for row in sorted(summaries, key=lambda summary: str(summary["model_version"])):
        if _is_calibration_alert(row, thresholds):
            alert = _alert(row, "calibration", thresholds, calibration_sentence(row, thresholds.ece_alert))
            alerts[alert["partition_key"], alert["alert_id"]] = alert
    return [alerts[key] for key in sorted(alerts)]


def drift_sentence(row: Row, psi_alert: float) -> str:
    """Say what moved, by how much, and where it shows most."""
    return (
        f"{row['problem']}, {row['partition_key']}: {_subject_of(row)} has moved away from {row['reference']} "
        f"(stability index {row['psi_ratio']:.2f}, allowed below {psi_alert:g}).{_largest_shift(row)}"
    )


def calibration_sentence(row: Row, ece_alert: float) -> str:
    """Say what the model promised, and what came of it."""
    expected, seen = 100 * row["mean_predicted_ratio"], 100 * row["positive_ratio"]
    return (
        f"{row['problem']}, {row['partition_key']}: {row['model_version']} expected {expected:.1f} of 100 rows to be "
        f"positive, and {seen:.1f} of 100 were ({row['n_labelled']} labelled rows). Its probabilities are off by "
        f"{row['ece_ratio']:.3f} on average, allowed up to {ece_alert:g}."
    )


def _is_drift_alert(row: Row, thresholds: Thresholds) -> bool:
    """Say whether a column's move is an alert; the reference itself never is, nor is a handful of rows."""
    is_enough = row["n_rows"] >= thresholds.minimum_rows  # the file may ask for more rows now than when it was measured
    return bool(row["verdict"] == MOVED and is_enough and not row["is_in_reference"])


def _is_calibration_alert(row: Row, thresholds: Thresholds) -> bool:
    """Say whether a model's probabilities are off: far enough to matter, on enough labels, and not by chance."""
    if row["ece_ratio"] is None or row["n_labelled"] < thresholds.minimum_rows:
        return False
    return bool(row["ece_ratio"] > thresholds.ece_alert and row["ece_ratio"] > row["ece_chance_ratio"])


def _alert(row: Row, alert_id: str, thresholds: Thresholds, message: str) -> dict[str, Any]:
    """Make the alert's row; its keys say the cause, so that the same cause is never open twice."""
    is_drift = alert_id != "calibration"
    return {
        "problem": row["problem"],
        "partition_key": row["partition_key"],
        "alert_id": alert_id,
        "metric": "psi_ratio" if is_drift else "ece_ratio",
        "subject": row["feature"] if is_drift else row["model_version"],
        "value": row["psi_ratio"] if is_drift else row["ece_ratio"],
        "bound": thresholds.psi_alert if is_drift else thresholds.ece_alert,
        "action": thresholds.action,
        "message": message,
    }


def _subject_of(row: Row) -> str:
    """Name the column as a person would."""
    return "what the model says (p_positive)" if row["feature"] == "p_positive" else str(row["feature"])


def _largest_shift(row: Row) -> str:
    """Say in which bin the shares differ most, as rows of 100."""
    n_rows, n_reference = row["n_rows"], row["n_reference"]
    shifts = [(b["name"], 100 * b["n_reference"] / n_reference, 100 * b["n_rows"] / n_rows) for b in row["bins"]]
    name, before, now = max(shifts, key=lambda shift: abs(shift[2] - shift[1]))
    return f" Most of all {name!r}: {before:.0f} of 100 rows before, {now:.0f} of 100 now."
